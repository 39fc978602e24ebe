"""Two streams paired in the order of time, and sums that stay within a currency."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rewards_service.chargebee.errors import Garbled
from rewards_service.chargebee.resources import TRANSACTION
from rewards_service.reconciliation.merging import merge
from rewards_service.reconciliation.sides import Side, Sums

START = datetime(2026, 1, 1, tzinfo=UTC)
DATES = some.dictionaries(some.integers(0, 30), some.integers(0, 8))  # id -> second


def side(key: int, second: int = 0, amount: int = 1, **facts: object) -> Side:
    whole = {"kind": "payment", "status": "success", "amount_minor": amount, "currency": "USD",
             "deleted": False} | facts  # fmt: skip
    return Side(TRANSACTION, str(key), START + timedelta(seconds=second), 1, b"", whole)


def stream(dates: dict[int, int], falling: bool) -> list[Side]:
    """In the order of dates; within a second, ids rise or fall."""
    return [
        side(key, second)
        for second, keys in groupby(sorted(dates, key=lambda k: (dates[k], k)), key=dates.get)
        for key in sorted(keys, reverse=falling)
        if second is not None
    ]


class TestMerge:
    @given(there=DATES, here=DATES)
    def test_pairs_what_has_id_and_second_in_common(
        self, there: dict[int, int], here: dict[int, int]
    ) -> None:
        seconds = list(merge(stream(there, True), stream(here, False)))

        assert [one.dated_at for one in seconds] == sorted({one.dated_at for one in seconds})
        found = {
            (pair.there and pair.there.external_id, pair.here and pair.here.external_id)
            for one in seconds
            for pair in one.pairs
        }
        both = {key for key in there if here.get(key) == there[key]}
        assert found == (
            {(str(key), str(key)) for key in both}
            | {(str(key), None) for key in there.keys() - both}
            | {(None, str(key)) for key in here.keys() - both}
        )

    def test_a_list_out_of_order_is_refused(self) -> None:
        with pytest.raises(Garbled):
            list(merge([side(1, 5), side(2, 4)], []))


class TestSums:
    def test_only_money_that_moved_counts_each_currency_by_itself(self) -> None:
        sums = Sums()
        sums.add(side(1, amount=2**62), side(1, amount=2**62))
        sums.add(side(2, amount=2**62), None)
        sums.add(side(3, amount=5, currency="JPY"), side(3, amount=5, currency="JPY"))
        sums.add(side(4, status="failure"), side(4, deleted=True))

        again = Sums(sums.rows())

        assert again.rows() == [
            {"line": "payments", "currency": "JPY", "there_count": 1, "there_minor": 5,
             "here_count": 1, "here_minor": 5, "difference_minor": 0},
            {"line": "payments", "currency": "USD", "there_count": 2, "there_minor": 2**63,
             "here_count": 1, "here_minor": 2**62, "difference_minor": 2**62},
        ]  # fmt: skip
