"""The validators that other tests lean on do refuse what does not fit."""

from typing import Any

import pytest

from tests.simulator.schemas import wrong_answer, wrong_object, wrong_webhook


class TestWrongObject:
    @pytest.mark.parametrize(
        "invoice",
        [
            {"id": "1", "customer_id": "c"},
            {"id": "1", "customer_id": "c", "currency_code": "USD", "total": -1},
            {"id": "1", "customer_id": "c", "currency_code": "USD", "status": "lost"},
            {
                "id": "1",
                "customer_id": "c",
                "currency_code": "USD",
                "line_items": [{"amount": "1"}],
            },
        ],
    )
    def test_what_does_not_fit_is_named(self, invoice: dict[str, Any]) -> None:
        assert len(wrong_object("Invoice", invoice)) == 1


class TestWrongAnswer:
    def test_an_error_needs_its_code(self) -> None:
        assert wrong_answer("GET", "/customers/x", 404, {"message": "gone"}) != []

    def test_a_path_that_nobody_described_is_named(self) -> None:
        assert wrong_answer("GET", "/nowhere", 200, {}) == ["GET /nowhere is not described"]

    def test_a_list_needs_its_list(self) -> None:
        assert wrong_answer("GET", "/customers", 200, {}) != []


class TestWrongWebhook:
    def test_the_content_of_its_type_is_looked_at(self) -> None:
        event = {
            "id": "ev_1", "occurred_at": 1, "source": "api", "object": "event",
            "api_version": "v2", "event_type": "customer_created", "content": {"customer": {}},
        }  # fmt: skip

        assert len(wrong_webhook(event)) == 1
