"""Two hundred random histories through the whole service, against the reference."""

import random
from collections import Counter
from itertools import zip_longest
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Deal, DealShare, Lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import transaction
from rewards_service.partners.models import Enrolment, Partner, PartnerStatus
from rewards_service.programs.models import Program, RewardRule, RewardRuleVersion
from rewards_service.reports.checks import run_checks
from rewards_service.rewards.models import LedgerEntry, LedgerPosting, Reward
from rewards_service.transactions.models import RewardDue, Transaction
from tests.builders.chargebee import Json
from tests.builders.world import REGISTERED, World
from tests.rewards import reference
from tests.rewards.histories import History, shuffled, write_history
from tests.rewards.history_events import email_of, events_of

HISTORIES = {"sqlite": 80, "postgresql": 40}
AT_ONCE = 97  # events between two drains: histories are cut anywhere


def set_up(session: Session, history: History) -> list[int]:
    """A programme with the history's rule, its partners, and the lead or deal that they brought."""
    program = Program(name=f"Program {history.number}", timezone="UTC")
    partners = [
        Partner(name=f"P{history.number}-{place}", email="p@partner.example", status="active")
        for place in range(len(history.shares))
    ]
    session.add_all([program, *partners])
    session.flush()
    rule = RewardRule(program_id=program.id, name=f"Rule {history.number}")
    session.add(rule)
    session.flush()
    asked = history.rule
    session.add(RewardRuleVersion(
        rule_id=rule.id, version=1, kind="flat" if asked.flat else "percent",
        rate_millionths=asked.rate_millionths, amounts=asked.flat, base=asked.base,
        rounding=asked.rounding, hold_days=0,
    ))  # fmt: skip
    for partner in partners:
        session.add(PartnerStatus(partner_id=partner.id, status="active"))
        session.add(Enrolment(partner_id=partner.id, program_id=program.id))
    _bring(session, history, [partner.id for partner in partners])
    return [partner.id for partner in partners]


def _bring(session: Session, history: History, partners: list[int]) -> None:
    email = email_of(history)
    if len(partners) == 1:
        session.add(Lead(email=email, email_key=email, status="accepted", partner_id=partners[0],
                         registered_at=REGISTERED))  # fmt: skip
        return
    deal = Deal(name="Deal", contact_email=email, email_key=email, stage="open",
                partner_id=partners[0], registered_at=REGISTERED)  # fmt: skip
    session.add(deal)
    session.flush()
    for partner_id, share in zip(partners, history.shares, strict=True):
        session.add(DealShare(deal_id=deal.id, partner_id=partner_id, basis_points=share))


def interleaved(histories: list[History]) -> list[Json]:
    """The next event of each history in turn."""
    turns = zip_longest(*(events_of(history) for history in histories))
    return [event for turn in turns for event in turn if event is not None]


def posted(session: Session, partners: list[list[int]]) -> dict[int, reference.Targets]:
    """What the ledger says, by history."""
    places = {key: (number, place) for number, keys in enumerate(partners)
              for place, key in enumerate(keys)}  # fmt: skip
    query = (
        select(Reward.invoice_id, Reward.partner_id, func.sum(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .group_by(Reward.invoice_id, Reward.partner_id)
    )
    found: dict[int, reference.Targets] = {number: {} for number in range(len(partners))}
    for invoice_id, partner_id, amount in session.execute(query):
        number, place = places[partner_id]
        if amount:
            found[number][(invoice_id, place)] = int(amount)
    return found


def standings(session: Session) -> dict[str, tuple[str, int]]:
    query = select(
        Transaction.chargebee_transaction_id, Transaction.status, Transaction.refunded_minor
    ).where(Transaction.withdrawn_at.is_(None))
    return {name: (status, taken) for name, status, taken in session.execute(query)}


def unbalanced(session: Session) -> list[Any]:
    """Entries whose sides do not sum to zero, or whose expense is not their amount."""
    expense = func.sum(LedgerPosting.amount_minor).filter(LedgerPosting.account == "expense")
    query = (
        select(LedgerEntry.id)
        .outerjoin(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .group_by(LedgerEntry.id, LedgerEntry.amount_minor)
        .having(
            (func.coalesce(func.sum(LedgerPosting.amount_minor), 1) != 0)
            | (func.coalesce(expense, 0) != LedgerEntry.amount_minor)
        )
    )
    return list(session.scalars(query))


class TestHistories:
    """DOMAIN A2-A7, A14, V3, V8, V10, M15, S7: half of them arrive in no order at all."""

    def test_eighty_end_as_the_rules_say_and_forty_on_postgresql(self, world: World) -> None:
        check(world, HISTORIES[world.engine.dialect.name])

    @pytest.mark.slow
    def test_two_hundred_end_as_the_rules_say(self, world: World) -> None:
        check(world, 200)


def check(world: World, count: int) -> None:
    """Play so many histories together; the books must say what the reference does."""
    histories = [write_history(number, seed=10_000 + number) for number in range(count)]
    with transaction(world.engine) as session:
        partners = [set_up(session, history) for history in histories]
    half = count // 2
    mixed = interleaved([shuffled(history, history.number) for history in histories[half:]])
    random.Random(1).shuffle(mixed)  # noqa: S311
    events = [e for pair in zip_longest(interleaved(histories[:half]), mixed) for e in pair if e]

    for start in range(0, len(events), AT_ONCE):
        world.accept(*events[start : start + AT_ONCE])
        world.drain()

    with Session(world.engine) as session:
        assert session.scalar(select(func.count()).select_from(RewardDue)) == 0
        assert Counter(session.scalars(select(ReceivedEvent.state))) == {"done": len(events)}
        found = posted(session, partners)
        wrong = {
            history.number: (found[history.number], expected)
            for history in histories
            if found[history.number]
            != (expected := reference.expected_targets(history, history.end))
        }
        assert wrong == {}
        assert standings(session) == {
            payment.id: reference.expected_standing(history.end, payment)
            for history in histories
            for payment in history.end.payments.values()
        }
        assert unbalanced(session) == []
        assert [check for check in run_checks(session) if not check.ok] == []
