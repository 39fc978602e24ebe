"""A webhook that is broken in every way is named and mended: over HTTP, at the simulator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from rewards_service.chargebee.connecting import connected
from rewards_service.connections import mending, service
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.simulator.api import KEY, PUBLISHABLE
from tests.builders.api import Json
from tests.connections.office import SITE, Office

Break = Callable[[Office, Json], object]


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
    office.chargebee.runner.say("wait", {"seconds": 5})  # after what was delivered so far
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
    def test_what_is_broken_by_hand_is_named_and_mended_and_events_arrive_again(
        self, office: Office
    ) -> None:
        made = office.connect()
        for name, break_it in BREAKS.items():
            break_it(office, made)
            ok, named = office.report(made)

            assert name in named
            assert (ok, name) == (name in HARMLESS, name)
            assert office.repair(made)["ok"], name
            assert set(office.report(made)[1]) <= {"undelivered"}, name  # until the next delivery
            assert [row["url"] for row in office.endpoints()] == [made["webhook_url"]], name
            assert office.happen() <= office.arrived(), name
            assert office.report(made) == (True, []), name

    def test_a_webhook_of_somebody_else_is_left_alone_and_its_address_kept_secret(
        self, office: Office
    ) -> None:
        made = office.connect()
        office.tell("/webhook_endpoints", name="theirs", url="https://theirs.example/secret-path")
        _double(office, made)
        found = office.repair(made)

        assert [row["name"] for row in office.endpoints()] == ["Rewards service", "theirs"]
        assert "secret-path" not in str(found)

    @pytest.mark.parametrize("delivered", [False, True])
    def test_what_our_database_did_not_note_is_found_again(
        self, office: Office, delivered: bool
    ) -> None:
        """The webhook was made in Chargebee, and then our commit failed."""
        made = office.api.create("/integrations", site=SITE, api_key=KEY)
        key = office.row().id
        with Session(office.engine) as session:
            target = service.read_target(session, office.settings, key)
        with transaction(office.engine) as session:
            login = service.stage(session, office.settings, key, 24, "test")
        with connected(office.settings, SITE, KEY) as site:
            mending.mend(site, target.wanted, mending.look(site, target), login)

        assert office.report(made) == (True, ["password_untold"])
        if delivered:  # which shows that Chargebee has the password
            assert office.happen() == office.arrived()
            assert office.report(made) == (True, [])
        assert office.repair(made)["ok"]
        assert len(office.endpoints()) == 1
        assert (office.endpoints()[0]["basic_auth_password"] == login.password) != delivered
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

        check = ahead.examine(office.row().id).checks[-1]

        assert (check.id, check.ok) == ("chargebee_clock", False)
        assert "+300 s" in check.detail or "+299 s" in check.detail or "+301 s" in check.detail

    def test_a_webhook_to_an_integration_that_is_no_more_is_named(self, office: Office) -> None:
        made = office.connect()
        office.tell("/webhook_endpoints", name="old", url=f"{made['webhook_url'][:-5]}xxxxx")

        assert office.report(made) == (True, ["stray_endpoints"])
