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


class TestReplay:
    def test_without_verify_it_tells_what_was_rebuilt(self, rewards: Rewards, books: Books) -> None:
        answer = rewards("replay")

        assert answer.exit_code == 0
        assert "Rebuilt 1 rewards from 1 events." in answer.stdout
        assert "9.00 USD" in answer.stdout

    def test_sound_books_are_exit_status_0(self, rewards: Rewards, books: Books) -> None:
        answer = rewards("replay", "--verify")

        assert (answer.exit_code, "No difference." in answer.stdout) == (0, True)

    def test_a_difference_is_exit_status_1_and_named(self, rewards: Rewards, books: Books) -> None:
        books.change("UPDATE rewards SET available_on = '2030-01-01'")
        people = rewards("replay", "--verify")
        machines = rewards("replay", "--verify", "--json")
        found = read(machines)

        assert (people.exit_code, machines.exit_code) == (1, 1)
        assert "DIFFERS  reward" in people.stdout
        assert (found["ok"], found["count"]) == (False, 1)
        (difference,) = found["differences"]
        assert set(difference) == {"kind", "key", "live", "replayed"}
        assert difference["live"]["available_on"] == "2030-01-01"

    def test_one_event_is_tried_and_nothing_kept(self, rewards: Rewards, books: Books) -> None:
        before = read(rewards("digest", "--json"))
        done = rewards("replay", "--event", "ev_pay1", "--json")

        assert done.exit_code == 0
        assert read(done)["before"] == read(done)["after"]
        assert read(done)["rewards"] == []
        assert read(rewards("digest", "--json")) == before

    def test_an_unknown_event_is_refused(self, rewards: Rewards, books: Books) -> None:
        assert rewards("replay", "--event", "ev_none").exit_code == 1
        assert rewards("replay", "--event", "ev_pay1", "--verify").exit_code == 2
