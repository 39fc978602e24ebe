"""`rewards erase-person` and `rewards purge` as people run them."""

import pytest

from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.cli.conftest import Rewards, read

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class TestErasePerson:
    def test_it_says_what_it_would_do_then_does_it(self, rewards: Rewards, world: World) -> None:
        world.lead("ada@buyer.example", world.partner())
        world.receive(paid("1", "cb_1", "ada@buyer.example"))

        dry = read(rewards("erase-person", "ADA@buyer.example", "--dry-run", "--json"))
        done = read(rewards("erase-person", "ADA@buyer.example", "--json"))

        assert (dry["dry_run"], done["dry_run"], done["left"]) == (True, False, [])
        assert dry["changed"]["leads"] == done["changed"]["leads"] == 1
        assert rewards("check").exit_code == 0
        assert "Nobody" in rewards("erase-person", "nobody@nowhere.example").output

    def test_what_is_no_address_is_refused(self, rewards: Rewards) -> None:
        answer = rewards("erase-person", "ada")

        assert answer.exit_code == 1
        assert "no e-mail address" in answer.output


class TestPurge:
    def test_it_tells_what_it_did(self, rewards: Rewards) -> None:
        found = read(rewards("purge", "--json"))

        assert (found["days"], found["bodies"], found["deliveries"]) == (0, 0, 0)
        assert "RETAIN_BODIES_DAYS" in rewards("purge").output
        assert read(rewards("purge", "--json", RETAIN_BODIES_DAYS="30"))["days"] == 30
