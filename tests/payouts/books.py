"""Books of rewards made directly: partners, approved rewards, debts, and their payouts."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.partners.models import Partner
from rewards_service.partners.payout_details import change_details
from rewards_service.payouts import exchange, making, service
from rewards_service.payouts.models import Payout, PayoutLine
from rewards_service.reports import ledger_checks, payout_checks
from rewards_service.reports.findings import look
from rewards_service.rewards import ledger, review
from rewards_service.rewards.models import LedgerEntry, LedgerPosting, Reward
from rewards_service.settings import Settings

DAY = date(2026, 3, 1)
CUT_OFF = date(2026, 4, 1)
IBANS = {"Ann": "DE89370400440532013000", "Bob": "NL91ABNA0417164300"}


class Books:
    """Partners and their rewards in one database; every change is committed."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        self._numbers = count(1)
        self._connection: Connection | None = None
        with transaction(engine) as session:
            customer = Customer(name="Customer")
            session.add(customer)
            session.flush()
            self._customer = customer.id

    # --- what people set up ---

    def partner(self, name: str = "Ann", payout_currency: str | None = None, **details: str) -> int:
        with transaction(self.engine) as session:
            partner = Partner(
                name=name, email=f"{name.lower()}@partner.example", status="active",
                payout_currency=payout_currency,
            )  # fmt: skip
            session.add(partner)
            session.flush()
            if details:
                change_details(session, self.settings, partner, details, "test")
            return partner.id

    def reward(
        self, partner: int, amount: int, currency: str = "USD", available_on: date = DAY,
        status: str = "approved",
    ) -> int:  # fmt: skip
        """A reward on an invoice of its own."""
        with transaction(self.engine) as session:
            row = self._row(partner, currency, f"inv{next(self._numbers)}", 1, available_on)
            self._post(session, row, "pending", amount)
            if status != "pending":
                review.change_status(session, [row.id], status, "test", "test")
            return row.id

    def take_back(self, reward: int, amount: int) -> int:
        """A debt beside a settled reward, as a refund after its payout opens it (A4, V4)."""
        with transaction(self.engine) as session:
            old = session.get_one(Reward, reward)
            seq = self._next_seq(session, old)
            row = self._row(old.partner_id, old.currency, old.invoice_id, seq, old.available_on)
            self._post(session, row, "approved", -amount)
            return row.id

    def rate(self, pair: str, rate: str, on: date = CUT_OFF, source: str = "ECB") -> None:
        """A rate of a pair such as "USD/EUR"."""
        left, right = pair.split("/")
        wanted = {"from_currency": left, "to_currency": right, "rate_on": on, "rate": rate}
        with transaction(self.engine) as session:
            exchange.add_rate(session, {**wanted, "source": source}, "test")

    def _row(
        self, partner: int, currency: str, invoice: str, seq: int, available_on: date
    ) -> Reward:
        return Reward(
            integration_id=1, invoice_id=invoice, rule_version_id=1, partner_id=partner, seq=seq,
            customer_id=self._customer, transaction_id=1, currency=currency,
            available_on=available_on, anchor_paid_at=datetime(2026, 3, 1, tzinfo=UTC),
            explanation={},
        )  # fmt: skip

    def _post(self, session: Session, row: Reward, status: str, amount: int) -> None:
        row.status = status
        session.add(row)
        session.flush()
        if amount:
            owed = ledger.Difference(row.id, row.partner_id, row.currency, status, amount, 1)
            ledger.post(session, [owed])

    def _next_seq(self, session: Session, old: Reward) -> int:
        query = select(func.max(Reward.seq)).where(
            Reward.invoice_id == old.invoice_id, Reward.partner_id == old.partner_id
        )
        return int(session.scalars(query).one() or 0) + 1

    # --- what a stray hand in the database could do ---

    def change(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    @contextmanager
    def tampered(self, statement: str) -> Iterator[None]:
        """The database after a statement that its constraints might refuse; undone at the end."""
        with self.engine.connect() as connection, connection.begin() as outer:
            connection.execute(text(statement))
            self._connection = connection
            try:
                yield
            finally:
                self._connection = None
                outer.rollback()

    def post_one_side(self, reward: int, amount: int) -> None:
        """An entry without sides: PostgreSQL refuses it as long as its guard is on."""
        if self.engine.dialect.name == "postgresql":
            self.change("ALTER TABLE ledger_entries DISABLE TRIGGER USER")
        self._entry(reward, amount)

    def post_behind(self, reward: int, *amounts: int) -> None:
        """Balanced entries on a reward that is in a payout."""
        row = self.get(Reward, reward)
        for amount in amounts:
            with transaction(self.engine) as session:
                sides = {"expense": amount, "payable_in_payout": -amount}
                entry = self._new_entry(session, reward, amount)
                session.add_all(
                    LedgerPosting(
                        entry_id=entry, account=account, partner_id=row.partner_id,
                        currency=row.currency, amount_minor=side,
                    )
                    for account, side in sides.items()
                )  # fmt: skip

    def _entry(self, reward: int, amount: int) -> None:
        with transaction(self.engine) as session:
            self._new_entry(session, reward, amount)

    def _new_entry(self, session: Session, reward: int, amount: int) -> int:
        entry = LedgerEntry(
            reward_id=reward, kind="adjust", amount_minor=amount, reason="x", actor="x"
        )
        session.add(entry)
        session.flush()
        return entry.id

    # --- what happens ---

    def make(
        self, *partners: int, currency: str = "USD", cut_off: date = CUT_OFF, threshold: int = 0
    ) -> making.Made:
        """Payouts of partners, or of all."""
        wanted = making.Wanted(currency, cut_off, partners or None, threshold)
        with transaction(self.engine) as session:
            return making.create(session, wanted, "test")

    def payout(self, *partners: int, **wanted: Any) -> int:
        """The key of the one payout that is made."""
        (made,) = self.make(*partners, **wanted).payouts
        return made.id

    def ready(self, payout: int) -> None:
        with transaction(self.engine) as session:
            service.submit(session, payout, "test")
            service.accept(session, payout, "test")

    def pay(self, payout: int, on: date = CUT_OFF, reference: str | None = None) -> None:
        self.ready(payout)
        with transaction(self.engine) as session:
            service.mark_paid(session, payout, on, reference, "test")

    def change_status(self, reward: int, to_status: str) -> None:
        with transaction(self.engine) as session:
            review.change_status(session, [reward], to_status, "test", "test")

    def cancel(self, payout: int) -> None:
        with transaction(self.engine) as session:
            service.cancel(session, payout, None, "test")

    # --- what came of it ---

    def get(self, model: Any, key: int) -> Any:
        with Session(self.engine, expire_on_commit=False) as session:
            return session.get_one(model, key)

    def lines(self, payout: int) -> list[PayoutLine]:
        with Session(self.engine, expire_on_commit=False) as session:
            query = select(PayoutLine).where(PayoutLine.payout_id == payout)
            return list(session.scalars(query.order_by(PayoutLine.id)))

    def amounts(self, payout: int) -> list[int]:
        return [line.amount_minor for line in self.lines(payout)]

    def status(self, *rewards: int) -> list[str]:
        return [self.get(Reward, reward).status for reward in rewards]

    def total(self, payout: int) -> int:
        return int(self.get(Payout, payout).total_minor)

    def accounts(self, partner: int, currency: str = "USD") -> dict[str, int]:
        """What is owed to a partner by account, credits positive."""
        posting = LedgerPosting
        query = (
            select(posting.account, -func.sum(posting.amount_minor))
            .where(posting.partner_id == partner, posting.currency == currency)
            .group_by(posting.account)
        )
        with Session(self.engine) as session:
            rows = session.execute(query).all()
        return {name: int(sum_) for name, sum_ in rows if sum_ and name != "expense"}

    def violations(self) -> dict[str, Any]:
        """What `rewards check` finds in the ledger and in payouts."""
        rooms = (*ledger_checks.INVARIANTS, *payout_checks.INVARIANTS)
        with Session(self._connection or self.engine) as session:
            checks = [look(session, invariant) for invariant in rooms]
        return {check.id: check.violations for check in checks if not check.ok}


def public(keys: Iterable[int], prefix: str = "pay") -> list[str]:
    return [ids.encode(prefix, key) for key in keys]
