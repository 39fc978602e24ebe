"""Integrations over HTTP."""

from base64 import b64encode
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.integrations.models import Integration, IntegrationOptions
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.properties.models import PropertyDefinition
from tests.builders.api import Caller, Json

SWITCHES = ("convert_lead", "associate_deal", "create_transaction")
ALL = [dict(zip(SWITCHES, values, strict=True)) for values in product([False, True], repeat=3)]
UNLAWFUL = {"convert_lead": False, "associate_deal": False, "create_transaction": True}
EVENT = {
    "id": "ev_1", "event_type": "plan_created", "api_version": "v2", "occurred_at": 1767268800,
    "content": {},
}  # fmt: skip


def stored(engine: Engine) -> Integration:
    with Session(engine, expire_on_commit=False) as session:
        return session.scalars(select(Integration)).one()


def history(engine: Engine) -> list[tuple[int, str, bool]]:
    query = select(
        IntegrationOptions.version, IntegrationOptions.mode, IntegrationOptions.convert_lead
    )
    with Session(engine) as session:
        rows = session.execute(query.order_by(IntegrationOptions.id))
        return [(row.version, row.mode, row.convert_lead) for row in rows]


def post(api: Caller, made: Json, password: str) -> int:
    login = b64encode(f"{made['webhook_username']}:{password}".encode()).decode()
    path = made["webhook_url"].removeprefix("https://rewards.example.com")
    headers = {"Authorization": f"Basic {login}"}
    return api.client.post(path, json=EVENT, headers=headers).status_code


class TestCreate:
    def test_everything_is_on_when_nothing_is_said(self, api: Caller, engine: Engine) -> None:
        made = api.create("/integrations", site="acme-test")

        assert made["options"] == {
            "convert_lead": True, "associate_deal": True, "create_transaction": True,
            "hierarchy": "invoice", "conflict": "hold",
        }  # fmt: skip
        assert (made["kind"], made["mode"], made["name"]) == ("chargebee", "live", "acme-test")
        assert made["warnings"] == []
        assert history(engine) == [(1, "live", True)]

    def test_the_webhook_address_is_public_and_hard_to_guess(self, api: Caller) -> None:
        url = api.create("/integrations", site="acme-test")["webhook_url"]
        head, _, key = url.rpartition("/")

        assert head == "https://rewards.example.com/webhooks/chargebee"
        assert len(key) >= 32

    def test_the_password_is_shown_once_and_opens_the_endpoint(self, api: Caller) -> None:
        made = api.create("/integrations", site="acme-test")
        later = api.get(f"/integrations/{made['id']}")

        assert "webhook_password" not in later
        assert post(api, made, made["webhook_password"]) == 200
        assert post(api, made, "wrong") == 401

    def test_the_chargebee_api_key_is_sealed_and_never_shown(
        self, api: Caller, engine: Engine
    ) -> None:
        made = api.create("/integrations", site="acme-test", api_key="live_secret")

        assert "api_key" not in made
        assert "live_secret" not in str(stored(engine).api_key_encrypted)

    def test_turning_on_defines_the_three_properties(self, api: Caller, engine: Engine) -> None:
        api.create("/integrations", site="one")
        api.create("/integrations", site="two")
        with Session(engine) as session:
            labels = session.scalars(select(PropertyDefinition.label)).all()

        assert sorted(labels) == [
            "ChargeBee Customer ID", "Chargebee Invoice ID", "Chargebee Transaction ID",
        ]  # fmt: skip

    @pytest.mark.parametrize("options", ALL, ids=str)
    def test_every_combination_but_one_is_lawful(self, api: Caller, options: Json) -> None:
        """DOMAIN M12."""
        answer = api.call("POST", "/integrations", json={"site": "s", "options": options})

        assert answer.status_code == (422 if options == UNLAWFUL else 201)
        if options == UNLAWFUL:
            assert answer.get_json()["code"] == "transaction_requires_conversion"
            assert api.get("/integrations")["data"] == []

    @pytest.mark.parametrize("site", ["Acme", "acme.test", "-acme", "a_b", "", "acme\n", "ä", None])
    def test_a_site_is_a_host_name(self, api: Caller, site: object) -> None:
        assert api.pointers("POST", "/integrations", site=site) == ["/site"]

    def test_a_site_is_connected_once(self, api: Caller) -> None:
        """DOMAIN M1."""
        other = [api.create("/integrations", site=name)["id"] for name in ("acme", "other")][1]
        for call in (("POST", "/integrations"), ("PATCH", f"/integrations/{other}")):
            assert api.refused(*call, 409, site="acme")["code"] == "site_taken"


class TestChange:
    def test_options_left_out_stay(self, api: Caller) -> None:
        made = api.create("/integrations", site="acme")
        changed = api.change(f"/integrations/{made['id']}", options={"convert_lead": False})

        assert changed["options"] == {**made["options"], "convert_lead": False}

    def test_the_last_option_that_finds_customers_cannot_go(
        self, api: Caller, engine: Engine
    ) -> None:
        """DOMAIN M12: refused, not cascaded."""
        options = {"convert_lead": True, "associate_deal": False, "create_transaction": True}
        made = api.create("/integrations", site="acme", options=options)
        path = f"/integrations/{made['id']}"
        problem = api.refused("PATCH", path, 422, options={"convert_lead": False})

        assert problem["code"] == "transaction_requires_conversion"
        assert len(history(engine)) == 1
        assert api.get(path)["options"] == made["options"]
        assert api.change(path, options=dict.fromkeys(SWITCHES, False))["options"].keys()

    def test_options_and_mode_are_versioned(self, api: Caller, engine: Engine) -> None:
        """DOMAIN M13."""
        path = f"/integrations/{api.create('/integrations', site='acme')['id']}"
        api.change(path, options={"convert_lead": False})
        api.change(path, mode="observe")
        api.change(path, name="Another name")
        api.change(path, mode="observe")

        assert history(engine) == [(1, "live", True), (2, "live", False), (3, "observe", False)]
        assert stored(engine).options_id is not None

    def test_every_change_the_webhook_must_notice_has_a_version(
        self, api: Caller, engine: Engine
    ) -> None:
        path = f"/integrations/{api.create('/integrations', site='acme')['id']}"
        versions = [stored(engine).version]
        api.change(path, options={"convert_lead": False})
        versions.append(stored(engine).version)
        api.call("POST", f"{path}/rotate-secret", json={})
        versions.append(stored(engine).version)
        api.call("DELETE", path)
        versions.append(stored(engine).version)

        assert versions == [1, 2, 3, 4]

    def test_the_kind_stays(self, api: Caller) -> None:
        path = f"/integrations/{api.create('/integrations', site='acme')['id']}"

        assert api.pointers("PATCH", path, kind="chargebee") == ["/kind"]

    def test_changes_are_audited_without_secrets(self, api: Caller, engine: Engine) -> None:
        made = api.create("/integrations", site="acme", api_key="live_secret")
        api.change(f"/integrations/{made['id']}", mode="off", api_key="other_secret")
        with Session(engine) as session:
            query = select(AuditEntry).where(AuditEntry.subject_kind == "integration")
            entries = session.scalars(query.order_by(AuditEntry.id)).all()

            assert [entry.action for entry in entries] == [
                "integration.created", "integration.changed",
            ]  # fmt: skip
            assert all(entry.actor.startswith("key:") for entry in entries)
            assert not any("secret" in str(entry.detail) for entry in entries)


class TestRotateSecret:
    def test_both_passwords_are_good_during_the_grace(self, api: Caller) -> None:
        made = api.create("/integrations", site="acme")
        rotated = api.call("POST", f"/integrations/{made['id']}/rotate-secret", json={}).get_json()

        assert rotated["webhook_password"] != made["webhook_password"]
        assert post(api, made, rotated["webhook_password"]) == 200
        assert post(api, made, made["webhook_password"]) == 200

    def test_the_old_password_ends_with_the_grace(self, api: Caller, engine: Engine) -> None:
        made = api.create("/integrations", site="acme")
        api.call("POST", f"/integrations/{made['id']}/rotate-secret", json={})
        with transaction(engine) as session:
            row = session.scalars(select(Integration)).one()
            row.previous_expires_at = utc_now() - timedelta(seconds=1)

        assert post(api, made, made["webhook_password"]) == 401

    def test_without_grace_it_ends_at_once(self, api: Caller) -> None:
        made = api.create("/integrations", site="acme")
        assert post(api, made, made["webhook_password"]) == 200
        path = f"/integrations/{made['id']}/rotate-secret"
        rotated = api.call("POST", path, json={"grace_hours": 0}).get_json()

        assert post(api, made, made["webhook_password"]) == 401
        assert post(api, made, rotated["webhook_password"]) == 200


class TestDelete:
    def test_the_endpoint_closes_and_the_site_is_free(self, api: Caller) -> None:
        made = api.create("/integrations", site="acme")
        assert post(api, made, made["webhook_password"]) == 200
        path = f"/integrations/{made['id']}"
        assert api.call("DELETE", path).status_code == 204

        assert post(api, made, made["webhook_password"]) == 401
        assert api.call("GET", path).status_code == 404
        assert api.call("DELETE", path).status_code == 404
        assert api.get("/integrations")["data"] == []
        assert api.create("/integrations", site="acme")["id"] != made["id"]


class TestHealth:
    def test_it_tells_what_came_and_what_waits(self, api: Caller) -> None:
        quiet = api.create("/integrations", site="quiet")
        made = api.create("/integrations", site="acme")
        post(api, made, made["webhook_password"])
        health = api.get(f"/integrations/{made['id']}")["health"]

        assert health["last_event_at"] is not None
        assert (health["received_24h"], health["failed_24h"], health["pending"]) == (1, 0, 1)
        assert health["oldest_pending_s"] >= 0
        assert api.get(f"/integrations/{quiet['id']}")["health"] == {
            "last_event_at": None, "received_24h": 0, "failed_24h": 0, "pending": 0,
            "oldest_pending_s": None,
            "polling": {
                "state": "no_api_key", "last_at": None, "cursor_at": None, "problem": None,
            },
            "webhook": {
                "last_at": None, "silent_since": None, "missed_24h": 0, "late_24h": 0,
            },
        }  # fmt: skip

    def test_warnings_say_what_to_put_right(self, api: Caller, engine: Engine) -> None:
        made = api.create("/integrations", site="acme")
        with transaction(engine) as session:
            row = session.scalars(select(Integration)).one()
            row.api_v1_seen_at, row.other_site_seen = utc_now(), "acme-test"
        warnings = api.get(f"/integrations/{made['id']}")["warnings"]

        assert [warning["code"] for warning in warnings] == ["api_v1", "other_site"]
