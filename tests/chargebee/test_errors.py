from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee import errors
from rewards_service.chargebee.errors import ChargebeeError, error_of

# (status, api_error_code, type) of reference answers, what it is, and whether it passes.
KNOWN = [
    (400, "param_wrong_value", "invalid_request", ChargebeeError, False),
    (400, "duplicate_entry", "invalid_request", errors.AlreadyThere, False),
    (400, "payment_processing_failed", "payment", errors.PaymentRefused, False),
    (401, "api_authentication_failed", None, errors.KeyRefused, False),
    (403, "api_authorization_failed", None, errors.NotAllowed, False),
    (403, "request_blocked", None, errors.NotAllowed, False),
    (404, "resource_not_found", "invalid_request", errors.NotThere, False),
    (404, "site_not_found", None, errors.SiteUnknown, False),
    (405, "http_method_not_supported", None, ChargebeeError, False),
    (409, "invalid_state_for_request", "invalid_request", errors.WrongState, False),
    (422, "unable_to_process_request", None, ChargebeeError, False),
    (429, "api_request_limit_exceeded", "operation_failed", errors.RateLimited, True),
    (429, "third_party_api_request_limit_exceeded", "operation_failed", errors.RateLimited, True),
    (429, "lock_timeout", "operation_failed", errors.Locked, True),
    (409, "lock_timeout", "operation_failed", errors.Locked, True),
    (429, None, None, errors.RateLimited, True),
    (500, "internal_error", "operation_failed", errors.Unavailable, True),
    (503, "site_not_ready", "operation_failed", errors.Unavailable, True),
    (503, None, None, errors.Unavailable, True),
]


class TestErrorOf:
    @pytest.mark.parametrize(("status", "code", "kind", "error", "passes"), KNOWN)
    def test_each_answer_has_its_error(
        self, status: int, code: str | None, kind: str | None, error: type[Any], passes: bool
    ) -> None:
        body = {"api_error_code": code, "type": kind, "message": "m"} if code else None
        found = error_of("do it", status, body, None)

        assert type(found) is error
        assert (found.passes, found.api_error_code, found.http_status) == (passes, code, status)

    def test_only_what_changed_nothing_may_be_sent_again_without_a_key(self) -> None:
        found = [error_of("x", known[0], {"api_error_code": known[1]}, None) for known in KNOWN]

        assert {type(e) for e in found if e.unsent} == {errors.RateLimited, errors.Locked}

    def test_the_text_says_what_and_the_message_stays_beside_it(self) -> None:
        body = {
            "api_error_code": "param_wrong_value",
            "param": "billing_address[city]",
            "message": "jane@example.com is no city",
        }
        found = error_of("make a customer", 400, body, None)

        assert str(found) == (
            "Chargebee refused the request. Asked to make a customer, it answered 400 "
            "param_wrong_value (parameter billing_address[city])."
        )
        assert found.message == "jane@example.com is no city"

    @given(
        st.integers(400, 599),
        st.dictionaries(
            st.sampled_from(["api_error_code", "param", "message", "type"]),
            st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text())),
        ),
    )
    def test_no_body_breaks_it(self, status: int, body: dict[str, Any]) -> None:
        found = error_of("x", status, body, None)

        assert str(found).isprintable()
        assert "@" not in str(found)
