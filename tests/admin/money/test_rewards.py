"""The queue of review, and one decision on many rewards."""

import re
from typing import Any

from rewards_service.admin.money import names
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.partners.models import Partner
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction
from tests.admin.conftest import Enter
from tests.admin.money.conftest import HOSTILE, reward_ids, statuses
from tests.admin.visitor import Visitor
from tests.builders.world import World

ENGLISH = {"Accept-Language": "en"}


def shown(page: str) -> list[str]:
    """The ids of the rewards in a list, in its order."""
    return list(dict.fromkeys(re.findall(r'href="/rewards/(rew_\w+)"', page)))


class TestQueue:
    def test_filters_and_tabs_stand_in_the_address_and_in_that_of_the_file(
        self, manager: Visitor, money: World
    ) -> None:
        one, two, three = reward_ids(money)
        manager.post("/rewards", ids=[two], action="approve")
        pending = manager.get("/rewards?status=pending&currency=USD").text

        assert shown(manager.get("/rewards").text) == [three, two, one]
        assert shown(pending) == [three, one]
        assert 'href="/files/rewards?currency=USD&amp;status=pending"' in pending
        assert 'href="/rewards?currency=USD&amp;status=approved"' in pending
        assert shown(manager.get("/rewards?status=paid").text) == []
        tomorrow = "2090-01-01"
        assert shown(manager.get(f"/rewards?created_at[gte]={tomorrow}").text) == []
        before = manager.get(f"/rewards?created_at[lt]={tomorrow}").text
        assert len(shown(before)) == 3
        assert f"/files/rewards?created_at%5Blt%5D={tomorrow}T00%3A00%3A00" in before
        for broken in ("created_at[gte]=soon", "customer_id=1", "chargebee_invoice_id=none"):
            answer = manager.get(f"/rewards?{broken}")
            assert (answer.status_code, shown(answer.text)) == (200, [])

    def test_the_search_leads_to_a_reward_or_limits_the_list(
        self, manager: Visitor, money: World
    ) -> None:
        one, two, _ = reward_ids(money)
        first = sorted(money.all(Transaction), key=lambda row: row.id)[0]
        reward = money.get(Reward, ids.decode("rew", one) or 0)
        direct = manager.get(f"/rewards?search={two}")
        places = {
            word: manager.get(f"/rewards?status=pending&search={word}").headers["Location"]
            for word in ("ANN@partner.example", "ada1@customer.example", "cb1", reward.invoice_id,
                         first.chargebee_transaction_id, ids.encode("txn", first.id))
        }  # fmt: skip

        assert direct.headers["Location"] == f"/rewards/{two}"
        assert "partner_id=par_" in places["ANN@partner.example"]
        assert "status=pending" in places["ANN@partner.example"]
        assert len(shown(manager.get(places["ANN@partner.example"]).text)) == 3
        for word in set(places) - {"ANN@partner.example"}:
            assert shown(manager.get(places[word]).text) == [one], word
        for nothing in ("nobody@nowhere.example", "rew_0", "'--"):
            answer = manager.get(f"/rewards?search={nothing}")
            assert (answer.status_code, shown(answer.text)) == (200, [])

    def test_a_limit_without_a_field_can_be_seen_and_lifted(
        self, manager: Visitor, money: World
    ) -> None:
        few = manager.get("/rewards?search=ann@partner.example", **ENGLISH).headers["Location"]
        assert re.search(r'<option value="par_\w+" selected>Ann<', manager.get(few).text)
        with transaction(money.engine) as session:
            session.add_all(
                Partner(name="Other", email=f"{one}@x.example", status="active")
                for one in range(names.MOST_IN_A_MENU)
            )
        page = manager.get(f"{few}&status=pending").text

        assert '<option value="par_' not in page
        assert re.search(r'class="chip".*?Partner.*?Ann.*?href="/rewards\?status=pending"', page)
        assert re.search(r'type="hidden" name="partner_id" value="par_\w+"', page)

    def test_names_from_outside_are_shown_harmlessly(self, manager: Visitor, money: World) -> None:
        with money.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE partners SET name = ?", (HOSTILE,))
        for path in ("/rewards", f"/rewards/{reward_ids(money)[0]}"):
            page = manager.get(path).text

            assert "<bdi>&lt;b&gt;Ann&lt;/b&gt;\u202e &amp; Co</bdi>" in page
            assert "<b>Ann" not in page

    def test_who_may_only_look_sees_no_buttons(self, enter: Enter, money: World) -> None:
        viewer, (one, *_) = enter("viewer"), reward_ids(money)

        for path in ("/rewards", f"/rewards/{one}"):
            page = viewer.get(path).text
            assert one in page
            assert not re.search(
                r"Approve</button>|Decline<|Decline…|Hold</|name=\"ids\"|/adjust", page
            )
        assert viewer.post("/rewards", ids=[one], action="approve").status_code == 403
        assert viewer.post(f"/rewards/{one}/approve").status_code == 403
        assert statuses(money)[0] == "pending"


class TestBulk:
    def test_many_are_approved_and_held_at_once(self, manager: Visitor, money: World) -> None:
        one, two, three = reward_ids(money)
        approved = manager.post("/rewards?status=pending", ids=[one, two], action="approve")
        manager.post("/rewards", ids=[three], action="hold", reason="new customer?")

        assert approved.headers["Location"] == "/rewards?status=pending"
        page = manager.get("/rewards").text
        assert "2 rewards approved." in page
        assert statuses(money) == ["approved", "approved", "hold"]
        # Both moves can be taken back where each is the same for all.
        undone = dict(re.findall(r'name="(action|reason)" value="([^"]+)"', page))
        for action in ("hold", "release"):
            assert f'name="action" value="{action}"' in page
        manager.post("/rewards", ids=[three], **{**undone, "action": "release"})
        assert statuses(money) == ["approved", "approved", "pending"]
        manager.get("/rewards")  # the messages until now are read
        manager.post("/rewards", ids=[one, three], action="approve")
        page = manager.get("/rewards").text
        assert "1 reward approved; 1 was so already." in page
        assert 'class="undo"' not in page

    def test_to_hold_needs_a_reason_and_the_choice_is_kept(
        self, manager: Visitor, money: World
    ) -> None:
        one, two, _ = reward_ids(money)
        answer = manager.post("/rewards?currency=USD", ids=[one, two], action="hold", reason=" ")

        assert answer.status_code == 422
        assert "needs a reason" in answer.text
        assert len(re.findall(r"data-pick checked", answer.text)) == 2
        assert 'value="USD" selected' in answer.text
        assert manager.post("/rewards", action="approve").status_code == 422
        assert manager.post("/rewards", ids=["rew_1"], action="approve").status_code == 422
        assert manager.post("/rewards", ids=[one], action="pay").status_code == 422
        assert statuses(money) == ["pending"] * 3

    def test_to_decline_says_what_is_lost_and_asks_once_more(
        self, manager: Visitor, money: World
    ) -> None:
        one, two, _ = reward_ids(money)
        wish: dict[str, Any] = {"ids": [one, two], "action": "decline", "reason": "Duplicate <1>"}
        asked = manager.post("/rewards?status=pending", **wish)

        assert asked.status_code == 200
        assert "$40.00" in manager.post("/rewards", **wish).text
        assert "Duplicate &lt;1&gt;" in asked.text
        assert statuses(money) == ["pending"] * 3

        done = manager.post("/rewards?status=pending", **wish, confirmed="yes")
        assert done.headers["Location"] == "/rewards?status=pending"
        assert statuses(money) == ["declined", "declined", "pending"]

    def test_what_one_is_refused_does_not_stop_the_others_and_is_told(
        self, manager: Visitor, money: World
    ) -> None:
        one, two, three = reward_ids(money)
        manager.post("/rewards", ids=[two], action="decline", reason="no", confirmed="yes")
        answer = manager.post("/rewards", ids=[one, two, three], action="approve")

        assert statuses(money) == ["approved", "declined", "approved"]
        assert "1 was refused; 2 rewards approved." in answer.text
        assert re.search(rf"{two}.*?refused.*?is declined and cannot become", answer.text, re.S)
