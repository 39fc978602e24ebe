"""Keys that are bound to a partner: they see its own rows, and nothing of anybody else."""

import pytest

from rewards_service.accounts.service import PARTNER_SCOPES
from rewards_service.app import create_app
from rewards_service.kit.own import own_partner
from rewards_service.kit.web import Resource
from rewards_service.settings import Settings
from tests.access.two_partners import COLLECTIONS, Pair, build, path_of, traces, unknown
from tests.builders.api import Caller, Json
from tests.builders.world import World

SINGLE = {
    "/partners/<partner_id>": "partner_id", "/programs/<program_id>": "program_id",
    "/programs/<program_id>/levels": "program_id", "/program-levels/<level_id>": "level_id",
    "/reward-rules/<rule_id>": "rule_id", "/leads/<lead_id>": "lead_id",
    "/deals/<deal_id>": "deal_id", "/customers/<customer_id>": "customer_id",
    "/transactions/<transaction_id>": "transaction_id", "/rewards/<reward_id>": "reward_id",
    "/rewards/<reward_id>/explanation": "reward_id", "/rewards/<reward_id>/activity": "reward_id",
    "/payouts/<payout_id>": "payout_id", "/payouts/<payout_id>/lines": "payout_id",
    "/payouts/<payout_id>/invoice": "payout_id",
    "/payouts/<payout_id>/export?format=csv": "payout_id",
    "/payouts/<payout_id>/export?format=xlsx": "payout_id",
    "/payouts/balances?partner_id=<partner_id>": "partner_id",
    "/reports/partners/<partner_id>/statement?month=2026-01": "partner_id",
    "/reports/partners/<partner_id>/statement?month=2026-01&format=csv": "partner_id",
}  # fmt: skip

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Bound:
    """Alpha's key, beside a caller with all rights."""

    def __init__(self, api: Caller, pair: Pair) -> None:
        self.api, self.pair = api, pair
        self.key = api.make_key(PARTNER_SCOPES, pair.alpha.partner_id)

    def get(self, path: str, status: int = 200) -> Json:
        answer = self.api.call("GET", path, key=self.key)
        assert answer.status_code == status, (path, answer.text)
        assert traces(self.pair, answer.data.decode(errors="replace")) == [], path
        found: Json = answer.get_json(silent=True) or {}
        found.pop("request_id", None)
        return found


@pytest.fixture
def bound(world: World, api: Caller) -> Bound:
    return Bound(api, build(world, api))


class TestOwnRows:
    def test_they_are_seen_and_nothing_of_others_with_them(self, bound: Bound) -> None:
        alpha, bravo = bound.pair.alpha, bound.pair.bravo
        lists = {path: bound.get(path) for path in COLLECTIONS}
        sizes = {path: len(found["data"]) for path, found in lists.items()}
        assert sizes == {
            "/partners": 1, "/programs": 1, "/reward-rules": 1, "/leads": 2, "/deals": 2,
            "/customers": 2, "/transactions": 3, "/rewards": 5, "/payouts": 1,
        }  # fmt: skip
        for path, name in SINGLE.items():
            bound.get(path_of(path, alpha.ids))
            theirs = bound.get(path_of(path, bravo.ids), 404)
            nobodys = bound.get(path_of(path, {name: unknown(bravo.ids[name])}), 404)
            assert theirs == nobodys, path

    def test_a_shared_deal_shows_its_own_share_only(self, bound: Bound) -> None:
        """DOMAIN S7."""
        deal = bound.get(f"/deals/{bound.pair.shared_deal}")
        mine = {"partner_id": bound.pair.alpha.partner_id, "basis_points": 3_000}
        assert (deal["shares"], deal["partner_id"], deal["customer_id"]) == ([mine], None, None)

        rewards = bound.get("/rewards?chargebee_invoice_id=inv_shared")["data"]
        for reward in rewards:
            assert (reward["customer_id"], reward["transaction_id"]) == (None, None)
            assert (reward["transaction_ids"], reward["amount_minor"]) == ([], 300)
        own_rule = bound.pair.alpha.ids["rule_id"]
        assert {one["rule_id"] for one in rewards} == {own_rule, None}  # the other is Bravo's
        told = [bound.get(f"/rewards/{one['id']}/explanation")["rule"] for one in rewards]
        assert [rule and rule["id"] for rule in told] == [one["rule_id"] for one in rewards]

    @ON_SQLITE
    def test_a_customer_who_was_given_to_another_is_not_named(self, bound: Bound) -> None:
        (lead,) = bound.get("/leads?email=moved@buyer.example")["data"]
        (reward,) = bound.get("/rewards?chargebee_invoice_id=inv_moved")["data"]
        (payment,) = bound.get("/transactions?chargebee_invoice_id=inv_moved")["data"]
        (moved,) = bound.api.get("/customers", chargebee_customer_id="cb_moved")["data"]

        assert (lead["status"], lead["customer_id"]) == ("converted", None)
        assert (reward["customer_id"], payment["customer_id"]) == (None, None)
        assert reward["transaction_id"] == payment["id"]
        for path in ("/rewards", "/transactions"):
            assert bound.get(f"{path}?customer_id={moved['id']}")["data"] == []

    @ON_SQLITE
    def test_notes_of_the_house_stay_there(self, bound: Bound) -> None:
        path = f"/rewards/{bound.pair.alpha.ids['reward_id']}/adjust"
        given = {"amount_minor": 5, "reason": "goodwill"}
        adjusted = bound.api.call("POST", path, json=given).get_json()["id"]
        held = {"reason": "is it Bravo's?"}
        assert bound.api.call("POST", f"/rewards/{adjusted}/hold", json=held).status_code == 200

        found = bound.get(f"/rewards/{adjusted}")
        activity = bound.get(f"/rewards/{adjusted}/activity")["data"]

        assert (found["status"], found["hold_reason"]) == ("hold", None)
        assert {one["actor"] for one in activity} == {"house"}
        assert [one["reason"] for one in activity] == ["goodwill", None]
        assert {one["actor"] for one in found["entries"]} == {"house"}

    @ON_SQLITE
    def test_a_rule_does_not_name_customers(self, bound: Bound) -> None:
        rule = bound.get(f"/reward-rules/{bound.pair.alpha.ids['rule_id']}")

        assert rule["conditions"]["excluded_customer_ids"] == []
        assert rule["versions"][0]["conditions"]["excluded_customer_ids"] == []

    def test_filters_find_nothing_of_others(self, bound: Bound) -> None:
        bravo = bound.pair.bravo
        theirs = {
            "/partners": ("email=bravo@partner.example", "external_id=bravo-partner",
                          f"program_id={bravo.ids['program_id']}"),
            "/reward-rules": (f"program_id={bravo.ids['program_id']}",),
            "/leads": ("email=bravo-one@buyer.example", "external_id=bravo-lead",
                       f"partner_id={bravo.partner_id}"),
            "/deals": ("contact_email=bravo-two@buyer.example", "external_id=bravo-deal",
                       f"partner_id={bravo.partner_id}"),
            "/customers": ("email=bravo-one@buyer.example", "chargebee_customer_id=cb_bravo_1",
                           "chargebee_customer_id=cb_shared"),
            "/transactions": (f"partner_id={bravo.partner_id}", "chargebee_invoice_id=inv_bravo_1",
                              f"customer_id={bravo.ids['customer_id']}",
                              "chargebee_transaction_id=txn_bravo_1"),
            "/rewards": (f"partner_id={bravo.partner_id}", "chargebee_invoice_id=inv_bravo_1",
                         f"customer_id={bravo.ids['customer_id']}"),
            "/payouts": (f"partner_id={bravo.partner_id}",),
        }  # fmt: skip
        for path, queries in theirs.items():
            for query in queries:
                house = bound.api.call("GET", f"{path}?{query}").get_json()
                assert house["data"] != [], (path, query)
                assert bound.get(f"{path}?{query}")["data"] == [], (path, query)

    @ON_SQLITE
    def test_a_cursor_of_another_key_is_none_of_its_own(self, bound: Bound) -> None:
        house = bound.api.get("/rewards", limit=1)["next_cursor"]
        first = bound.get("/rewards?limit=1&sort=-id")

        bound.get(f"/rewards?limit=1&cursor={house}", 422)
        second = bound.get(f"/rewards?limit=9&sort=-id&cursor={first['next_cursor']}")
        assert len(first["data"] + second["data"]) == 5

    @ON_SQLITE
    def test_files_that_move_money_are_not_for_partners(self, bound: Bound) -> None:
        path = f"/payouts/{bound.pair.alpha.ids['payout_id']}/export?format=sepa"

        assert bound.get(path, 403)["code"] == "not_for_partners"
        assert bound.get(f"/payouts/{bound.pair.alpha.ids['payout_id']}")["exports"] == []


class TestPartnerOfAKey:
    @ON_SQLITE
    @pytest.mark.parametrize("status", ["applicant", "paused"])
    def test_one_that_does_not_earn_now_still_sees_what_it_has(
        self, api: Caller, status: str
    ) -> None:
        partner = api.create("/partners", name="P", email="p@p.example", status=status)["id"]
        key = api.make_key(["partners:read"], partner)

        assert api.call("GET", f"/partners/{partner}", key=key).status_code == 200

    @ON_SQLITE
    def test_one_that_was_declined_sees_nothing(self, api: Caller) -> None:
        partner = api.create("/partners", name="P", email="p@p.example")["id"]
        key = api.make_key(["partners:read"], partner)
        api.change(f"/partners/{partner}", status="declined")

        for path in ("/me", "/partners"):
            answer = api.call("GET", path, key=key)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "partner_declined")
        body = {"name": "k", "scopes": ["partners:read"], "partner_id": partner}
        assert api.pointers("POST", "/api-keys", **body) == ["/partner_id"]

    @ON_SQLITE
    def test_its_keys_may_only_read_what_is_for_partners(self, api: Caller) -> None:
        partner = api.create("/partners", name="P", email="p@p.example")["id"]
        for scope in ("admin", "crm:write", "events:read", "audit:read"):
            body = {"name": "k", "scopes": ["crm:read", scope], "partner_id": partner}
            refused = api.refused("POST", "/api-keys", 422, **body)
            assert refused["code"] == "scope_not_for_partners"
        body = {"name": "k", "scopes": ["crm:read"], "partner_id": unknown(partner)}
        assert api.pointers("POST", "/api-keys", **body) == ["/partner_id"]
        made = api.create("/api-keys", name="k", scopes=["crm:read"], partner_id=partner)
        api.create("/api-keys", name="house", scopes=["crm:read"])

        assert made["partner_id"] == partner
        assert api.call("GET", "/me", key=made["key"]).get_json()["partner_id"] == partner
        assert [one["id"] for one in api.get("/api-keys", partner_id=partner)["data"]] == [
            made["id"]
        ]


class TestDenyByDefault:
    @ON_SQLITE
    def test_a_view_that_forgets_to_ask_whose_rows_is_refused(self, settings: Settings) -> None:
        app = create_app(settings)
        extra = Resource("extra", "Routes of this test")
        extra.operation("GET", "/asks", scope="crm:read", for_partners=True)(_asks)
        extra.operation("GET", "/forgets", scope="crm:read", for_partners=True)(_forgets)
        extra.operation("GET", "/silent", scope="crm:read")(_silent)
        app.register_blueprint(extra)
        api = Caller(app, settings)
        partner = api.create("/partners", name="P", email="p@p.example")["id"]
        key = api.make_key(["crm:read"], partner)

        assert _status(api, "/asks", key) == 200
        assert _status(api, "/forgets", key) == 403
        assert _status(api, "/silent", key) == 403
        assert {_status(api, path, api.key) for path in ("/asks", "/forgets", "/silent")} == {200}


def _status(api: Caller, path: str, key: str) -> int:
    answer = api.call("GET", path, key=key)
    assert answer.status_code == 200 or "secret" not in answer.text
    return answer.status_code


def _asks() -> Json:
    return {"own": own_partner() is not None}


def _forgets() -> Json:
    return {"secret": "everybody's"}


def _silent() -> Json:
    return {"secret": "everybody's"}
