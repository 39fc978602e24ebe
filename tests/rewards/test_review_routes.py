"""The review of rewards over HTTP."""

from typing import Any

import pytest

from rewards_service.kit.ids import encode
from tests.builders.api import Caller, Json
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

EMAIL = "eve@buyer.example"
NOBODY = encode("rew", 999)


@pytest.fixture
def books(world: World) -> World:
    """A reward of 20.00 for a payment of 100.00."""
    world.lead(EMAIL, world.partner())
    world.receive(paid("1", "cb1", EMAIL, 10_000))
    return world


def listed(api: Caller, **query: Any) -> list[Json]:
    return list(api.get("/rewards", **query)["data"])


def only(api: Caller) -> Json:
    (found,) = listed(api)
    return found


def post(api: Caller, path: str, status: int = 200, key: str | None = None, **body: Any) -> Json:
    answer = api.call("POST", path, key=key, json=body)
    assert answer.status_code == status, answer.text
    found: Json = answer.get_json()
    return found


class TestDecisions:
    def test_a_reward_is_held_released_approved_and_declined(
        self, api: Caller, books: World
    ) -> None:
        """DOMAIN V2."""
        path = f"/rewards/{only(api)['id']}"
        held = post(api, f"{path}/hold", reason="is it theirs?", until="2150-01-31")
        shown = [held[name] for name in ("status", "hold_reason", "hold_until_on")]
        assert shown == ["hold", "by_hand", "2150-01-31"]
        assert post(api, f"{path}/release")["status"] == "pending"
        approved = post(api, f"{path}/approve", reason="checked")
        assert (approved["status"], approved["hold_reason"]) == ("approved", None)
        assert approved["amount_minor"] == 2_000
        declined = post(api, f"{path}/decline", reason="fraud")
        assert declined == only(api)
        assert (declined["status"], len(declined["entries"])) == ("declined", 1)

    def test_kiflo_calls_it_accepted(self, api: Caller, books: World) -> None:
        """DOMAIN V2: Accepted = approved; partner-programs 1, K-117."""
        post(api, f"/rewards/{only(api)['id']}/approve")

        assert listed(api, status="accepted") == listed(api, status="approved") == listed(api)

    def test_a_body_is_needed_only_where_a_reason_is(self, api: Caller, books: World) -> None:
        path = f"/rewards/{only(api)['id']}"

        assert api.call("POST", f"{path}/approve").get_json()["status"] == "approved"
        assert api.call("POST", f"{path}/approve").status_code == 200
        assert api.call("POST", f"{path}/hold").status_code == 415
        for action in ("hold", "decline", "adjust"):
            assert "/reason" in api.pointers("POST", f"{path}/{action}")

    def test_an_unlawful_move_says_what_is_possible(self, api: Caller, books: World) -> None:
        """DOMAIN V2."""
        path = f"/rewards/{only(api)['id']}"
        post(api, f"{path}/decline", reason="fraud")
        problem = api.refused("POST", f"{path}/approve", 409)

        assert problem["code"] == "unlawful_move"
        assert problem["detail"].endswith(
            "cannot become approved. Possible from declined: nothing."
        )

    def test_reading_does_not_suffice(self, api: Caller, books: World) -> None:
        reader = api.make_key(["rewards:read"])

        post(api, f"/rewards/{only(api)['id']}/approve", 403, reader)


class TestBulk:
    def test_each_has_its_result(self, api: Caller, books: World) -> None:
        books.receive(paid("2", "cb1", EMAIL, 10_000))
        first, second = (item["id"] for item in listed(api))
        post(api, f"/rewards/{first}/decline", reason="fraud")
        ids = [first, NOBODY, second]
        results = post(api, "/rewards/bulk", ids=ids, action="approve")["results"]

        shown = [(r["id"], r["ok"], r["status"], r["code"]) for r in results]
        assert shown == [
            (first, False, "declined", "unlawful_move"),
            (NOBODY, False, None, "not_found"),
            (second, True, "approved", None),
        ]
        assert results[0]["detail"].startswith(f"Reward {first} is declined")

    def test_the_order_is_checked_as_a_whole(self, api: Caller, books: World) -> None:
        key = only(api)["id"]
        pointers = api.pointers

        assert pointers("POST", "/rewards/bulk", ids=[key], action="hold") == ["/reason"]
        assert pointers("POST", "/rewards/bulk", ids=[], action="approve") == ["/ids"]
        assert pointers("POST", "/rewards/bulk", ids=[key] * 201, action="approve") == ["/ids"]
        assert pointers("POST", "/rewards/bulk", ids=[key], action="pay") == ["/action"]


class TestAdjust:
    def test_the_sum_of_all_entries_is_the_amount(self, api: Caller, books: World) -> None:
        """DOMAIN V1: what the API shows is the sum of entries, a person's among them."""
        path = f"/rewards/{only(api)['id']}"
        found = post(api, f"{path}/adjust", amount_minor=-300, reason="double")

        assert found["amount_minor"] == 1_700
        assert [(e["kind"], e["amount_minor"], e["reason"]) for e in found["entries"]] == [
            ("earn", 2_000, None), ("adjust", -300, "double"),
        ]  # fmt: skip
        assert found["entries"][1]["actor"].startswith("key:")
        text = api.get(f"{path}/explanation")["text"]
        assert text.endswith("Adjusted by hand by -3.00 USD: double")
        assert api.pointers("POST", f"{path}/adjust", amount_minor=0, reason="x") == [
            "/amount_minor"
        ]

    def test_a_debt_is_written_off_by_an_admin_only(self, api: Caller, books: World) -> None:
        """DOMAIN V4."""
        books.settle("paid")
        books.receive(refunded("r", "txn_1", 5_000))
        path = f"/rewards/{listed(api)[1]['id']}"
        writer = api.make_key(["rewards:write"])

        problem = post(api, f"{path}/adjust", 403, writer, amount_minor=1_000, reason="lost case")
        assert problem["code"] == "write_off_needs_admin"
        post(api, f"{path}/decline", 403, writer, reason="lost case")
        found = post(api, f"{path}/adjust", amount_minor=1_000, reason="lost case")
        assert (found["status"], found["amount_minor"]) == ("approved", 0)


class TestActivity:
    def test_it_tells_everything_in_order(self, api: Caller, books: World) -> None:
        """DOMAIN V1: entries and moves, who and why; nothing of amount 0."""
        path = f"/rewards/{only(api)['id']}"
        post(api, f"{path}/approve")
        post(api, f"{path}/adjust", amount_minor=5, reason="bonus")
        books.receive(refunded("r", "txn_1", 5_000))
        post(api, f"{path}/decline", reason="fraud")
        items = api.get(f"{path}/activity")["data"]

        assert [(i["kind"], i["amount_minor"], i["to_status"], i["reason"]) for i in items] == [
            ("earn", 2_000, None, None),
            ("status", None, "approved", None),
            ("adjust", 5, None, "bonus"),
            ("reverse", -1_000, None, None),
            ("status", None, "declined", "fraud"),
        ]
        assert [item["actor"].split(":")[0] for item in items] == [
            "machine", "key", "key", "machine", "key",
        ]  # fmt: skip
        assert items[0]["cause_event"] is not None
        assert [item["at"] for item in items] == sorted(item["at"] for item in items)
