"""A small business of two years, made by the service itself: what `bench.scale_world` multiplies.

Everything goes the real way: recorded events are drained, the clock approves, people decline and
hold, payouts are made and paid. Only the times at which we knew are set afterwards, to those at
which things happened: a slice is made in a minute, and its two years have to look like two years.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from bench import world
from rewards_service.crm.models import Deal, Lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import chunks, insert_many, reserve_ids, table_of, transaction
from rewards_service.partners.models import Enrolment, Partner, PartnerStatus
from rewards_service.payouts import making
from rewards_service.payouts import service as payouts
from rewards_service.programs.models import Program
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.rewards import review, timers
from rewards_service.rewards.models import Reward
from rewards_service.webhooks import jobs as event_jobs

# Every id and address of a slice carries it; a copy of the slice has another number in its place.
MARK = "-0000-"
PARTNERS = 1_000
PAUSED = 50  # partners more, without business
PAYMENTS_PER_CUSTOMER = 4
REFUNDED_EACH, DECLINED_EACH, HELD_EACH = 33, 50, 20
DAYS = 730
END = datetime(2026, 1, 1, tzinfo=UTC)
CUT_OFFS = (date(2025, 2, 1), date(2025, 11, 15))
CURRENCIES = ("USD", "EUR", "JPY")
ACTOR = "bench"
NO_LIMIT = 36_000.0
STEPS = 24  # so that refunds come when their rewards are there
REFUNDED_AFTER_DAYS = 40

# When we knew: shortly after it happened; what the clock and people did, on its day.
TIMES = (
    """UPDATE received_events SET received_at = occurred_at + interval '5 s',
      finished_at = occurred_at + interval '7 s'""",
    "UPDATE transactions SET created_at = occurred_at + interval '7 s'",
    "UPDATE rewards SET created_at = anchor_paid_at + interval '8 s'",
    """UPDATE payouts SET created_at = cut_off_on + interval '1 day',
      updated_at = cut_off_on + interval '5 days', ready_at = cut_off_on + interval '3 days',
      paid_on = cut_off_on + CASE WHEN status = 'paid' THEN 5 END,
      paid_at = cut_off_on + CASE WHEN status = 'paid' THEN interval '5 days' END""",
    """UPDATE payout_status_changes c SET at = p.cut_off_on + CASE c.to_status
      WHEN 'draft' THEN interval '1 day' WHEN 'pending' THEN interval '2 days'
      WHEN 'ready' THEN interval '3 days' ELSE interval '5 days' END
    FROM payouts p WHERE p.id = c.payout_id""",
    """UPDATE reward_status_changes c SET at = CASE c.to_status
      WHEN 'in_payout' THEN p.created_at WHEN 'paid' THEN p.paid_at
      WHEN 'approved' THEN r.available_on + interval '8 hours'
      WHEN 'declined' THEN r.available_on + interval '3 days'
      ELSE r.created_at + interval '1 day' END
    FROM rewards r LEFT JOIN payout_lines l ON l.reward_id = r.id
      LEFT JOIN payouts p ON p.id = l.payout_id WHERE r.id = c.reward_id""",
    """UPDATE ledger_entries SET posted_at = happened_at + interval '8 s'
    WHERE amount_minor <> 0""",
    # One entry carries the money of each move, in their order.
    """UPDATE ledger_entries e SET posted_at = m.at, happened_at = m.at
    FROM (SELECT id, reward_id, row_number() OVER (PARTITION BY reward_id ORDER BY id) n
      FROM ledger_entries WHERE amount_minor = 0) k
    JOIN (SELECT reward_id, at, row_number() OVER (PARTITION BY reward_id ORDER BY id) n
      FROM reward_status_changes WHERE to_status <> 'hold') m
    ON m.reward_id = k.reward_id AND m.n = k.n WHERE e.id = k.id""",
)


def make(engine: Engine, payments: int) -> None:
    """Fill a migrated, empty database with so many payments, each with a reward."""
    integration_id, options_id, _ = world.set_up(engine)
    with transaction(engine) as session:
        _people(session, payments)
        session.execute(update(Program).values(approval="auto"))
    bodies = sorted(_bodies(payments), key=lambda body: body["occurred_at"])
    for some in chunks(bodies, len(bodies) // STEPS + 1):
        with transaction(engine) as session:
            rows = [world.received(body, integration_id, options_id) for body in some]
            insert_many(session, ReceivedEvent, rows)
        event_jobs.drain(engine, budget=NO_LIMIT)
        reward_jobs.drain(engine, budget=NO_LIMIT)
    _decide(engine)
    _pay_out(engine)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in TIMES:
            connection.execute(text(statement))


def _people(session: Session, payments: int) -> None:
    """Partners, a lead of one of them for each payer, and a deal for every tenth."""
    program_id = session.scalars(select(Program.id)).one()
    keys = reserve_ids(session, table_of(Partner), PARTNERS + PAUSED)
    paused = set(keys[PARTNERS:])
    times = {"created_at": world.LONG_AGO, "updated_at": world.LONG_AGO}
    named = {key: f"p{key}@partner.example" for key in keys}
    insert_many(session, Partner, [
        {"id": key, "name": f"Partner {key}", "email": email, "email_key": email, "key_version": 1,
         "status": "paused" if key in paused else "active", **times}
        for key, email in named.items()
    ])  # fmt: skip
    insert_many(session, PartnerStatus, [
        {"partner_id": key, "status": "paused" if key in paused else "active",
         "from_at": world.LONG_AGO}
        for key in keys
    ])  # fmt: skip
    insert_many(session, Enrolment, [
        {"partner_id": key, "program_id": program_id, "created_at": world.LONG_AGO}
        for key in keys
    ])  # fmt: skip
    payers = range((payments + PAYMENTS_PER_CUSTOMER - 1) // PAYMENTS_PER_CUSTOMER)
    common = [
        {"email_key": world.email(payer, MARK), "key_version": 1,
         "partner_id": keys[_partner(payer)], "registered_at": world.LONG_AGO, **times}
        for payer in payers
    ]  # fmt: skip
    insert_many(session, Lead, [
        {"email": one["email_key"], "status": "accepted", **one} for one in common
    ])  # fmt: skip
    insert_many(session, Deal, [
        {"name": f"Deal {number}", "contact_email": one["email_key"], "amount_minor": 10_000,
         "currency": "USD", "stage": "won", **one}
        for number, one in enumerate(common[::10])
    ])  # fmt: skip


def _partner(payer: int) -> int:
    """Whose customer it is: a few partners have most of the business, as in life."""
    spread = (payer * 2_654_435_761 % 2**32) / 2**32
    return int(PARTNERS * spread**3)


def _bodies(payments: int) -> list[dict[str, Any]]:
    """Events of payments: the invoice, the payment, and for some a refund of a tenth."""
    found = []
    for number in range(payments):
        paid = _payment(number, payments)
        content = {"invoice": paid["content"]["invoice"], "customer": paid["content"]["customer"]}
        invoiced = paid | {"id": f"ev{MARK}{number}g", "event_type": "invoice_generated",
                           "occurred_at": paid["occurred_at"] - 1, "content": content}  # fmt: skip
        found += [invoiced, paid]
        if number % REFUNDED_EACH == 0 and number < payments * 9 // 10:
            amount = paid["content"]["transaction"]["amount"] // 10
            refund = world.refund(paid, f"{MARK}{number}", amount, REFUNDED_AFTER_DAYS)
            found.append(refund)
    return found


def _payment(number: int, payments: int) -> dict[str, Any]:
    """Payments of one customer are a quarter of the two years apart."""
    customers = (payments + PAYMENTS_PER_CUSTOMER - 1) // PAYMENTS_PER_CUSTOMER
    turn, payer = divmod(number, customers)
    plain = world.payment(payer * PAYMENTS_PER_CUSTOMER + turn, PAYMENTS_PER_CUSTOMER, MARK)
    seconds = DAYS * 86_400
    shift = number * seconds // payments - seconds
    content = plain["content"]
    del content["subscription"]
    first = payer * seconds // payments - seconds
    currency = CURRENCIES[2 if payer % 50 == 0 else 1 if payer % 5 == 0 else 0]
    body: dict[str, Any] = _moved(plain, shift, currency)
    body["content"]["customer"] = _moved(content["customer"], first, currency)
    return body


def _moved(value: Any, seconds: int, currency: str) -> Any:
    """The same with all times moved, and in another currency."""
    if isinstance(value, dict):
        return {
            name: currency if name == "currency_code" else _moved(member, seconds, currency)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_moved(member, seconds, currency) for member in value]
    if isinstance(value, int) and value > 1_700_000_000:
        return value + seconds * (1_000 if value > 1_700_000_000_000 else 1)
    return value


def _decide(engine: Engine) -> None:
    """The clock approves what has waited for thirty days; people decline some and hold some."""
    timers.run(engine, END, budget=NO_LIMIT)
    for status, to_status, each in (
        ("approved", "declined", DECLINED_EACH), ("pending", "hold", HELD_EACH),
    ):  # fmt: skip
        with transaction(engine) as session:
            query = select(Reward.id).where(Reward.status == status, Reward.id % each == 0)
            keys = session.scalars(query).all()
            review.change_status(session, keys, to_status, "as people do", ACTOR)


def _pay_out(engine: Engine) -> None:
    """Payouts of every year; those of the last cut-off day are ready and not paid yet."""
    for cut_off in CUT_OFFS:
        for currency in CURRENCIES:
            with transaction(engine) as session:
                made = making.create(session, making.Wanted(currency, cut_off), ACTOR)
                for key in [payout.id for payout in made.payouts]:
                    payouts.submit(session, key, ACTOR)
                    payouts.accept(session, key, ACTOR)
                    if cut_off != CUT_OFFS[-1]:
                        left_on = cut_off + timedelta(days=5)
                        payouts.mark_paid(session, key, left_on, None, ACTOR)
