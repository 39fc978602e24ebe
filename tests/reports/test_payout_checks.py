"""Whatever makes payouts, rewards and the ledger disagree is found by `rewards check`."""

import pytest
from sqlalchemy import Engine

from rewards_service.reports import payout_checks
from rewards_service.settings import Settings
from tests.payouts.books import Books

# What a stray hand changes -> the checks that find it.
TAMPERING = {
    "UPDATE payouts SET total_minor = 999, pay_total_minor = 999 WHERE status = 'draft'":
        {"payouts", "payout_accounts"},
    "UPDATE payouts SET line_count = 7 WHERE status = 'draft'": {"payouts"},
    "UPDATE payout_lines SET pay_amount_minor = 1 WHERE pay_amount_minor = 300": {"payouts"},
    "UPDATE payout_lines SET amount_minor = 299 WHERE amount_minor = 300": {"payouts"},
    "UPDATE payout_lines SET active = false WHERE amount_minor = 300": {"payout_statuses"},
    "UPDATE payouts SET status = 'ready' WHERE status = 'draft'": {"payout_statuses"},
    "UPDATE payouts SET status = 'cancelled' WHERE status = 'draft'":
        {"payout_statuses", "payout_accounts"},
    "UPDATE payouts SET partner_id = 2 WHERE status = 'draft'":
        {"payout_statuses", "payout_accounts"},
    "UPDATE payouts SET currency = 'EUR', pay_currency = 'EUR' WHERE status = 'draft'":
        {"payout_statuses", "payout_accounts"},
    "UPDATE payout_lines SET payout_id = 2, pay_amount_minor = amount_minor WHERE payout_id = 1":
        {"payouts", "payout_statuses"},
    "INSERT INTO payout_lines (id, payout_id, reward_id, amount_minor, pay_amount_minor, active) "
    "SELECT 99, 3, reward_id, 1, 1, false FROM payout_lines WHERE payout_id = 1":
        {"payouts", "payout_statuses", "payouts_once"},
}  # fmt: skip


@pytest.fixture
def books(engine: Engine, settings: Settings) -> Books:
    """Ann has been paid, has a draft, and a payout that was given up; Bob has nothing."""
    books = Books(engine, settings)
    ann, _ = books.partner("Ann"), books.partner("Bob")
    first = books.reward(ann, 1_000)
    books.pay(books.payout())
    books.take_back(first, 100)
    books.reward(ann, 300)
    books.cancel(books.payout())
    books.payout()
    return books


class TestPayoutChecks:
    def test_what_the_service_wrote_breaks_nothing(self, books: Books) -> None:
        assert books.violations() == {}

    def test_every_check_finds_something(self) -> None:
        found = set().union(*TAMPERING.values())

        assert found == {invariant.id for invariant in payout_checks.INVARIANTS}

    def test_tampering_is_found(self, books: Books) -> None:
        """DOMAIN V6, V8; partner-programs 3, pains 11 and 12."""
        missed = {}
        for statement, expected in TAMPERING.items():
            with books.tampered(statement):
                found = set(books.violations())
            if found != expected:
                missed[statement] = (expected, found)

        assert missed == {}
        assert books.violations() == {}

    def test_a_reward_paid_without_payout_is_found(self, books: Books) -> None:
        """DOMAIN V6: nothing is paid that is in no payout."""
        ann = books.partner("Cay")
        reward = books.reward(ann, 50)
        books.change_status(reward, "in_payout")
        books.change_status(reward, "paid")

        assert set(books.violations()) == {"payout_statuses", "payout_accounts"}
