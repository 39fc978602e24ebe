"""One reward: how it came about, what is done with it, adjustments by hand."""

import re

from rewards_service.rewards.models import LedgerEntry
from tests.admin.money.conftest import reward_ids, statuses
from tests.admin.visitor import Visitor
from tests.builders.chargebee import refunded
from tests.builders.world import World

ENGLISH = {"Accept-Language": "en"}


class TestReward:
    def test_the_sum_can_be_redone_and_its_way_be_followed(
        self, manager: Visitor, money: World
    ) -> None:
        one = reward_ids(money)[0]
        money.receive(refunded("r1", "txn_1", 2_500))
        page = manager.get(f"/rewards/{one}", **ENGLISH).text
        plain = " ".join(re.sub(r"<[^>]+>", " ", page).split())

        assert "Reward of $15.00" in plain
        assert 'Rule "rule", version 1, gives 20 % of it: 15.00 USD.' in plain.replace("&#34;", '"')
        assert re.search(r"Earned .*? \$20\.00 \$20\.00 Taken back .*? -\$5\.00 \$15\.00", plain)
        for word in ("Payment", "Transaction", "by lead ada1@customer.example", "none yet"):
            assert word in plain
        assert "&#34;payments&#34;" in page  # the exact data

    def test_actions_are_those_of_its_status_and_can_be_taken_back(
        self, manager: Visitor, money: World
    ) -> None:
        place = f"/rewards/{reward_ids(money)[0]}"
        manager.post(f"{place}/approve")
        approved = manager.get(place).text
        assert "Take it back: put it on hold" in approved
        assert f'action="{place}/approve"' not in approved

        manager.post(f"{place}/hold", **{"hold-reason": "Who is this?"})
        held = manager.get(place).text
        assert "held by a person: Who is this?" in held
        assert "Take it back: approve again" in held
        assert f'action="{place}/release"' in held

        manager.post(f"{place}/release")
        assert statuses(money)[0] == "pending"
        manager.post(f"{place}/decline", **{"decline-reason": "Fraud"})
        declined = manager.get(place).text
        assert "Take it back" not in declined
        assert f'action="{place}' not in declined
        assert f'href="{place}/adjust"' in declined
        again = manager.post(f"{place}/approve")
        assert again.status_code == 303
        assert "cannot become approved" in manager.get(place).text

    def test_a_form_that_was_open_while_somebody_else_decided_is_answered(
        self, manager: Visitor, money: World
    ) -> None:
        place = f"/rewards/{reward_ids(money)[0]}"
        manager.post(f"{place}/decline", **{"decline-reason": "Fraud"})
        late = manager.post(f"{place}/hold", **{"hold-reason": "Who is this?"})

        assert late.status_code == 422
        assert "is declined and cannot become hold" in late.text

    def test_who_decides_the_same_second_is_told_that_nothing_was_changed(
        self, manager: Visitor, money: World
    ) -> None:
        place = f"/rewards/{reward_ids(money)[0]}"
        for reason in ("Fraud", "Sold by us"):
            manager.post(f"{place}/decline", **{"decline-reason": reason})
        page = manager.get(place).text

        assert "The reward was declined already: nothing was changed." in page
        assert "Sold by us" not in page
        place = f"/rewards/{reward_ids(money)[1]}"
        for _ in range(2):
            manager.post(f"{place}/approve")
        assert "The reward was approved already: nothing was changed." in manager.get(place).text

    def test_objections_stand_at_their_fields(self, manager: Visitor, money: World) -> None:
        place = f"/rewards/{reward_ids(money)[0]}"
        held = manager.post(f"{place}/hold", **{"hold-reason": "why", "hold-until": "2020-01-01"})
        declined = manager.post(f"{place}/decline")

        assert (held.status_code, declined.status_code) == (422, 422)
        assert re.search(r'id="hold-until-error".*?This day is over', held.text, re.S)
        assert re.search(r">\s*why</textarea>", held.text)
        assert re.search(r'id="decline-reason-error".*?Say why', declined.text, re.S)
        assert statuses(money)[0] == "pending"


class TestAdjusting:
    def entries(self, world: World) -> list[int]:
        return [row.amount_minor for row in world.all(LedgerEntry) if row.kind == "adjust"]

    def confirmation(self, page: str) -> str:
        found = re.search(r'name="confirmed" value="([^"]+)"', page)
        assert found is not None
        return found.group(1)

    def test_it_is_shown_before_it_is_posted_and_posted_once(
        self, manager: Visitor, money: World
    ) -> None:
        place = f"/rewards/{reward_ids(money)[0]}/adjust"
        wish = {"amount": "-2.50", "reason": "Goodwill"}
        preview = manager.post(place, **wish)
        assert self.entries(money) == []
        assert re.search(r"New net</th><td>\D*17\.50", preview.text)

        confirmed = self.confirmation(preview.text)
        first = manager.post(place, **wish, confirmed=confirmed)
        second = manager.post(place, **wish, confirmed=confirmed)

        assert (first.status_code, second.status_code) == (303, 200)
        assert "has changed since you looked" in second.text
        assert self.entries(money) == [-250]

    def test_beside_what_is_settled_a_new_one_carries_it(
        self, manager: Visitor, money: World
    ) -> None:
        place = f"/rewards/{reward_ids(money)[0]}/adjust"
        money.settle("paid")
        wish = {"amount": "3", "reason": "Forgotten"}
        preview = manager.post(place, **wish)
        assert "a new reward beside it" in preview.text
        done = manager.post(place, **wish, confirmed=self.confirmation(preview.text))

        assert done.headers["Location"] == f"/rewards/{reward_ids(money)[3]}"
        assert statuses(money) == ["paid", "paid", "paid", "pending"]

    def test_wrong_amounts_stand_at_their_field(self, manager: Visitor, money: World) -> None:
        place = f"/rewards/{reward_ids(money)[0]}/adjust"
        for amount in ("0", "1,000", "2.505", "", "9" * 15):
            answer = manager.post(place, amount=amount, reason="x")

            assert answer.status_code == 422
            assert 'id="amount-error"' in answer.text

    def test_only_an_owner_lets_a_partner_off_a_debt(
        self, manager: Visitor, owner: Visitor, money: World
    ) -> None:
        """DOMAIN V4."""
        money.settle("paid")
        money.receive(refunded("r1", "txn_1", 10_000))
        debt = f"/rewards/{reward_ids(money)[3]}"
        refused = manager.post(f"{debt}/decline", **{"decline-reason": "let them"})
        done = owner.post(f"{debt}/decline", **{"decline-reason": "let them"})

        assert (refused.status_code, done.status_code) == (422, 303)
        assert "stands at -20.00 USD: the partner owes it. A write-off takes an" in refused.text
        assert statuses(money)[3] == "declined"
