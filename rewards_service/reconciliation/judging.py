"""What is to be said of a pair: equal or not, and why (pure)."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rewards_service.chargebee.resources import PAYMENT, TRANSACTION
from rewards_service.reconciliation.merging import Pair
from rewards_service.reconciliation.reasons import (
    DIFFERENT,
    EQUAL,
    MISSING_HERE,
    MISSING_THERE,
)
from rewards_service.reconciliation.sides import SUCCESS, Side, differences


class Books(NamedTuple):
    """What became of a payment: by its payment_succeeded events, and as it is recorded.

    `wanted`: one of them asked for a transaction. `imported`: there is none, the payment being of
    a time before the connection. The last three are None without a transaction.
    """

    wanted: bool
    has_email: bool
    imported: bool = False
    amount_minor: int | None = None
    currency: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class Finding:
    """`reason` is a key of REASONS, None where nothing is to be said."""

    pair: Pair
    state: str
    reason: str | None = None
    differences: list[dict[str, Any]] = field(default_factory=list)
    detail: str | None = None

    @property
    def side(self) -> Side:
        found = self.pair.there or self.pair.here
        assert found is not None  # noqa: S101 - a pair has at least one side
        return found


def judge(pair: Pair, books: Books | None) -> Finding:
    """Compare a pair. books: of a payment, None when no payment_succeeded of it was understood.

    What is there on one side only was looked for on the other one by its id.
    """
    there, here = pair
    if there is None:
        is_gone = here is not None and here.facts["deleted"]
        return Finding(pair, *((EQUAL,) if is_gone else (MISSING_THERE, "not_in_chargebee")))
    if here is None and there.problem is None:
        return Finding(pair, MISSING_HERE, "event_missing")
    if there.problem is not None:
        state = MISSING_HERE if here is None else DIFFERENT
        return Finding(pair, state, "unreadable", detail=there.problem)
    assert here is not None  # noqa: S101 - see above
    found = differences(there, here)
    if found:
        return Finding(pair, DIFFERENT, _why(there, here), found)
    return _in_the_books(pair, there, books)


def _why(there: Side, here: Side) -> str:
    if there.facts["deleted"] and not here.facts["deleted"]:
        return "deleted_there"
    if there.version == here.version:
        return "same_version"
    return "newer_there" if there.version > here.version else "newer_here"


def _in_the_books(pair: Pair, there: Side, books: Books | None) -> Finding:
    """Whether a payment that both sides know was counted as one."""
    facts = there.facts
    is_money = facts["kind"] == PAYMENT and facts["status"] == SUCCESS and not facts["deleted"]
    if there.section != TRANSACTION or not is_money:
        return Finding(pair, EQUAL)
    if books is None:
        return Finding(pair, MISSING_HERE, "payment_event_missing")
    if books.imported:
        return Finding(pair, EQUAL, "not_posted")
    if books.amount_minor is None:
        if not books.wanted:
            return Finding(pair, EQUAL, "transactions_off")
        return Finding(pair, EQUAL, "unknown_customer" if books.has_email else "no_email")
    recorded = {"amount_minor": books.amount_minor, "currency": books.currency}
    wrong = [
        {"field": f"recorded_{name}", "there": facts[name], "here": value}
        for name, value in recorded.items()
        if value != facts[name]
    ]
    if wrong:
        return Finding(pair, DIFFERENT, "books_differ", wrong)
    early = books.reason == "before_attribution"
    return Finding(pair, EQUAL, "before_attribution" if early else None)
