"""The afternoon baseline: what somebody writes in an afternoon to pay partners for payments.

Everything happens in the request: the ORM looks for the event and the customer, keeps the payment
under a property or two, and RQ gets a job for each payment, which makes the reward. No leads, no
refunds, no ledger, no roll-up, and an event that comes while Redis is down loses its job.
"""

import hmac
import os
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, request
from redis import Redis
from rq import Queue
from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench import world

QUEUE = "payments"
SHARE = 5  # a fifth of each payment

engine = create_engine(os.environ["DATABASE_URL"])
queue = Queue(QUEUE, connection=Redis.from_url(os.environ["REDIS_URL"]))
app = Flask(__name__)


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, datetime: DateTime(True)}  # noqa: RUF012


class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    payload: Mapped[dict[str, Any]]


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    chargebee_id: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    partner_id: Mapped[int]


class Transaction(Base):
    __tablename__ = "transactions"
    id: Mapped[int] = mapped_column(primary_key=True)
    chargebee_id: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id))
    amount_minor: Mapped[int]
    currency: Mapped[str]
    paid_at: Mapped[datetime]


class Property(Base):
    __tablename__ = "properties"
    id: Mapped[int] = mapped_column(primary_key=True)
    object_type: Mapped[str]
    object_id: Mapped[int]
    name: Mapped[str]
    value: Mapped[str]


class Reward(Base):
    __tablename__ = "rewards"
    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey(Transaction.id), unique=True)
    partner_id: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str]


@app.post("/webhooks/chargebee/<endpoint_key>")
def hook(endpoint_key: str) -> Response:
    login = request.authorization
    known = login is not None and login.username == world.USER
    if not known or not hmac.compare_digest(login.password or "", world.PASSWORD):  # type: ignore[union-attr]
        abort(401)
    event = request.get_json()
    with Session(engine) as session:
        if session.scalar(select(Event.id).where(Event.event_id == event["id"])) is None:
            key = _keep(session, event)
            session.commit()
            queue.enqueue(make_reward, key, result_ttl=60)
    return Response('{"status": "accepted"}', content_type="application/json")


def _keep(session: Session, event: dict[str, Any]) -> int:
    """The event, its payment and the property that names it; the key of the payment."""
    paid, payer = event["content"]["transaction"], event["content"]["customer"]
    session.add(Event(event_id=event["id"], payload=event))
    customer = session.scalars(select(Customer).where(Customer.chargebee_id == payer["id"])).one()
    transaction = Transaction(
        chargebee_id=paid["id"], customer_id=customer.id, amount_minor=paid["amount"],
        currency=paid["currency_code"], paid_at=datetime.fromtimestamp(paid["date"], UTC),
    )  # fmt: skip
    session.add(transaction)
    session.flush()
    session.add(
        Property(
            object_type="transaction", object_id=transaction.id,
            name="chargebee_transaction_id", value=paid["id"],
        )
    )  # fmt: skip
    return transaction.id


def make_reward(key: int) -> None:
    """The job of one payment."""
    with Session(engine) as session:
        paid = session.get_one(Transaction, key)
        customer = session.get_one(Customer, paid.customer_id)
        session.add(
            Reward(
                transaction_id=paid.id, partner_id=customer.partner_id,
                amount_minor=paid.amount_minor // SHARE, currency=paid.currency,
            )
        )  # fmt: skip
        session.commit()


@app.get("/livez")
def livez() -> str:
    return "ok"
