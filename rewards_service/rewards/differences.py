"""How much is missing between what stands and what should stand (pure, DOMAIN A4)."""

from collections.abc import Sequence
from typing import Protocol

DECLINED = "declined"


class Standing(Protocol):
    """A reward as it stands, with the sum of its entries but those of people."""

    @property
    def row(self) -> "HasStatus": ...
    @property
    def amount_minor(self) -> int: ...


class HasStatus(Protocol):
    @property
    def status(self) -> str: ...


def missing(target_minor: int, rewards: Sequence[Standing]) -> int:
    """What must be posted so that the rewards of one slot come to their target.

    A declined reward counts as posted, so that it is not given again; but as it was never owed,
    what is taken back later is taken from the others only, and never makes them negative. A
    declined debt counts as paid back; but as the partner keeps it, what is given later is only
    what goes beyond that.
    """
    declined = [one.amount_minor for one in rewards if one.row.status == DECLINED]
    refused = sum(amount for amount in declined if amount > 0)
    forgiven = -sum(amount for amount in declined if amount < 0)
    others = sum(one.amount_minor for one in rewards if one.row.status != DECLINED)
    difference = target_minor - refused + forgiven - others
    if difference < 0:
        return max(difference, -max(others, 0)) if refused else difference
    return min(difference, max(target_minor - refused - others, 0)) if forgiven else difference
