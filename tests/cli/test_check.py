from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.cli.conftest import Rewards, read
from tests.reports.books import Books, payment


@pytest.fixture
def books(engine: Engine, settings: Settings) -> Iterator[Books]:
    books = Books(engine, settings)
    books.add_lead(books.add_partner("First"), "ada@customer-one.example")
    books.play([payment(1)])
    yield books
    books.close()


class TestCheck:
    def test_sound_books_are_exit_status_0(self, rewards: Rewards, books: Books) -> None:
        answer = rewards("check")

        assert answer.exit_code == 0
        assert "checks hold" in answer.output

    def test_a_violation_is_exit_status_1_and_named(self, rewards: Rewards, books: Books) -> None:
        books.change("UPDATE transactions SET amount_minor = 1")

        answer = rewards("check")

        assert answer.exit_code == 1
        assert "BROKEN  transaction_money" in answer.output
        assert "txn_" in answer.output

    def test_json_is_the_contract(self, rewards: Rewards, books: Books) -> None:
        good = read(rewards("check", "--json"))
        books.change("UPDATE transactions SET amount_minor = 1")
        bad = rewards("check", "--json")

        assert good["ok"] is True
        assert all({"id", "ok", "violations"} <= set(check) for check in good["checks"])
        assert bad.exit_code == 1
        broken = [check for check in read(bad)["checks"] if not check["ok"]]
        assert [check["id"] for check in broken] == ["transaction_money"]
        assert set(broken[0]["violations"][0]) == {"id", "detail"}
