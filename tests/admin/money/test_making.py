"""Payouts made by hand, and by schedules."""

import re

from rewards_service.kit import ids
from rewards_service.payouts.models import Payout, PayoutSchedule
from tests.admin.money.conftest import statuses
from tests.admin.money.payouts import TODAY, confirmed, only, plain
from tests.admin.visitor import Visitor
from tests.builders.world import World


class TestMaking:
    def test_what_would_be_made_is_shown_and_made_once(self, finance: Visitor, due: World) -> None:
        wish = {"currency": "USD", "cut_off": TODAY, "partner": "ann@partner.example"}
        preview = finance.post("/payouts/make", **wish)
        assert due.all(Payout) == []
        assert re.search(r"Ann 3 \S*60\.00 \S*60\.00", plain(preview.text))

        first = finance.post("/payouts/make", **wish, confirmed=confirmed(preview.text))
        second = finance.post("/payouts/make", **wish, confirmed=confirmed(preview.text))

        assert first.headers["Location"] == f"/payouts/{ids.encode('pay', 1)}"
        assert "has changed since you looked" in second.text
        assert "Nothing would be made" in second.text
        assert only(due, Payout).total_minor == 6_000
        assert statuses(due) == ["in_payout"] * 3

    def test_who_is_left_out_is_told(self, finance: Visitor, due: World) -> None:
        page = finance.post("/payouts/make", currency="USD", cut_off=TODAY, threshold="60.01").text

        assert "Less than the least amount." in page
        assert due.all(Payout) == []

    def test_objections_stand_at_their_fields(self, finance: Visitor, due: World) -> None:
        wish = {"currency": "USD", "cut_off": TODAY}
        for field, value in (
            ("cut_off", "soon"), ("partner", "nobody"), ("threshold", "1,500"), ("threshold", "-1"),
            ("currency", "XXXX"),
        ):  # fmt: skip
            answer = finance.post("/payouts/make", **{**wish, field: value})
            assert answer.status_code == 422
            assert f'id="{field}-error"' in answer.text


class TestSchedules:
    def test_made_changed_and_ended(self, finance: Visitor, due: World) -> None:
        wish = {"kind": "monthly", "day": "5", "program_id": ids.encode("prg", due.program),
                "thresholds": "EUR 50.00\njpy 100", "enabled": "y"}  # fmt: skip
        assert finance.post("/payouts/schedules", **wish).status_code == 303
        made = only(due, PayoutSchedule)
        assert (made.day, made.program_id, made.enabled) == (5, due.program, True)
        assert made.thresholds == {"EUR": 5_000, "JPY": 100}
        place = f"/payouts/schedules/{ids.encode('sch', made.id)}"
        page = finance.get(place).text
        assert "Every month, on day 5" in page
        assert re.search(r"50\.00 EUR\n100 JPY</textarea>", page)
        finance.post(place, **{**wish, "kind": "quarterly", "program_id": "", "enabled": ""})
        changed = only(due, PayoutSchedule)
        assert (changed.kind, changed.program_id) == ("quarterly", None)
        finance.post(f"{place}/delete")

        assert due.all(PayoutSchedule) == []
        assert finance.get(place).status_code == 404

    def test_objections_stand_at_their_fields(self, finance: Visitor, due: World) -> None:
        for field, value in (
            ("day", "29"), ("day", "1_0"), ("day", "１２"),
            ("thresholds", "50"), ("thresholds", "EUR 5\nEUR 6"),
            ("thresholds", "EUR x"), ("program_id", "prg_0"),
        ):  # fmt: skip
            wish = {"kind": "monthly", "day": "1", field: value}
            answer = finance.post("/payouts/schedules", **wish)
            assert answer.status_code == 422
            assert f'id="{field}-error"' in answer.text
        alone = finance.post("/payouts/schedules", kind="threshold", day="1")
        assert 'id="thresholds-error"' in alone.text
        assert due.all(PayoutSchedule) == []
