from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from rewards_service.kit import ids
from rewards_service.settings import Settings
from tests.cli.conftest import Rewards, read
from tests.reports.books import Books, payment

RULE = ids.encode("rul", 1)
SINCE = ("--from", "2020-01-01")


@pytest.fixture
def books(engine: Engine, settings: Settings) -> Iterator[Books]:
    books = Books(engine, settings)
    books.add_lead(books.add_partner("First"), "ada@customer-one.example")
    books.play([payment(1)])
    yield books
    books.close()


class TestPreviewRule:
    def test_tells_people_and_machines_what_the_draft_costs(
        self, rewards: Rewards, books: Books
    ) -> None:
        """DOMAIN A12: 9.00 are earned now, a flat 20.00 would be."""
        change = '{"kind": "flat", "rate": null, "amounts": {"USD": 2000}}'
        people = rewards("preview-rule", RULE, change, *SINCE)
        found = read(rewards("preview-rule", RULE, change, *SINCE, "--json"))

        assert people.exit_code == 0
        for words in ("First", "9.00 USD", "20.00 USD", "11.00 USD", "1 invoices"):
            assert words in people.stdout
        assert found["rule_id"] == RULE
        assert found["totals"] == [
            {
                "currency": "USD", "current_minor": 900, "draft_minor": 2_000, "others_minor": 0,
                "difference_minor": 1_100,
            }
        ]  # fmt: skip

    def test_changes_nothing(self, rewards: Rewards, books: Books) -> None:
        before = read(rewards("digest", "--json"))
        assert rewards("preview-rule", RULE, '{"rate": "0.5"}', *SINCE).exit_code == 0
        assert read(rewards("digest", "--json")) == before

    @pytest.mark.parametrize(
        ("rule", "change", "status"),
        [
            ("rul_no", '{"rate": "0.5"}', 1),
            (ids.encode("rul", 99), '{"rate": "0.5"}', 1),
            (RULE, "half", 2),
            (RULE, '{"rate": "2"}', 2),
            (RULE, '{"rate": "0.5", "tiers": null, "kind": "flat"}', 1),
        ],
    )
    def test_what_is_no_rule_is_refused_with_a_word(
        self, rule: str, change: str, status: int, rewards: Rewards, books: Books
    ) -> None:
        answer = rewards("preview-rule", rule, change)

        assert answer.exit_code == status
        assert answer.stderr
        assert "Traceback" not in answer.output
