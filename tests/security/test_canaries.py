"""Secrets and people, made up and sent through every door, also where it breaks: in no line of the
log, no figure, no job, no answer to others, no audit entry."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from flask import Flask
from redis import Redis
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.kit import bells, log
from rewards_service.kit.crypto import SecretUnreadable, decrypt
from rewards_service.kit.http_errors import HttpError
from rewards_service.settings import Settings
from tests.admin.visitor import Visitor, make_user
from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.cli.conftest import Rewards, quiet_log, rewards  # noqa: F401

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAYER, NAME = "canary.payer@canary.example", "Canarius Lovelace"
CARD, CARD_SPACED = "4111111111111111", "4111 1111 1111 1111"
CHARGEBEE = "live_" + "canary" * 5
TYPED = "canary password four words"
IBAN = "DE89370400440532013000"


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """All that is logged, down to the smallest detail that a library says."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    log.configure("json", stream)
    root.setLevel(logging.DEBUG)
    logging.getLogger("rq.worker").setLevel(logging.INFO)
    yield stream
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = handlers, level


def drive(app: Flask, settings: Settings, engine: Engine, world: World) -> list[str]:
    """Go through the doors as everybody does; returns the secrets that came about."""
    api = Caller(app, settings)
    site = api.create("/integrations", site="canary-test", api_key=CHARGEBEE)
    body = paid("1", "cb_1", PAYER)
    body["content"]["card"] = {"number": CARD, "masked_number": CARD_SPACED}
    body["content"]["customer"]["first_name"], _, last = NAME.partition(" ")
    body["content"]["customer"]["last_name"] = last
    partner = api.create("/partners", name="P", email=PAYER, payout_details={
        "iban": IBAN, "account_name": NAME})["id"]  # fmt: skip
    api.create("/leads", email=PAYER, partner_id=partner, first_name="Canarius",
               last_name="Lovelace", registered_at="2020-01-01T00:00:00Z")  # fmt: skip
    endpoint = api.create("/webhook-endpoints", url="https://93.184.216.34/x", events=["*"])
    world.receive(body, {**body, "id": "ev_bad", "content": {"transaction": CARD}})
    world.site.post(body, Authorization=f"Basic {TYPED}")
    world.site.post(b'{"email": "' + PAYER.encode())
    for path in ("/leads", f"/leads?email={PAYER}", f"/leads/{PAYER}", f"/nowhere/{CARD}"):
        api.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {api.key}"})
    api.client.post("/api/v1/leads", json={"email": [PAYER], "card": CARD, "x": NAME},
                    headers={"Authorization": f"Bearer {api.key}x"})  # fmt: skip
    api.client.post("/api/v1/leads", json={"email": 1, PAYER: CARD},
                    headers={"Authorization": f"Bearer {api.key}"})  # fmt: skip
    person = Visitor(app, settings)
    email = make_user(engine, settings)
    person.sign_in(email, TYPED)
    person.sign_in(email)
    person.get(f"/search?q={PAYER}")
    cookie = person.cookie()
    setup = person.post("/account/two-factor", setup="authenticator").text
    totp = setup.partition("<code>")[2].partition("</code>")[0]
    assert len(totp) > 16
    return [api.key, api.key.split("_")[-1], site["webhook_password"], endpoint["secret"],
            cookie, totp, totp.replace("-", ""), email]  # fmt: skip


def crash(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that breaks with everything in its message: a 500, and the database away: a 503."""
    api = Caller(app, settings)
    text = f"{PAYER} {CARD_SPACED} {CARD} {CHARGEBEE} {api.key} postgresql://u:{TYPED[:6]}@host/x"
    for error in (ValueError(text), OperationalError("SELECT", {"email": PAYER}, Exception(text))):

        def broken(error: Exception = error, **_: object) -> None:
            raise error

        broken.scope = "any"  # type: ignore[attr-defined]
        monkeypatch.setitem(app.view_functions, "leads.list_leads", broken)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        answer = api.client.get("/api/v1/leads", headers={"Authorization": f"Bearer {api.key}"})
        assert answer.status_code in (500, 503)
        assert not [one for one in (PAYER, CARD, CHARGEBEE, api.key) if one in answer.text]


class TestCanaries:
    def test_they_stand_in_no_line_figure_job_or_entry(
        self, app: Flask, settings: Settings, engine: Engine, world: World, lines: StringIO,
        redis_connection: Redis, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        made = drive(app, settings, engine, world)
        crash(app, settings, monkeypatch)
        bells.ring("events")
        canaries = [*made, PAYER, CARD, CARD_SPACED, CHARGEBEE, TYPED, IBAN,
                    *settings.encryption_keys, settings.secret_key]  # fmt: skip
        logged = lines.getvalue()
        figures = app.test_client().get("/metrics").text
        held = b" ".join(
            redis_connection.dump(key) or b"" for key in redis_connection.scan_iter("*")
        ).decode(errors="replace")
        with Session(engine) as session:
            entries = json.dumps([
                [one.actor, one.action, one.reason, one.detail]
                for one in session.scalars(select(AuditEntry))
            ])  # fmt: skip

        for place, text in (("log", logged), ("metrics", figures), ("redis", held),
                            ("audit", entries)):  # fmt: skip
            assert [one for one in canaries if one in text] == [], place
        assert "Canarius" not in logged + figures + held + entries
        assert logged.count("\n") > 20
        assert "ValueError" in logged

    def test_commands_and_errors_tell_none_either(
        self,
        settings: Settings,
        rewards: Rewards,  # noqa: F811
    ) -> None:
        told = rewards("doctor", "--offline").output
        with pytest.raises(SecretUnreadable) as unreadable:
            decrypt(settings.encryption_keys, CHARGEBEE)
        told += str(unreadable.value) + str(HttpError()) + repr(settings)

        for secret in (CHARGEBEE, settings.secret_key, *settings.encryption_keys):
            assert secret not in told
