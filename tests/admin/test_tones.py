"""How the statuses of all things are shown."""

from rewards_service.admin.money.names import HOLDS
from rewards_service.admin.tones import _SAID, worded
from rewards_service.rewards.reasons import OF_RULES


class TestWorded:
    def test_a_status_is_said_without_the_signs_of_its_name(self) -> None:
        assert worded("in_payout") == "in payout"

    def test_a_reason_that_says_too_little_by_its_name_has_words_of_its_own(self) -> None:
        assert worded("parked_missing_parent") == "waits for its invoice"
        assert set(_SAID) <= {*OF_RULES, *HOLDS, "rate_missing"}
