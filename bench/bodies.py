"""What the load clients send: numbered requests, as bytes that go out as they are."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from bench import world
from bench.load import SAMPLE

REPEAT_EVERY = 10  # of so many requests the last repeats an earlier one
_BACK = 45  # how far it reaches back: not to a repeat, nor to what is still on its way
_NUMBER, _PAYER, _PAID_AT, _HAPPENED_AT = "@N@", "@P@", 1_111_111_111, 1_222_222_222
PAID_FROM = 1_750_000_000
STRIPE_SECRET = "whsec_for_benchmarks_only"


class Source(Protocol):
    """Requests by number, the first is 0; `distinct` says how many of the first so many differ."""

    def request(self, number: int) -> bytes: ...

    def distinct(self, requests: int) -> int: ...


def _post(path: str, headers: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _event(number: int) -> int:
    """The number of the event in a request: every tenth request is a deliberate repeat."""
    is_repeat = number % REPEAT_EVERY == REPEAT_EVERY - 1 and number >= _BACK
    return number - _BACK if is_repeat else number


class _Repeating:
    def distinct(self, requests: int) -> int:
        return requests - max(requests // REPEAT_EVERY - _BACK // REPEAT_EVERY, 0)


@dataclass(frozen=True)
class Get:
    """One address, again and again."""

    path: str
    headers: str = ""

    def request(self, number: int) -> bytes:
        return f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n{self.headers}\r\n".encode()

    def distinct(self, requests: int) -> int:
        return min(requests, 1)


@dataclass(frozen=True)
class Payments(_Repeating):
    """Chargebee payments (`world.lean`), each of an invoice of its own, by so many payers.

    mark: a word that the ids of events, payments and invoices carry. Payers are the same for every
    mark: `payer_email` and `payer_id` name them.
    """

    path: str
    headers: str
    mark: str
    payers: int

    def request(self, number: int) -> bytes:
        return _post(self.path, self.headers, self.body(_event(number)))

    def body(self, event: int) -> bytes:
        values = {
            _NUMBER: f"{self.mark}{event}", _PAYER: str(event % self.payers),
            str(_PAID_AT): str(PAID_FROM + event), str(_HAPPENED_AT): str(PAID_FROM + event + 60),
        }  # fmt: skip
        return "".join(values.get(piece, piece) for piece in self._pieces).encode()

    @cached_property
    def _pieces(self) -> list[str]:
        text = json.dumps(_payment(), separators=(",", ":"))
        pieces = [text]
        for mark in (_NUMBER, _PAYER, str(_PAID_AT), str(_HAPPENED_AT)):
            pieces = [part for piece in pieces for part in _split(piece, mark)]
        return pieces


def _split(text: str, mark: str) -> list[str]:
    first, *others = text.split(mark)
    return [first, *(part for other in others for part in (mark, other))]


def _payment() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        (SAMPLE / "made_pc2_payment_succeeded_card_excluded.json").read_bytes()
    )
    content = body["content"]
    transaction, invoice, customer = (
        content["transaction"], content["invoice"], content["customer"],
    )  # fmt: skip
    body["id"], body["occurred_at"] = f"ev_{_NUMBER}", _HAPPENED_AT
    transaction["id"], transaction["date"] = f"txn_{_NUMBER}", _PAID_AT
    transaction["linked_invoices"][0]["invoice_id"] = invoice["id"] = f"inv_{_NUMBER}"
    invoice["linked_payments"][0]["txn_id"] = transaction["id"]
    customer["id"] = transaction["customer_id"] = invoice["customer_id"] = payer_id(_PAYER)
    customer["email"] = payer_email(_PAYER)
    return world.lean(body)


def payer_id(payer: int | str) -> str:
    return f"cus_{payer}"


def payer_email(payer: int | str) -> str:
    return f"payer{payer}@company{payer}.example"


@dataclass(frozen=True)
class Charges(_Repeating):
    """Signed Stripe events `charge.succeeded` (2.1 kB), each of a charge of its own.

    Signed when they are made, with a secret that the server under load knows.
    """

    path: str
    mark: str
    payers: int

    def request(self, number: int) -> bytes:
        event = _event(number)
        before, between, after = self._pieces
        payer, name = str(event % self.payers), f"{self.mark}{event}"
        body = f"{before}{name}{between[0]}{name}{between[1]}{payer}{after}".encode()
        at = int(time.time())
        signed = hmac.digest(STRIPE_SECRET.encode(), b"%d." % at + body, hashlib.sha256).hex()
        return _post(self.path, f"Stripe-Signature: t={at},v1={signed}\r\n", body)

    @cached_property
    def _pieces(self) -> tuple[str, tuple[str, str], str]:
        text = json.dumps(_charge_event(), separators=(",", ":"))
        before, middle, rest = text.split(_NUMBER)
        late, after = rest.split(_PAYER)
        return before, (middle, late), after


def _charge_event() -> dict[str, Any]:
    """A card charge as Stripe's API of 2020-08-27 spells one; nobody's."""
    at = PAID_FROM
    nothing = (
        "application", "application_fee", "application_fee_amount", "balance_transaction",
        "destination", "dispute", "failure_balance_transaction", "failure_code",
        "failure_message", "invoice", "on_behalf_of", "order", "payment_intent",
        # With the name of one dj-stripe would ask Stripe for it.
        "payment_method", "receipt_number", "review", "shipping", "source", "source_transfer",
        "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
    )  # fmt: skip
    address = {
        "city": "Lyon", "country": "FR", "line1": "1 rue de la Place", "line2": None,
        "postal_code": "69001", "state": None,
    }  # fmt: skip
    card = {
        "brand": "visa", "country": "FR", "exp_month": 12, "exp_year": 2030, "funding": "credit",
        "fingerprint": "fpForBenchmarks", "installments": None, "last4": "4242", "mandate": None,
        "network": "visa", "three_d_secure": None, "wallet": None,
        "checks": {
            "address_line1_check": "pass", "address_postal_code_check": "pass", "cvc_check": "pass",
        },
    }  # fmt: skip
    charge = {
        "id": f"ch_{_NUMBER}", "object": "charge", "customer": f"cus_{_PAYER}",
        **dict.fromkeys(nothing),
        "amount": 4900, "amount_captured": 4900, "amount_refunded": 0, "currency": "usd",
        "created": at, "captured": True, "paid": True, "refunded": False, "disputed": False,
        "livemode": False, "status": "succeeded", "description": "Pro plan, one month",
        "calculated_statement_descriptor": "EXAMPLE", "fraud_details": {},
        "billing_details": {
            "address": address, "email": "payer@company.example", "name": "Pat Payer",
            "phone": None,
        },
        "metadata": {"order": "made-for-benchmarks", "plan": "pro-USD-monthly"},
        "outcome": {
            "network_status": "approved_by_network", "reason": None, "risk_level": "normal",
            "risk_score": 11, "seller_message": "Payment complete.", "type": "authorized",
        },
        "receipt_email": "payer@company.example",
        "payment_method_details": {"card": card, "type": "card"},
        "receipt_url": "https://receipts.example/of/a/charge/made/for/benchmarks",
        "refunds": {
            "object": "list", "data": [], "has_more": False, "total_count": 0,
            "url": "/v1/charges/made_for_benchmarks/refunds",
        },
    }  # fmt: skip
    return {
        "id": f"evt_{_NUMBER}", "object": "event", "api_version": "2020-08-27", "created": at,
        "livemode": False, "pending_webhooks": 1, "type": "charge.succeeded",
        "request": {"id": None, "idempotency_key": None}, "data": {"object": charge},
    }  # fmt: skip
