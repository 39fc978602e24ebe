"""Which of two payments stands first where both could have the lead (pure)."""

from typing import Any

import pytest

from rewards_service.crm.attribution import resolve
from rewards_service.crm.matching import Payer
from tests.builders.chargebee import at
from tests.crm.claims import claim, lead

SAME: dict[str, Any] = {"transaction_id": "txn", "occurred_at": at(9), "event_id": "ev"}


class TestPlace:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"paid_at": at(1), "transaction_id": "b"}, {"paid_at": at(2), "transaction_id": "a"}),
            ({"transaction_id": "a", "occurred_at": at(9)},
             {"transaction_id": "b", "occurred_at": at(8)}),
            ({"occurred_at": at(8), "event_id": "b"}, {"occurred_at": at(9), "event_id": "a"}),
            ({"event_id": "a", "payer": Payer(1, "cb2")},
             {"event_id": "b", "payer": Payer(1, "cb1")}),
            ({"payer": Payer(1, "cb1")}, {"payer": Payer(1, "cb2")}),
        ],
    )  # fmt: skip
    def test_the_date_decides_then_chargebees_ids_and_times(
        self, first: dict[str, Any], second: dict[str, Any]
    ) -> None:
        """DOMAIN M17, A4: by (date, Chargebee id), so that any order of arrival ends the same."""
        one = claim(2, "cb1")._replace(**{**SAME, **first})
        other = claim(1, "cb2")._replace(**{**SAME, **second})

        for arrived in ([one, other], [other, one]):
            owner, _ = resolve(arrived, [lead(1)], [], []).converted[1]
            assert owner.made_by == one
