"""What the load clients of the benchmarks send is what they say it is."""

import hashlib
import hmac
import json

from bench.bodies import STRIPE_SECRET, Charges, Payments


def body_of(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    return body


class TestPayments:
    payments = Payments("/hook", "Authorization: Basic x\r\n", "m", 100)

    def test_every_tenth_request_repeats_an_earlier_one_and_the_others_are_counted(self) -> None:
        sent: set[bytes] = set()
        for number in range(200):
            sent.add(self.payments.request(number))
            assert len(sent) == self.payments.distinct(number + 1)

        assert len(sent) == 200 - 16  # the first 45 have too little before them

    def test_each_is_the_payment_of_an_invoice_of_its_own_by_one_of_the_payers(self) -> None:
        bodies = [json.loads(body_of(self.payments.request(number))) for number in (3, 103)]

        for content, invoice in zip(
            (one["content"] for one in bodies), ("m3", "m103"), strict=True
        ):
            assert content["customer"]["id"] == content["transaction"]["customer_id"] == "cus_3"
            assert content["invoice"]["id"] == f"inv_{invoice}"
            [paid] = content["transaction"]["linked_invoices"]
            assert paid["invoice_id"] == content["invoice"]["id"]
        assert [one["id"] for one in bodies] == ["ev_m3", "ev_m103"]


class TestCharges:
    def test_the_signature_is_of_the_moment_and_the_body(self) -> None:
        request = Charges("/hook", "m", 10).request(12)
        signed = request.split(b"Stripe-Signature: ")[1].split(b"\r\n")[0].decode()
        at, _, digest = signed.removeprefix("t=").partition(",v1=")
        body = body_of(request)

        right = hmac.new(STRIPE_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256)
        assert digest == right.hexdigest()
        assert json.loads(body)["data"]["object"]["customer"] == "cus_2"
