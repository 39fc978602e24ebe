"""A site is connected, and taken off again: over HTTP, against the simulator."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from redis import Redis
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.chargebee.event_types import ENDPOINT_EVENTS
from rewards_service.integrations.models import Integration
from rewards_service.simulator.api import KEY, READ_ONLY
from rewards_service.simulator.limits import RateLimit
from tests.builders.api import Json
from tests.connections.office import SITE, Office


class Watch(RateLimit):
    """Looks at each request to Chargebee whether anything of our database is locked just then."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(lambda: 0.0)
        self._engine = engine
        self.looks = 0
        self.locked: list[str] = []

    def take(self) -> None:
        self.looks += 1
        try:
            if self._engine.dialect.name == "sqlite":
                with closing(sqlite3.connect(str(self._engine.url.database), timeout=0)) as other:
                    other.execute("BEGIN IMMEDIATE")
            else:
                with Session(self._engine) as session:
                    session.scalars(select(Integration).with_for_update(nowait=True)).all()
        except (sqlite3.OperationalError, DBAPIError) as error:
            self.locked.append(str(error))


class TestConnect:
    def test_one_call_makes_the_integration_and_the_webhook_and_events_arrive(
        self, office: Office
    ) -> None:
        made = office.connect()
        (endpoint,) = office.endpoints()
        login = [endpoint[f"basic_auth_{name}"] for name in ("username", "password")]

        assert made["connection"]["ok"], made["connection"]
        assert made["webhook_endpoint_id"] == endpoint["id"]
        assert endpoint["url"] == made["webhook_url"]
        assert login == [made["webhook_username"], made["webhook_password"]]
        assert set(endpoint["enabled_events"]) == set(ENDPOINT_EVENTS)
        assert (endpoint["api_version"], endpoint["chargebee_response_schema_type"]) == (
            "v2", "items",
        )  # fmt: skip
        assert (endpoint["send_card_resource"], endpoint["disabled"]) == (False, False)
        assert office.happen() == office.arrived() != set()
        assert office.report(made) == (True, [])

    def test_again_it_changes_nothing(self, office: Office) -> None:
        made = office.connect()
        before = dict(office.endpoints()[0])

        assert office.repair(made)["ok"]
        assert office.endpoints() == [before]
        assert office.row().untold_password_encrypted is None

    def test_again_it_makes_no_second_one_though_chargebees_lists_are_late(
        self, office: Office
    ) -> None:
        office.chargebee.runner.set_faults({"lag_s": 300})
        made = office.connect()

        assert made["connection"]["ok"], made["connection"]
        assert office.repair(made)["ok"]
        assert len(office.endpoints()) == 1

    def test_no_lock_of_ours_is_held_while_chargebee_is_asked(self, office: Office) -> None:
        watch = Watch(office.engine)
        office.chargebee.runner.simulator.limit = watch
        made = office.connect()
        office.repair(made)
        office.api.call("POST", f"/integrations/{made['id']}/rotate-secret", json={})
        office.report(made)
        office.api.call("DELETE", f"/integrations/{made['id']}/webhook")

        assert watch.looks > 10
        assert watch.locked == []

    def test_two_that_connect_at_once_make_one_webhook(self, office: Office) -> None:
        made = office.api.create("/integrations", site=SITE, api_key=KEY)
        key = office.row().id
        with ThreadPoolExecutor(4) as pool:
            reports = list(pool.map(lambda _: office.upkeep().repair(key)[0], range(4)))

        assert [report.ok for report in reports] == [True] * 4
        assert [row["url"] for row in office.endpoints()] == [made["webhook_url"]]
        assert office.happen() == office.arrived()

    def test_a_webhook_made_by_hand_is_taken_over_whatever_its_password(
        self, office: Office
    ) -> None:
        made = office.api.create("/integrations", site=SITE, api_key=KEY)
        office.tell("/webhook_endpoints", name="by hand", url=made["webhook_url"])
        office.repair(made)

        assert [row["name"] for row in office.endpoints()] == ["by hand"]
        assert office.happen() <= office.arrived()

    def test_a_key_that_may_only_read_is_named_and_a_better_one_brings_it_to_its_end(
        self, office: Office
    ) -> None:
        wanted: Json = {"site": SITE, "api_key": KEY + READ_ONLY, "connect": True}
        made = office.api.create("/integrations", **wanted)
        (check,) = made["connection"]["checks"]

        assert (check["id"], check["ok"]) == ("key_rights", False)
        assert "full-access" in check["remedy"]
        office.api.change(f"/integrations/{made['id']}", api_key=KEY)
        assert office.repair(made)["ok"]
        assert office.endpoints()[0]["basic_auth_password"] == made["webhook_password"]
        assert office.happen() <= office.arrived()

    def test_without_a_key_nothing_is_asked(self, office: Office) -> None:
        assert office.api.pointers("POST", "/integrations", site=SITE, connect=True) == ["/api_key"]
        made = office.api.create("/integrations", site=SITE)
        problem = office.api.refused("POST", f"/integrations/{made['id']}/connect", 409)

        assert problem["code"] == "api_key_missing"

    def test_a_sixth_webhook_is_refused_with_what_to_do(self, office: Office) -> None:
        for number in range(5):
            office.tell("/webhook_endpoints", name="w", url=f"https://w{number}.example/")
        made = office.connect()

        (check,) = made["connection"]["checks"]
        assert (check["id"], check["ok"]) == ("webhook_limit", False)
        assert "Delete one" in check["remedy"]
        assert len(office.endpoints()) == 5

    def test_all_of_it_is_audited_and_the_api_key_is_in_no_answer_and_no_entry(
        self, office: Office
    ) -> None:
        made = office.connect()
        path = f"/integrations/{made['id']}"
        answers = [made, office.repair(made), office.api.get(f"{path}/webhook"),
                   office.api.get(path)]  # fmt: skip
        office.api.call("DELETE", f"{path}/webhook")
        with Session(office.engine) as session:
            entries = session.scalars(
                select(AuditEntry)
                .where(AuditEntry.subject_kind == "integration")
                .order_by(AuditEntry.id)
            ).all()

        assert [entry.action for entry in entries] == [
            "integration.created", "integration.connected", "integration.connected",
            "integration.disconnected",
        ]  # fmt: skip
        assert all(entry.actor.startswith("key:") for entry in entries)
        secrets = (KEY, made["webhook_password"])
        assert not any(text in str(entry.detail) for entry in entries for text in secrets)
        assert KEY not in str(answers)

    def test_a_site_has_a_budget_of_its_own(self, office: Office, redis_connection: Redis) -> None:
        key = "rewards:chargebee:budget:acme-test"
        made = office.connect()
        assert not redis_connection.exists(key)  # here the setting says: no limit

        office.api.change(f"/integrations/{made['id']}", requests_per_minute=100_000)
        assert office.report(made) == (True, [])
        assert redis_connection.exists(key)
        path = f"/integrations/{made['id']}"
        assert office.api.pointers("PATCH", path, requests_per_minute=9) == ["/requests_per_minute"]

    def test_another_site_does_not_get_the_key(self, office: Office) -> None:
        made = office.connect()
        changed = office.api.change(f"/integrations/{made['id']}", site="other-test")

        assert (changed["has_api_key"], changed["webhook_endpoint_id"]) == (False, None)
        rotated = office.api.call("POST", f"/integrations/{made['id']}/rotate-secret", json={})
        assert rotated.status_code == 200  # by hand from now on


class TestRemove:
    def test_it_deletes_the_webhook_and_keeps_the_integration(self, office: Office) -> None:
        made = office.connect()
        answer = office.api.call("DELETE", f"/integrations/{made['id']}/webhook")

        assert (answer.status_code, office.endpoints()) == (204, [])
        assert office.api.get(f"/integrations/{made['id']}")["webhook_endpoint_id"] is None
        assert office.repair(made)["ok"]
        assert office.happen() <= office.arrived()
