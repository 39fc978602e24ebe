from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.app import create_app
from rewards_service.audit.models import AuditEntry
from rewards_service.kit import crypto, metrics
from rewards_service.outbound.models import WebhookEndpoint
from rewards_service.outbound.secrets import PREFIX
from rewards_service.settings import Settings
from tests.builders.api import Caller
from tests.outbound.office import Office
from tests.peers.misbehaving import Misbehaving, answer

PATH = "/webhook-endpoints"
URL = "https://8.8.8.8/hooks?token=of-theirs"  # an address needs no look-up


@pytest.fixture
def here(settings: Settings) -> Caller:
    """The API of a service that may call this machine."""
    own = replace(settings, webhook_allow_loopback=True)
    return Caller(create_app(own), own)


def create(api: Caller, url: str = URL, **members: Any) -> dict[str, Any]:
    return api.create(PATH, url=url, **{"events": ["*"], **members})


class TestEndpoints:
    def test_the_secret_is_shown_once_and_kept_sealed(
        self, api: Caller, engine: Engine, settings: Settings
    ) -> None:
        made = create(api, description="books", events=["reward.paid", "payout.paid"])
        secret = made.pop("secret")

        assert secret.startswith(PREFIX)
        assert api.get(f"{PATH}/{made['id']}") == made
        assert api.get(PATH)["data"] == [made]
        assert (made["enabled"], made["warnings"], made["health"]["pending"]) == (True, [], 0)
        with Session(engine) as session:
            sealed = session.scalars(select(WebhookEndpoint.secret_encrypted)).one()
        assert secret not in sealed
        assert crypto.decrypt(settings.encryption_keys, sealed) == secret

    def test_it_is_changed_switched_off_and_deleted(self, api: Caller) -> None:
        path = f"{PATH}/{create(api)['id']}"
        changed = api.change(path, enabled=False, events=["reward.paid"])
        assert (changed["enabled"], changed["events"]) == (False, ["reward.paid"])
        assert "secret" not in changed
        assert api.refused("POST", f"{path}/test", 409)["code"] == "webhook_endpoint_disabled"

        assert api.call("DELETE", path).status_code == 204
        for method in ("GET", "DELETE"):
            api.refused(method, path, 404)
        api.refused("GET", f"{path}/deliveries", 404)
        assert api.get(PATH)["data"] == []

    def test_what_was_done_is_in_the_audit_log_without_secrets(
        self, api: Caller, engine: Engine
    ) -> None:
        path = f"{PATH}/{create(api)['id']}"
        api.change(path, description="books")
        api.call("POST", f"{path}/rotate-secret", json={"grace_hours": 1})
        api.call("POST", f"{path}/test")
        api.call("DELETE", path)

        with Session(engine) as session:
            entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        ours = [one for one in entries if one.subject_kind == "webhook_endpoint"]
        assert [one.action.rpartition(".")[2] for one in ours] == [
            "created", "changed", "secret_rotated", "tested", "deleted",
        ]  # fmt: skip
        assert "of-theirs" not in str([one.detail for one in ours])
        assert ours[0].detail["after"]["host"] == "8.8.8.8"

    @pytest.mark.parametrize(
        "body",
        [{"events": []}, {"events": ["reward.lost"]}, {"events": "reward.paid"}, {"enabled": "no"},
         {"secret": "whsec_mine"}, {"url": "https://8.8.8.8/" + "a" * 3_000}],
    )  # fmt: skip
    def test_what_is_wrong_is_refused(self, api: Caller, body: dict[str, Any]) -> None:
        assert api.pointers("POST", PATH, **{"url": URL, "events": ["*"], **body})

    def test_there_is_a_limit(self, api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rewards_service.outbound.service.MOST_ENDPOINTS", 1)
        create(api)

        refused = api.refused("POST", PATH, 409, url=URL, events=["*"])
        assert refused["code"] == "too_many_webhook_endpoints"


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        ["http://8.8.8.8/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/",
         "https://169.254.169.254/latest", "https://2130706433/", "https://[::ffff:127.0.0.1]/",
         "https://0x7f000001/", "https://user@8.8.8.8/", "http://127.0.0.1:9000/"],
    )  # fmt: skip
    def test_one_that_leads_inside_is_refused(self, api: Caller, url: str) -> None:
        made = create(api)
        for method, path in (("POST", PATH), ("PATCH", f"{PATH}/{made['id']}")):
            refused = api.refused(method, path, 422, url=url, **(
                {"events": ["*"]} if method == "POST" else {}
            ))  # fmt: skip
            assert refused["code"] == "webhook_url_refused"
            assert refused["errors"][0]["pointer"] == "/url"

    def test_in_development_this_machine_may_be_told_and_no_other(self, here: Caller) -> None:
        assert create(here, "http://127.0.0.1:9000/x")["url"] == "http://127.0.0.1:9000/x"
        for url in ("http://10.0.0.1/", "http://8.8.8.8/", "https://169.254.169.254/"):
            here.refused("POST", PATH, 422, url=url, events=["*"])

    def test_a_name_that_leads_nowhere_yet_is_taken(self, api: Caller) -> None:
        """Each delivery looks again."""
        assert create(api, "https://Nowhere.Invalid")["url"] == "https://nowhere.invalid/"


class TestDeliveries:
    def test_a_test_event_goes_the_whole_way(
        self, here: Caller, engine: Engine, settings: Settings
    ) -> None:
        office = Office(engine, settings)
        with Misbehaving(answer(200, "thanks")) as server:
            made = create(here, server.url, events=["payout.paid"])
            answered = here.call("POST", f"{PATH}/{made['id']}/test")
            assert (answered.status_code, answered.get_json()) == (
                202, {"event_type": "webhook.test"},
            )  # fmt: skip
            assert here.get(f"{PATH}/{made['id']}")["health"]["pending"] == 1
            office.work()

        (delivery,) = here.get(f"{PATH}/{made['id']}/deliveries")["data"]
        assert (delivery["state"], delivery["subject"]) == ("delivered", made["id"])
        assert [(one["status"], one["excerpt"]) for one in delivery["log"]] == [(200, "thanks")]
        one = here.get(f"{PATH}/deliveries/{delivery['id']}")
        assert one["body"]["data"] == {"webhook_endpoint_id": made["id"]}
        assert one["message_id"] == server.seen[0].headers["webhook-id"]

    def test_one_is_sent_again_on_demand_as_it_was(
        self, here: Caller, engine: Engine, settings: Settings
    ) -> None:
        office = Office(engine, settings)
        with Misbehaving(answer(200), answer(500), answer(200)) as server:
            made = create(here, server.url)
            office.tell(1)
            office.work()
            (first,) = here.get(f"{PATH}/{made['id']}/deliveries")["data"]
            path = f"{PATH}/deliveries/{first['id']}/resend"
            again = here.call("POST", path)
            assert (again.status_code, again.get_json()["state"]) == (202, "pending")
            office.work()
            waiting = here.get(f"{PATH}/deliveries/{first['id']}")
            assert (waiting["state"], waiting["attempts"]) == ("pending", 2)
            assert waiting["next_attempt_at"] is not None
            here.call("POST", path.removeprefix(PATH))  # the same
            office.work()

        assert here.get(f"{PATH}/deliveries/{first['id']}")["state"] == "delivered"
        assert len({(seen.headers["webhook-id"], seen.body) for seen in server.seen}) == 1
        assert len(server.seen) == 3
        here.change(f"{PATH}/{made['id']}", enabled=False)
        here.refused("POST", path, 409)

    def test_they_are_listed_by_state_in_pages(
        self, api: Caller, engine: Engine, settings: Settings
    ) -> None:
        office = Office(engine, settings)
        path = f"{PATH}/{create(api)['id']}/deliveries"
        other = create(api)["id"]
        office.tell(1, 2, 3)
        everything = f"{PATH}/deliveries"
        assert len(api.get(everything, state="pending")["data"]) == 6
        (found,) = {
            one["webhook_endpoint_id"]
            for one in api.get(everything, webhook_endpoint_id=other)["data"]
        }
        assert found == other

        page = api.get(path, limit=2, state="pending")
        rest = api.get(path, limit=2, state="pending", cursor=page["next_cursor"])
        assert [len(page["data"]), len(rest["data"]), rest["next_cursor"]] == [2, 1, None]
        assert api.get(path, state="failed")["data"] == []
        api.call("DELETE", f"{PATH}/{other}")
        assert len(api.get(everything)["data"]) == 3

    def test_trouble_is_shown_with_what_to_do(
        self, here: Caller, engine: Engine, settings: Settings, app: Flask
    ) -> None:
        office = Office(engine, settings)
        with Misbehaving(answer(500), answer(410)) as server:
            path = f"{PATH}/{create(here, server.url)['id']}"
            office.tell(1)
            office.work()
            shown = here.get(path)
            assert [one["code"] for one in shown["warnings"]] == ["not_delivered"]
            assert shown["health"]["failing_since"] is not None
            office.pass_time(seconds=10)
            office.work()

        shown = here.get(path)
        assert [one["code"] for one in shown["warnings"]] == ["gone"]
        assert (shown["enabled"], shown["disabled_reason"]) == (False, "gone")
        text = metrics.render()[0].decode()
        assert 'rewards_outbound_attempts_total{result="4xx"}' in text
        assert "rewards_outbound_endpoints_disabled 1.0" in text
        assert "rewards_outbound_pending 1.0" in text
