"""A connected site with its partners, leads and deals, and the whole way of an event through it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import AttributionConflict, Customer, Deal, Lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations import service as integrations
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.emails import strict_key
from rewards_service.partners.models import Enrolment, Partner, PartnerStatus
from rewards_service.programs.models import Program, RewardRule, RewardRuleVersion
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids, find_subjects
from rewards_service.rewards import jobs as rewards_jobs
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.rewards.review import change_status
from rewards_service.settings import Settings
from rewards_service.transactions.models import Transaction
from rewards_service.webhooks import jobs as events_jobs
from tests.builders.chargebee import Json, at
from tests.builders.site import Site

REGISTERED = at(-365)
Switches = Mapping[str, bool]
ALL_ON = {"convert_lead": True, "associate_deal": True, "create_transaction": True}


class World:
    """One site (`site`), one programme with one 20 % rule; people are added as a test needs."""

    def __init__(self, app: Flask, engine: Engine, settings: Settings, **options: Any) -> None:
        self.engine = engine
        self.client = app.test_client()
        self._settings = settings
        self.site = self.connect("acme-test", **options)
        with transaction(engine) as session:
            program = Program(name="Partners", timezone="UTC")
            session.add(program)
            session.flush()
            self.program = program.id
        self.rule = self.add_rule()

    # --- what people set up ---

    def connect(
        self, site: str, switches: Switches = ALL_ON, mode: str = "live", **policy: str
    ) -> Site:
        with transaction(self.engine) as session:
            wanted = {"site": site, "mode": mode, "options": {**switches, **policy}}
            made, login = integrations.create_integration(session, self._settings, wanted, "test")
            return Site(self.client, made.id, made.endpoint_key, ":".join(login))

    def switch(self, **options: Any) -> None:
        """Change the site's options, or its `mode`, for events that arrive from now on."""
        mode = options.pop("mode", None)
        wanted: Json = {"options": options} if mode is None else {"options": options, "mode": mode}
        with transaction(self.engine) as session:
            integrations.change_integration(session, self._settings, self.site.id, wanted, "test")

    def add_rule(
        self, rate: int | None = 200_000, amounts: dict[str, int] | None = None,
        hold_days: int = 0, **terms: Any,
    ) -> int:  # fmt: skip
        """A rule, percent in millionths or flat by currency; its key. `terms` as stored."""
        with transaction(self.engine) as session:
            rule = RewardRule(program_id=self.program, name="rule")
            session.add(rule)
            session.flush()
            key = rule.id
        self.add_version(key, 1, rate, amounts, None, hold_days, **terms)
        return key

    def add_version(
        self, rule: int, version: int, rate: int | None, amounts: dict[str, int] | None = None,
        effective_from: datetime | None = None, hold_days: int = 0, **terms: Any,
    ) -> None:  # fmt: skip
        row = RewardRuleVersion(
            rule_id=rule, version=version, kind="flat" if amounts else "percent",
            rate_millionths=None if amounts else rate, amounts=amounts, base="net",
            rounding="half_even", hold_days=hold_days, effective_from=effective_from, terms=terms,
        )  # fmt: skip
        self.add(row)

    def partner(self, name: str = "Ann", status: str = "active") -> int:
        """A partner in the programme, with this status since ever."""
        email = f"{name.lower()}@partner.example"
        key = self.add(Partner(name=name, email=email, email_key=email, status=status))
        self.add(PartnerStatus(partner_id=key, status=status))
        self.add(Enrolment(partner_id=key, program_id=self.program))
        return key

    def set_status(self, partner: int, status: str, since: datetime) -> None:
        self.add(PartnerStatus(partner_id=partner, status=status, from_at=since))

    def lead(
        self, email: str, partner: int | None = None, registered_at: datetime = REGISTERED,
        status: str = "accepted",
    ) -> int:  # fmt: skip
        return self.add(
            Lead(email=email, email_key=strict_key(email), partner_id=partner, status=status,
                 registered_at=registered_at)
        )  # fmt: skip

    def deal(
        self, email: str, partner: int | None = None, registered_at: datetime = REGISTERED,
        stage: str = "open",
    ) -> int:  # fmt: skip
        return self.add(
            Deal(name="A deal", contact_email=email, email_key=strict_key(email), stage=stage,
                 partner_id=partner, registered_at=registered_at)
        )  # fmt: skip

    def person(self, email: str, partner: int | None = None) -> int:
        """A customer that somebody entered by hand."""
        return self.add(
            Customer(name="By hand", email=email, email_key=strict_key(email),
                     source_partner_id=partner)
        )  # fmt: skip

    def pin(self, customer: int) -> None:
        """What approving one of its rewards does to a customer."""
        with transaction(self.engine) as session:
            session.get_one(Customer, customer).pinned = True

    def add(self, row: Any) -> int:
        with transaction(self.engine) as session:
            session.add(row)
            session.flush()
            return int(getattr(row, "id", 0) or 0)

    # --- what happens ---

    def accept(self, *bodies: Json | bytes) -> None:
        self.site.accept(*bodies)

    def drain(self) -> None:
        while events_jobs.drain(self.engine) + rewards_jobs.drain(self.engine):
            pass

    def receive(self, *bodies: Json | bytes) -> None:
        """Accept events and handle all that is due, after each."""
        for body in bodies:
            self.site.accept(body)
            self.drain()

    def settle(self, status: str) -> None:
        """Move every reward to a status by the way that people and payouts go."""
        way = {"in_payout": ("approved",), "paid": ("approved", "in_payout")}.get(status, ())
        for step in (*way, status):
            with transaction(self.engine) as session:
                keys = list(session.scalars(select(Reward.id).order_by(Reward.id)))
                change_status(session, keys, step, "seen", "key:1")

    # --- what came of it ---

    def ended(self, event_id: str) -> tuple[str, str | None]:
        """(state, outcome) of an event."""
        query = select(ReceivedEvent.state, ReceivedEvent.outcome).where(
            ReceivedEvent.event_id == event_id
        )
        with Session(self.engine) as session:
            row = session.execute(query).one()
            return row.state, row.outcome

    def outcome(self, event_id: str) -> str | None:
        return self.ended(event_id)[1]

    def event(self, event_id: str) -> ReceivedEvent:
        query = select(ReceivedEvent).where(ReceivedEvent.event_id == event_id)
        with Session(self.engine, expire_on_commit=False) as session:
            return session.scalars(query).one()

    def all(self, model: Any) -> list[Any]:
        """All rows in the order of their key: PostgreSQL has no order of its own."""
        with Session(self.engine, expire_on_commit=False) as session:
            return list(session.scalars(select(model).order_by(*inspect(model).primary_key)))

    def get(self, model: Any, key: int) -> Any:
        with Session(self.engine, expire_on_commit=False) as session:
            return session.get_one(model, key)

    def customers(self) -> list[Any]:
        return [row for row in self.all(Customer) if row.withdrawn_at is None]

    def customer_of(self, payer: str, site: Site | None = None) -> Any:
        """The customer who carries a Chargebee customer id; None when it is not known."""
        site_id = (site or self.site).id
        with Session(self.engine, expire_on_commit=False) as session:
            definition = definition_ids(session)[CUSTOMER_ID]
            found = find_subjects(session, definition, site_id, [payer])
            return session.get(Customer, found.get(payer, 0))

    def transaction_of(self, name: str) -> Any:
        """The transaction of a Chargebee payment; None when there is none, or it was withdrawn."""
        query = select(Transaction).where(
            Transaction.chargebee_transaction_id == name, Transaction.withdrawn_at.is_(None)
        )
        with Session(self.engine, expire_on_commit=False) as session:
            return session.scalars(query).one_or_none()

    def earned(self, partner: int | None = None, invoice: str | None = None) -> int:
        """The sum of rewards, minor units, of a partner or an invoice or altogether."""
        query = select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0)).join(
            Reward, Reward.id == LedgerEntry.reward_id
        )
        if partner is not None:
            query = query.where(Reward.partner_id == partner)
        if invoice is not None:
            query = query.where(Reward.invoice_id == invoice)
        with Session(self.engine) as session:
            return int(session.execute(query).scalar_one())

    def entries(self) -> list[int]:
        """Every amount posted, in order; not what only moved from account to account."""
        rows = sorted(self.all(LedgerEntry), key=lambda entry: entry.id)
        return [row.amount_minor for row in rows if row.amount_minor]

    def conflicts(self) -> list[str]:
        return sorted(row.kind for row in self.all(AttributionConflict))

    def hold(self, partner: int) -> list[tuple[str, str | None]]:
        """(status, reason of the hold) of each reward of a partner that has an amount."""
        rows = [row for row in self.all(Reward) if row.partner_id == partner]
        return [(row.status, row.hold_reason) for row in rows]

    def age(self, event_id: str) -> None:
        """Let a lease or a wait of an event be over."""
        past = at(-1)
        with transaction(self.engine) as session:
            row = session.scalars(
                select(ReceivedEvent).where(ReceivedEvent.event_id == event_id)
            ).one()
            row.lease_until = past if row.lease_until else None
            row.next_attempt_at = past if row.next_attempt_at else None
        assert past < utc_now()
