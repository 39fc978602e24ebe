"""What is said of a site: the worst first, in a word."""

from typing import Any

import pytest

from rewards_service.admin.connect.standing import findings, standing

WELL = {
    "last_event_at": "now", "failed_24h": 0, "oldest_pending_s": None,
    "webhook": {"silent_since": None}, "polling": {"state": "well", "problem": None},
}  # fmt: skip


def one(mode: str = "live", warnings: tuple[str, ...] = (), **health: Any) -> dict[str, Any]:
    told = [{"code": "x", "detail": text} for text in warnings]
    return {"mode": mode, "warnings": told, "health": {**WELL, **health}}


class TestStanding:
    @pytest.mark.parametrize(
        ("site", "word"),
        [
            (one(), "working"),
            (one(last_event_at=None), "waits for events"),
            (one("observe"), "observing"),
            (one("off", failed_24h=3), "off"),
            (one(failed_24h=3), "events failed"),
            (one("observe", failed_24h=3), "events failed"),
            (one(oldest_pending_s=301), "events wait"),
            (one(oldest_pending_s=300), "working"),
            (one(warnings=("API version 1",)), "look at it"),
            (one(polling={"state": "failing", "problem": {"detail": "401"}}), "cannot be read"),
            (one(polling={"state": "no_api_key", "problem": {"detail": "401"}}), "working"),
            (one(failed_24h=1, webhook={"silent_since": "then"}), "webhook silent"),
        ],
    )
    def test_the_worst_has_the_word(self, site: dict[str, Any], word: str) -> None:
        assert standing(site)[0] == word

    def test_each_thing_is_told(self) -> None:
        site = one(failed_24h=1, webhook={"silent_since": "then"}, warnings=("Look.",))
        assert [item.level for item in findings(site)] == ["danger", "warning", "warning"]
