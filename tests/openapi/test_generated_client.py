"""A client that openapi-python-client makes of the committed description does a month's work."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import create_engine

from rewards_service.app import create_app
from rewards_service.rewards import jobs as rewards_jobs
from rewards_service.webhooks import jobs as events_jobs
from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.whole import settings_for
from tests.openapi.fuzzing import served
from tools.openapi import CURRENT

CONFIG = Path(__file__).with_name("client.json")
NAME = "generated_rewards_client"
SITE = {"name": "Acme", "site": "acme-test", "mode": "live"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the generated package can be imported from."""
    place = tmp_path_factory.mktemp("client")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none",
               "--path", str(CURRENT), "--config", str(CONFIG), "--output-path", str(place / NAME),
               "--fail-on-warning"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2_000:]
    sys.path.insert(0, str(place))
    yield place
    sys.path.remove(str(place))


class Client:
    """Calls operations through the generated functions, with generated types."""

    def __init__(self, address: str, key: str) -> None:
        made = importlib.import_module(f"{NAME}.client").AuthenticatedClient
        self._client = made(base_url=address, token=key, raise_on_unexpected_status=True)
        self._models = importlib.import_module(f"{NAME}.models")
        self.address = address
        self.calls: list[str] = []
        self.tag: str | None = None  # of the last answer

    def call(self, operation: str, *parts: Any, expect: int = 200, **arguments: Any) -> Any:
        """What `tag.operation` answers, parsed; the status must be the expected one."""
        function = importlib.import_module(f"{NAME}.api.{operation}").sync_detailed
        answer = function(*parts, client=self._client, **arguments)
        self.calls.append(operation)
        self.tag = answer.headers.get("ETag")
        assert int(answer.status_code) == expect, answer.content
        return answer.parsed

    def model(self, kind: str, /, **members: Any) -> Any:
        return getattr(self._models, kind).from_dict(members)


@pytest.fixture
def app(tmp_path: Path, sqlite_template: Path) -> Flask:
    (tmp_path / "rewards.db").write_bytes(sqlite_template.read_bytes())
    return create_app(settings_for(f"sqlite:///{tmp_path}/rewards.db"))


@pytest.fixture
def client(app: Flask, folder: Path) -> Iterator[Client]:
    with served(app) as address:
        yield Client(address, Caller(app, app.extensions["rewards_settings"]).key)


def connect(client: Client) -> tuple[Any, tuple[str, str]]:
    body = client.model("NewIntegrationInput", **SITE)
    made = client.call("integrations.create_integration", body=body, expect=201)
    return made, (made.webhook_username, made.webhook_password)


def set_up(client: Client) -> tuple[Any, Any]:
    """(partner, rule) in a programme."""
    program = client.call(
        "programs.create_program", expect=201, body=client.model("ProgramInput", name="Agencies")
    )
    terms = {"name": "20 %", "kind": "percent", "rate": "0.20", "program_id": program.id}
    rule = client.call(
        "reward_rules.create_rule", expect=201, body=client.model("RuleInput", **terms)
    )
    whole = {"name": "Ann", "email": "ann@partner.example", "program_ids": [program.id],
             "payout_details": {"paypal_email": "ann@partner.example"}}  # fmt: skip
    partner = client.call(
        "partners.create_partner", expect=201, body=client.model("PartnerInput", **whole)
    )
    return partner, rule


def sell(client: Client, partner: Any) -> Any:
    """A lead, and a deal with it."""
    lead = client.call(
        "leads.create_lead", expect=201,
        body=client.model("LeadInput", email="eve@acme.example", partner_id=partner.id,
                          registered_at="2020-01-01T00:00:00Z"),
    )  # fmt: skip
    deal = client.call(
        "deals.create_deal", expect=201,
        body=client.model("DealInput", name="Big one", contact_email="bob@two.example",
                          amount_minor=1_000, currency="USD"),
    )  # fmt: skip
    won, named = client.model("DealChange", stage="won"), client.model("LeadChange", company="Acme")
    client.call("deals.change_deal", deal.id, body=won, if_match=client.tag)
    client.call("leads.change_lead", lead.id, body=named, if_match="*")
    return client.call("leads.get_lead", lead.id)


def pay(app: Flask, address: str, login: tuple[str, str]) -> None:
    """What Chargebee posts, and all that follows from it."""
    answer = requests.post(
        address, json=paid("1", "c1", "eve@acme.example"), auth=login, timeout=60
    )
    assert answer.json()["status"] == "accepted"
    engine = create_engine(app.extensions["rewards_settings"].database_url)
    while events_jobs.drain(engine) + rewards_jobs.drain(engine):
        pass
    engine.dispose()


def see_what_came_of_it(client: Client, lead: Any) -> Any:
    """The reward, after a look at all that led to it."""
    (event,) = client.call("events.list_events", limit=10).data
    assert client.call("events.get_event", event.id).body["id"] == "ev_1"
    client.call("events.list_near_misses", event.id)
    (transaction,) = client.call("transactions.list_transactions").data
    assert transaction.occurred_at.tzinfo is not None
    client.call("transactions.get_transaction", transaction.id)
    client.call("transactions.explain_transaction", transaction.id)
    (customer,) = client.call("customers.list_customers", email="EVE@acme.example").data
    client.call("customers.get_customer", customer.id)
    converted = client.call("leads.get_lead", lead.id)
    assert (converted.status, converted.customer_id) == ("converted", customer.id)
    (reward,) = client.call("rewards.list_rewards", partner_id=lead.partner_id).data
    assert (reward.amount_minor, reward.currency) == (2_000, "USD")
    return reward


def approve(client: Client, reward: Any) -> None:
    assert "20.00 USD" in client.call("rewards.explain_reward", reward.id).text
    reason = client.model("Hold", reason="Let me look.")
    assert client.call("rewards.hold_reward", reward.id, body=reason).status == "hold"
    client.call("rewards.release_reward", reward.id, body=client.model("Decision"))
    approved = client.call("rewards.approve_reward", reward.id, body=client.model("Decision"))
    assert approved.status == "approved"
    assert len(client.call("rewards.list_activity", reward.id).data) == 4


def pay_out(client: Client, partner: Any) -> None:
    balances = client.call("payouts.get_balances", partner_id=partner.id)
    assert balances.balances[0].available_minor == 2_000
    wanted = client.model("PayoutRequest", currency="USD", cut_off=f"{datetime.now(UTC).date()}")
    (payout,) = client.call("payouts.create_payouts", body=wanted, expect=201).data
    client.call("payouts.submit_payout", payout.id)
    assert client.call("payouts.accept_payout", payout.id).status == "ready"
    formats = importlib.import_module(f"{NAME}.models").ExportPayoutFormat
    file = client.call("payouts.export_payout", payout.id, format_=formats.CSV)
    assert b"20.00" in file.payload.read()
    paid_on = client.model("Paid", paid_on=f"{datetime.now(UTC).date()}", reference="B-1")
    assert client.call("payouts.mark_payout_paid", payout.id, body=paid_on).status == "paid"
    assert client.call("payouts.get_payout", payout.id).lines[0].amount_minor == 2_000


class TestGeneratedClient:
    def test_from_the_first_connection_to_the_paid_partner(
        self, app: Flask, client: Client
    ) -> None:
        integration, login = connect(client)
        partner, rule = set_up(client)
        lead = sell(client, partner)
        path = integration.webhook_url.partition("/webhooks/")[2]
        pay(app, f"{client.address}/webhooks/{path}", login)
        reward = see_what_came_of_it(client, lead)
        approve(client, reward)
        pay_out(client, partner)

        assert client.call("rewards.get_reward", reward.id).status == "paid"
        assert reward.rule_id == client.call("reward_rules.get_rule", rule.id).id
        assert client.call("integrations.get_integration", integration.id).health.received_24h == 1
        assert client.call("me.get_me").scopes == ["admin"]
        actions = {
            entry.action for entry in client.call("audit_log.list_audit_log", limit=200).data
        }
        assert "partner.created" in actions
        assert len(client.calls) >= 30

    def test_errors_come_as_typed_problems(self, client: Client) -> None:
        nobody = client.call("leads.get_lead", "led_4zqsxdqv6b6nn", expect=404)
        body = client.model("LeadInput", email=" ")
        refused = client.call("leads.create_lead", body=body, expect=422)

        assert (nobody.code, nobody.status) == ("not_found", 404)
        assert [error.pointer for error in refused.errors] == ["/email"]
