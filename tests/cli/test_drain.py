from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from rewards_service.transactions.models import RewardDue
from tests.cli.conftest import Rewards, read
from tests.reports.books import Books, payment


@pytest.fixture
def books(engine: Engine, settings: Settings) -> Iterator[Books]:
    books = Books(engine, settings)
    books.add_lead(books.add_partner("First"), "ada@customer-one.example")
    yield books
    books.close()


class TestDrain:
    def test_works_off_everything_without_a_worker(self, rewards: Rewards, books: Books) -> None:
        books.send([payment(1), {**payment(2), "content": {"transaction": None}}])

        answer = rewards("drain", "--json")

        assert answer.exit_code == 0
        assert read(answer) == {"pending": 0, "dead": 0, "quarantined": 1}
        assert rewards("check").exit_code == 0

    def test_what_another_worker_has_is_waited_for_until_the_time_is_over(
        self, rewards: Rewards, books: Books
    ) -> None:
        books.send([payment(1)])
        books.change("UPDATE received_events SET lease_until = '2099-01-01 00:00:00.000000'")

        answer = rewards("drain", "--timeout", "0.1", "--json")

        assert answer.exit_code == 1
        assert read(answer)["pending"] == 1

    def test_dead_rewards_and_events_are_not_waited_for(
        self, rewards: Rewards, books: Books
    ) -> None:
        books.send([payment(1), payment(2)])
        books.change("UPDATE received_events SET state = 'dead' WHERE event_id = 'ev_pay1'")
        with transaction(books.engine) as session:
            session.add(
                RewardDue(integration_id=books.integration_id, invoice_id="inv9", dead=True)
            )

        answer = rewards("drain", "--json")

        assert answer.exit_code == 0
        assert read(answer) == {"pending": 0, "dead": 2, "quarantined": 0}

    def test_nothing_to_do_is_done_at_once(self, rewards: Rewards) -> None:
        assert rewards("drain", "--timeout", "0").exit_code == 0
