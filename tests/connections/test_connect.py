"""A site is connected, broken in every way, named, mended: over HTTP, against the simulator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.chargebee.connecting import connected
from rewards_service.chargebee.event_types import ENDPOINT_EVENTS
from rewards_service.connections import mending, service
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.simulator.api import KEY, PUBLISHABLE, READ_ONLY
from tests.builders.api import Json
from tests.connections.office import SITE, Office

Break = Callable[[Office, Json], object]


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

        assert "Delete one" in made["connection"]["checks"][0]["detail"]
        assert len(office.endpoints()) == 5

    def test_the_api_key_is_in_no_answer_and_no_audit_entry(self, office: Office) -> None:
        made = office.connect()
        answers = [made, office.repair(made), office.api.get(f"/integrations/{made['id']}/webhook")]
        with Session(office.engine) as session:
            entries = session.execute(select(AuditEntry.action, AuditEntry.detail)).all()

        assert KEY not in str(answers) + str(entries)
        assert [row.action for row in entries if row.action.startswith("integration.")] == [
            "integration.created", "integration.connected", "integration.connected",
        ]  # fmt: skip

    def test_another_site_does_not_get_the_key(self, office: Office) -> None:
        made = office.connect()
        changed = office.api.change(f"/integrations/{made['id']}", site="other-test")

        assert (changed["has_api_key"], changed["webhook_endpoint_id"]) == (False, None)


def _ours(office: Office) -> str:
    return f"/webhook_endpoints/{office.endpoints()[0]['id']}"


def _change(**fields: Any) -> Break:
    return lambda office, _made: office.tell(_ours(office), **fields)


def _delete(office: Office, _made: Json) -> None:
    office.tell(f"{_ours(office)}/delete")


def _remake_as_compat(office: Office, made: Json) -> None:
    fields = {"name": "w", "url": made["webhook_url"], "chargebee_response_schema_type": "compat"}
    _delete(office, made)
    office.tell("/webhook_endpoints", **fields)


def _double(office: Office, made: Json) -> None:
    other = office.tell("/webhook_endpoints", name="w", url="https://other.example/")
    office.tell(f"/webhook_endpoints/{other['id']}", url=made["webhook_url"])


def _lose_password(office: Office, _made: Json) -> None:
    office.tell(_ours(office), basic_auth_password="mistyped")
    office.happen()


BREAKS: dict[str, Break] = {
    "disabled": _change(disabled="true"),
    "api_version": _change(api_version="v1"),
    "events_missing": _change(**{"enabled_events[0]": "subscription_created"}),
    "wrong_address": _change(url="https://elsewhere.example/hook"),
    "card_data": _change(send_card_resource="true"),
    "schema_type": _remake_as_compat,
    "endpoint_missing": _delete,
    "duplicate_endpoints": _double,
    "undelivered": _lose_password,
}
HARMLESS = {"card_data", "schema_type", "duplicate_endpoints"}


class TestRepair:
    @pytest.mark.parametrize("name", BREAKS)
    def test_what_is_broken_by_hand_is_named_and_mended_and_events_arrive_again(
        self, office: Office, name: str
    ) -> None:
        made = office.connect()
        BREAKS[name](office, made)
        ok, named = office.report(made)

        assert name in named
        assert ok == (name in HARMLESS)
        assert office.repair(made)["ok"]
        assert set(office.report(made)[1]) <= {"undelivered"}  # until the next one is delivered
        ours = [row for row in office.endpoints() if row["url"] == made["webhook_url"]]
        assert len(ours) == 1
        assert office.happen() <= office.arrived()
        assert office.report(made) == (True, [])

    def test_a_webhook_of_somebody_else_is_left_alone_and_its_address_kept_secret(
        self, office: Office
    ) -> None:
        made = office.connect()
        office.tell("/webhook_endpoints", name="theirs", url="https://theirs.example/secret-path")
        _double(office, made)
        found = office.repair(made)

        assert [row["name"] for row in office.endpoints()] == ["Rewards service", "theirs"]
        assert "secret-path" not in str(found)

    def test_what_our_database_did_not_note_is_found_again(self, office: Office) -> None:
        """The webhook was made in Chargebee, and then our commit failed."""
        made = office.api.create("/integrations", site=SITE, api_key=KEY)
        key = office.row().id
        with Session(office.engine) as session:
            target = service.read_target(session, office.settings, key)
        with transaction(office.engine) as session:
            login = service.stage(session, office.settings, key, 24, "test")
        with connected(office.settings, SITE, KEY) as site:
            mending.mend(site, target.wanted, mending.look(site, target), login)

        assert office.happen() == office.arrived()
        assert "password_untold" in office.report(made)[1]
        assert office.repair(made)["ok"]
        assert len(office.endpoints()) == 1
        assert office.endpoints()[0]["basic_auth_password"] == login.password
        assert office.row().webhook_endpoint_id == office.endpoints()[0]["id"]
        assert office.happen() <= office.arrived()

    def test_a_replacement_that_broke_off_is_brought_to_its_end(self, office: Office) -> None:
        made = office.connect()
        login = {
            "basic_auth_username": made["webhook_username"],
            "basic_auth_password": made["webhook_password"],
        }
        _remake_as_compat(office, made)
        url = f"{made['webhook_url']}?replaces=x"
        new = office.tell("/webhook_endpoints", name="new", url=url, **login)
        office.repair(made)

        assert [(row["id"], row["url"]) for row in office.endpoints()] == [
            (new["id"], made["webhook_url"])
        ]
        assert office.happen() <= office.arrived()


class TestExamine:
    @pytest.mark.parametrize(
        ("key", "name"), [("nobody's", "key_refused"), (KEY + PUBLISHABLE, "key_rights")]
    )
    def test_a_key_that_is_no_good_is_named(self, office: Office, key: str, name: str) -> None:
        made = office.connect()
        office.api.change(f"/integrations/{made['id']}", api_key=key)

        assert office.report(made) == (False, [name])

    def test_a_site_that_does_not_answer_is_named(self, office: Office) -> None:
        office.connect()
        office.chargebee.runner.set_faults({"unavailable_html": 1.0})

        report = office.upkeep().examine(office.row().id)

        assert [(check.id, check.ok) for check in report.checks] == [("site_unreachable", False)]

    def test_a_clock_that_is_wrong_is_named(self, office: Office) -> None:
        office.connect()
        ahead = office.upkeep(now=lambda: utc_now() + timedelta(minutes=5))

        (_, check) = ahead.examine(office.row().id).checks

        assert (check.id, check.ok) == ("clock", False)
        assert "+300 s" in check.detail or "+299 s" in check.detail or "+301 s" in check.detail

    def test_a_webhook_to_an_integration_that_is_no_more_is_named(self, office: Office) -> None:
        made = office.connect()
        office.tell("/webhook_endpoints", name="old", url=f"{made['webhook_url'][:-5]}xxxxx")

        assert office.report(made) == (True, ["stray_endpoints"])


class TestRemove:
    def test_it_deletes_the_webhook_and_keeps_the_integration(self, office: Office) -> None:
        made = office.connect()
        answer = office.api.call("DELETE", f"/integrations/{made['id']}/webhook")

        assert (answer.status_code, office.endpoints()) == (204, [])
        assert office.api.get(f"/integrations/{made['id']}")["webhook_endpoint_id"] is None
        assert office.repair(made)["ok"]
        assert office.happen() <= office.arrived()
