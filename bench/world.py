"""The business that the benchmarks run on: one integration, one rule, leads for every payer."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.load import SAMPLE
from rewards_service.crm.models import Lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration, IntegrationOptions
from rewards_service.kit import crypto
from rewards_service.kit.db import insert_many
from rewards_service.partners.models import Enrolment, Partner, PartnerStatus
from rewards_service.programs.models import Program, RewardRule, RewardRuleVersion
from rewards_service.properties.service import define_chargebee_properties

SECRET_KEY = "a key for benchmarks only, long enough"
ENDPOINT = "bench-endpoint"
USER, PASSWORD = "bench", "bench-password"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SWITCHES = {"convert_lead": True, "associate_deal": True, "create_transaction": True}


def set_up(engine: Engine, **terms: Any) -> tuple[int, int, int]:
    """(integration, options, partner) keys of a fresh business with a 20 % rule of these terms."""
    with Session(engine) as session, session.begin():
        define_chargebee_properties(session)
        digest = crypto.digest(SECRET_KEY, "webhook", f"{USER}:{PASSWORD}".encode())
        integration = Integration(
            kind="chargebee", site="bench", name="Bench", mode="live", **SWITCHES,
            endpoint_key=ENDPOINT, webhook_username=USER, credentials_digest=digest,
        )  # fmt: skip
        session.add(integration)
        session.flush()
        options = IntegrationOptions(
            integration_id=integration.id, version=1, **SWITCHES, mode="live",
            hierarchy="invoice", conflict="hold",
        )  # fmt: skip
        program = Program(name="Bench", timezone="UTC")
        partner = Partner(name="Partner", email="partner@bench.example", status="active")
        session.add_all([options, program, partner])
        session.flush()
        integration.options_id = options.id
        session.add(PartnerStatus(partner_id=partner.id, status="active"))
        session.add(Enrolment(partner_id=partner.id, program_id=program.id))
        rule = RewardRule(program_id=program.id, name="20 %")
        session.add(rule)
        session.flush()
        session.add(
            RewardRuleVersion(
                rule_id=rule.id, version=1, kind="percent", rate_millionths=200_000, base="net",
                rounding="half_even", hold_days=30, terms=terms,
            )
        )  # fmt: skip
        return integration.id, options.id, partner.id


def payment(number: int, payments_per_customer: int, mark: str = "") -> dict[str, Any]:
    """The payment number `number`: its customer has a lead and pays several times.

    mark: a word that every id and address in it carries, before the number.
    """
    payer = number // payments_per_customer
    body: dict[str, Any] = json.loads(
        (SAMPLE / "made_pc2_payment_succeeded_card_excluded.json").read_bytes()
    )
    content = body["content"]
    transaction, invoice, customer = (
        content["transaction"], content["invoice"], content["customer"],
    )  # fmt: skip
    body["id"] = f"ev_{mark}{number}"
    body["occurred_at"] += number
    transaction["id"] = f"txn_{mark}{number}"
    transaction["date"] += number
    transaction["linked_invoices"][0]["invoice_id"] = invoice["id"] = f"inv_{mark}{number}"
    invoice["linked_payments"][0]["txn_id"] = transaction["id"]
    transaction["customer_id"] = invoice["customer_id"] = customer["id"] = f"cus_{mark}{payer}"
    customer["email"] = email(payer, mark)
    return body


def lean(body: dict[str, Any]) -> dict[str, Any]:
    """The payment with what any has, and no more: transaction, invoice, customer: 2.8 kB."""
    content = body["content"]
    content.pop("subscription", None)
    for name in ("payment_method", "billing_address"):
        content["customer"].pop(name, None)
    for kind, item in content.items():
        content[kind] = {name: value for name, value in item.items() if value != []}
    return body


def refund(paid: dict[str, Any], name: str, amount: int, after_days: int = 1) -> dict[str, Any]:
    """payment_refunded of so much of a payment. name: what makes its ids its own."""
    transaction = paid["content"]["transaction"]
    at = transaction["date"] + after_days * 86_400
    returned = {
        "id": f"rfn_{name}", "customer_id": transaction["customer_id"], "type": "refund",
        "status": "success", "date": at, "amount": amount, "resource_version": at * 1000,
        "currency_code": transaction["currency_code"], "refunded_txn_id": transaction["id"],
    }  # fmt: skip
    content = {"transaction": returned, "customer": {"id": transaction["customer_id"]}}
    return {
        "id": f"ev_refund_{name}", "occurred_at": at, "object": "event", "api_version": "v2",
        "event_type": "payment_refunded", "content": content,
    }  # fmt: skip


def email(payer: int, mark: str = "") -> str:
    return f"payer{mark}{payer}@company{mark}{payer}.example"


def fill_backlog(
    engine: Engine,
    keys: tuple[int, int, int],
    number: int,
    each: int,
    first: int = 0,
    form: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> None:
    """Leads of all payers, and `number` recorded payments that nobody has handled yet.

    first: the number of the first payment, a multiple of `each`, where some were made before.
    form: what is made of each payment, such as `lean`.
    """
    integration_id, options_id, partner_id = keys
    payers = range(first // each, (first + number + each - 1) // each)
    add_leads(engine, partner_id, [email(payer) for payer in payers])
    with Session(engine) as session, session.begin():
        last = first + number
        for start in range(first, last, 2_000):
            bodies = [form(payment(n, each)) for n in range(start, min(start + 2_000, last))]
            rows = [received(body, integration_id, options_id) for body in bodies]
            insert_many(session, ReceivedEvent, rows)


def add_leads(engine: Engine, partner_id: int, emails: Sequence[str]) -> None:
    """An accepted lead of the partner for each of these payers."""
    now = datetime.now(UTC)
    leads = [
        {
            "email": one, "email_key": one, "key_version": 1, "status": "accepted",
            "partner_id": partner_id, "registered_at": LONG_AGO, "created_at": now,
            "updated_at": now,
        }
        for one in emails
    ]  # fmt: skip
    with Session(engine) as session, session.begin():
        insert_many(session, Lead, leads)


def received(body: dict[str, Any], integration_id: int, options_id: int) -> dict[str, Any]:
    """The row of a delivery that was recorded, and that nobody has handled yet."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    occurred = datetime.fromtimestamp(0, UTC) + timedelta(seconds=body["occurred_at"])
    return {
        "integration_id": integration_id, "options_id": options_id, "event_id": body["id"],
        "event_type": body["event_type"], "source": "webhook", "occurred_at": occurred,
        "received_at": datetime.now(UTC), "body_sha256": sha256(raw).digest(), "body": raw,
        "other_body_seen": False, "state": "pending", "attempts": 0,
    }  # fmt: skip
