"""Invariants of what reports are made of: effects of entries, and the month roll-up."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, case, false, func, literal, not_, null, or_, select, union_all
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.reports.findings import PREFIXES, Finding, Invariant, each, pages
from rewards_service.rewards import months
from rewards_service.rewards.models import BY_HAND, LedgerEntry, LedgerPosting, Reward, RewardMonth


def _wrong_effects(session: Session) -> Iterator[Finding]:
    """Each entry says whose it is, when it happened, and what its sides do to what is owed."""
    account, amount = LedgerPosting.account, LedgerPosting.amount_minor
    sides = (
        select(
            LedgerPosting.entry_id,
            func.sum(case((account == months.PAID, amount), else_=0)).label("paid"),
            func.sum(case((account.in_((months.EXPENSE, months.PAID)), amount), else_=0)).label(
                "owed"
            ),
        )
        .group_by(LedgerPosting.entry_id)
        .subquery()
    )
    entry = LedgerEntry
    right = and_(
        entry.partner_id == Reward.partner_id,
        entry.currency == Reward.currency,
        entry.happened_at.is_not(None),
        entry.opens.is_not(None),
        entry.owed_minor == sides.c.owed,
        func.coalesce(entry.effect, "") == func.coalesce(_effect(sides.c.paid, sides.c.owed), ""),
    )
    query = (
        select(entry.reward_id, entry.id, entry.effect, entry.owed_minor)
        .join(sides, sides.c.entry_id == entry.id)
        .join(Reward, Reward.id == entry.reward_id)
        .where(not_(func.coalesce(right, false())))
    )
    detail = "Entry {0} says {1} {2}: that is not what its sides and its reward say."
    yield from each(session, query, "reward", detail)
    yield from _wrong_openings(session)


def _effect(paid: Any, owed: Any) -> Any:
    """`months.effect_of` in the database."""
    kind, amount = LedgerEntry.kind, LedgerEntry.amount_minor
    return case(
        (kind.in_(("earn", "cap_release")), literal("earned")),
        (kind == "reverse", literal("reversed")),
        (and_(kind.in_(BY_HAND), amount != 0), literal("adjusted")),
        (paid != 0, literal("paid")),
        (owed != 0, literal("declined")),
        else_=null(),
    )


def _wrong_openings(session: Session) -> Iterator[Finding]:
    """The first entry of a reward, and no other, opens it."""
    entry = LedgerEntry
    first = select(func.min(entry.id)).group_by(entry.reward_id)
    query = select(entry.reward_id, entry.id).where(
        or_(and_(entry.opens, entry.id.not_in(first)), and_(~entry.opens, entry.id.in_(first)))
    )
    return each(session, query, "reward", "Entry {0} does not know whether it is the first.")


def _wrong_months(session: Session) -> Iterator[Finding]:
    """A partner's month is the sum of its ledger entries, number by number."""
    sums = months.raw(session).subquery()
    kept = [getattr(RewardMonth, name) for name in (*months.KEY, *months.COLUMNS)]
    both = union_all(
        select(literal(0).label("held"), *sums.c), select(literal(1).label("held"), *kept)
    ).subquery()
    keys = [both.c[name] for name in months.KEY]
    sides = [
        func.sum(case((both.c.held == side, both.c[name]), else_=0))
        for side in (1, 0)
        for name in months.COLUMNS
    ]
    differs = or_(
        *(
            held != raw
            for held, raw in zip(
                sides[: len(months.COLUMNS)], sides[len(months.COLUMNS) :], strict=True
            )
        )
    )
    query = select(*keys, *sides).group_by(*keys).having(differs)
    for page in pages(session, query):
        for partner_id, month_on, known_on, currency, *numbers in page:
            yield Finding(
                ids.encode(PREFIXES["partner"], partner_id),
                f"Its {currency} of {str(month_on)[:7]}, known in {str(known_on)[:7]}: "
                f"{_differences(numbers)}.",
            )


def _differences(numbers: list[int]) -> str:
    size = len(months.COLUMNS)
    pairs = zip(months.COLUMNS, numbers[:size], numbers[size:], strict=True)
    return ", ".join(
        f"{name} {int(held)}, but its entries say {int(raw)}"
        for name, held, raw in pairs
        if held != raw
    )


INVARIANTS = (
    Invariant("effects", "Entries say what they do to what is owed.", _wrong_effects),
    Invariant("months", "The month roll-up is the sum of the entries.", _wrong_months),
)
