"""The simulated API refuses, remembers and breaks as Chargebee does (reference section 6)."""

import json
from typing import Any

import pytest

from rewards_service.simulator.api import KEY, Request
from rewards_service.simulator.books import differences
from rewards_service.simulator.errors import ApiError
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.verbs import say
from tests.simulator.site_calls import AUTHORIZED, Caller


@pytest.fixture
def caller() -> Caller:
    return Caller()


class TestKey:
    @pytest.mark.parametrize("given", ["", "Basic", "Basic !!!", "Bearer abc", "Basic eDp5", KEY])
    def test_only_the_key_with_no_password_opens(self, caller: Caller, given: str) -> None:
        wrong = Request("GET", "/customers", headers={"authorization": given})
        answer = caller.simulator.answer(wrong)

        assert answer.status == 401
        assert json.loads(answer.body)["api_error_code"] == "api_authentication_failed"


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "form", "status", "code"),
        [
            ("/customers/nobody", {}, 404, "resource_not_found"),
            ("/nowhere", {}, 404, "resource_not_found"),
            ("/events", {}, 405, "http_method_not_supported"),
            ("/customers", {"id": "x" * 51}, 400, "param_wrong_value"),
            ("/customers", {"id": "ada"}, 400, "duplicate_entry"),
            ("/customers", {"net_term_days": "many"}, 400, "param_wrong_value"),
            ("/customers", {"meta_data": "no json"}, 400, "param_wrong_value"),
            ("/items", {"id": "i", "name": "I", "type": "plan"}, 400, "param_wrong_value"),
            ("/webhook_endpoints", {"name": "w"}, 400, "param_wrong_value"),
            ("/webhook_endpoints", {"name": "w", "url": "ftp://a/"}, 400, "param_wrong_value"),
            (
                "/webhook_endpoints",
                {"name": "w", "url": "https://a.example:9000/"},
                400,
                "param_wrong_value",
            ),
        ],
    )
    def test_each_has_its_status_and_code(
        self, caller: Caller, path: str, form: dict[str, Any], status: int, code: str
    ) -> None:
        caller.tell("/customers", id="ada")
        answered, found = caller.tell(path, **form)

        assert (answered, found["api_error_code"]) == (status, code)
        assert found["http_status_code"] == status

    def test_a_wrong_method_is_refused(self, caller: Caller) -> None:
        assert caller.raw("DELETE", "/customers/ada").status == 405
        assert caller.raw("GET", "/customers/ada/delete").status == 405

    def test_json_is_no_form(self, caller: Caller) -> None:
        answer = caller.raw("POST", "/customers", headers={"content-type": "application/json"})

        assert json.loads(answer.body)["api_error_code"] == "invalid_request"

    def test_a_refused_change_changes_nothing(self, caller: Caller) -> None:
        caller.tell("/customers", id="ada", company="Old")
        caller.tell("/customers/ada", company="New", net_term_days="many")

        assert caller.ask("/customers/ada")[1]["customer"]["company"] == "Old"

    def test_a_sixth_endpoint_is_one_too_many(self, caller: Caller) -> None:
        for number in range(5):
            caller.listen(url=f"https://a{number}.example/")
        status, found = caller.tell("/webhook_endpoints", name="w", url="https://six.example/")

        assert (status, found["api_error_code"]) == (400, "resource_limit_exhausted")


class TestForms:
    def test_brackets_and_indexes_are_read(self, caller: Caller) -> None:
        address = {"city": "Paris", "country": "FR"}
        caller.tell("/customers", id="ada", billing_address=address, cf_MyField="Kept")
        row = caller.ask("/customers/ada")[1]["customer"]

        assert (row["billing_address"]["city"], row["cf_MyField"]) == ("Paris", "Kept")

    def test_meta_data_is_an_object(self, caller: Caller) -> None:
        caller.tell("/customers", id="ada", meta_data=json.dumps({"a": [1]}))

        assert caller.ask("/customers/ada")[1]["customer"]["meta_data"] == {"a": [1]}

    def test_lines_with_discount_and_tax_make_the_total(self, caller: Caller) -> None:
        caller.tell("/customers", id="ada", billing_address={"country": "DE"})
        status, found = caller.tell(
            "/invoices/create_for_charge_items_and_charges",
            customer_id="ada",
            charges={"amount": [9_999, 1], "description": ["Work", "Small"]},
            discounts={"percentage": [12.5], "apply_on": ["invoice_amount"]},
        )
        invoice = found["invoice"]

        assert status == 200
        assert (invoice["sub_total"], invoice["discounts"][0]["amount"]) == (10_000, 1_250)
        assert (invoice["tax"], invoice["total"]) == (1_662, 10_412)
        assert differences(caller.site) == []


class TestIdempotency:
    def test_the_same_key_and_form_is_answered_from_memory(self, caller: Caller) -> None:
        headers = {"chargebee-idempotency-key": "k1"}
        first = caller.raw("POST", "/customers", form=(("email", "a@b.example"),), headers=headers)
        again = caller.raw("POST", "/customers", form=(("email", "a@b.example"),), headers=headers)

        assert first.body == again.body
        assert "chargebee-idempotency-replayed" not in first.headers
        assert again.headers["chargebee-idempotency-replayed"] == "true"
        assert len(caller.site.tables["customer"].rows) == 1

    def test_after_30_minutes_it_is_forgotten(self, caller: Caller) -> None:
        headers = {"chargebee-idempotency-key": "k1"}
        caller.raw("POST", "/customers", headers=headers)
        caller.site.move_to(caller.site.now_ms + 30 * 60 * 1000)
        caller.raw("POST", "/customers", headers=headers)

        assert len(caller.site.tables["customer"].rows) == 2

    def test_another_form_under_the_same_key_is_another_call(self, caller: Caller) -> None:
        headers = {"chargebee-idempotency-key": "k1"}
        for email in ("a@b.example", "c@d.example"):
            caller.raw("POST", "/customers", form=(("email", email),), headers=headers)

        assert len(caller.site.tables["customer"].rows) == 2

    def test_it_protects_a_payment_whose_answer_was_cut_off(self, caller: Caller) -> None:
        customer = say(caller.site, "sign_up", email="a@b.example")["customer_id"]
        invoice = say(caller.site, "bill", customer_id=customer, amount=500)["invoice_id"]
        form = (("transaction[payment_method]", "cash"),)
        headers = {"chargebee-idempotency-key": "pay-1"}
        caller.simulator.faults = Faults(cut=1)
        cut = caller.raw("POST", f"/invoices/{invoice}/record_payment", form=form, headers=headers)
        caller.simulator.faults = Faults()
        again = caller.raw(
            "POST", f"/invoices/{invoice}/record_payment", form=form, headers=headers
        )

        assert cut.cut is not None
        assert again.status == 200
        assert len(caller.site.tables["transaction"].rows) == 1


class TestLimit:
    def test_above_the_limit_calls_are_refused_until_the_bucket_fills(self, caller: Caller) -> None:
        caller.simulator.limit.set(60)
        answers = [caller.raw("GET", "/customers") for _ in range(62)]

        assert [answer.status for answer in answers].count(429) == 2
        assert answers[-1].headers["Retry-After"] == "1"
        assert json.loads(answers[-1].body)["api_error_code"] == "api_request_limit_exceeded"
        caller.seconds += 1
        assert caller.raw("GET", "/customers").status == 200

    def test_a_refusal_need_not_say_when_to_come_again(self, caller: Caller) -> None:
        caller.simulator.limit.set(1, says_when=False)
        caller.raw("GET", "/customers")

        assert "Retry-After" not in caller.raw("GET", "/customers").headers


class TestFaults:
    @pytest.mark.parametrize(
        ("knob", "status", "text"),
        [
            ("limited", 429, b"api_request_limit_exceeded"),
            ("locked", 429, b"lock_timeout"),
            ("unavailable", 503, b"internal_temporary_error"),
            ("unavailable_html", 503, b"<html>"),
            ("failed", 500, b"internal_error"),
            ("redirect", 302, b""),
        ],
    )
    def test_a_broken_answer_does_nothing(
        self, caller: Caller, knob: str, status: int, text: bytes
    ) -> None:
        caller.simulator.faults = Faults().changed({knob: 1})
        answer = caller.raw("POST", "/customers", form=(("id", "ada"),))

        assert (answer.status, text in answer.body) == (status, True)
        assert not caller.site.tables["customer"].rows

    def test_retry_after_is_sent_when_asked_for(self, caller: Caller) -> None:
        caller.simulator.faults = Faults(limited=1, retry_after_s=7)

        assert caller.raw("GET", "/customers").headers["Retry-After"] == "7"

    def test_garbage_is_no_json(self, caller: Caller) -> None:
        caller.simulator.faults = Faults(garbage=1)
        with pytest.raises(ValueError, match="line 1"):
            json.loads(caller.raw("GET", "/customers").body)

    @pytest.mark.parametrize(
        "given", [{"nonsense": 1}, {"drop": 2}, {"lag_s": 1.5}, {"drop": True}]
    )
    def test_a_knob_must_exist_and_fit(self, given: dict[str, object]) -> None:
        with pytest.raises(ApiError):
            Faults().changed(given)

    def test_a_share_of_calls_is_hit_and_always_the_same(self, caller: Caller) -> None:
        def hit() -> list[int]:
            fresh = Caller(seed=9)
            fresh.simulator.faults = Faults(unavailable=0.2)
            return [fresh.raw("GET", "/customers").status for _ in range(200)]

        assert hit() == hit()
        assert 20 <= hit().count(503) <= 60


class TestDeterminism:
    def test_the_same_calls_make_the_same_bytes(self) -> None:
        def made() -> list[bytes]:
            caller = Caller(seed=5)
            form = (("email", "a@b.example"), ("card[number]", "4111"))
            first = caller.raw("POST", "/customers", form=form)
            return [first.body, caller.raw("GET", "/events").body]

        assert made() == made()
        assert AUTHORIZED
