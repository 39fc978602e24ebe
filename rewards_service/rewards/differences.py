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
    what is taken back later is taken from the others only, and never makes them negative.
    """
    declined = sum(one.amount_minor for one in rewards if one.row.status == DECLINED)
    others = sum(one.amount_minor for one in rewards if one.row.status != DECLINED)
    difference = target_minor - declined - others
    return max(difference, -max(others, 0)) if declined > 0 else difference
