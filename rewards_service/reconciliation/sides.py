"""One transaction or credit note as one of the two sides has it (pure)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rewards_service.chargebee import resources, wire
from rewards_service.chargebee.resources import CREDIT_NOTE, PAYMENT, REFUND, REVERSAL, TRANSACTION
from rewards_service.chargebee.wire import BadPayload, Payload

SECTIONS = (TRANSACTION, CREDIT_NOTE)
KINDS = (PAYMENT, REFUND, REVERSAL)  # of transactions; an authorization moves no money
SUCCESS = "success"
# What the books are calculated from; `dated_at` is the time that the period is about. Sums over
# lines are left out: lists may show the first lines of a long note only.
FACTS = {
    TRANSACTION: (
        "kind", "status", "amount_minor", "currency", "unused_minor", "customer_id", "source_id",
        "dated_at",
    ),
    CREDIT_NOTE: (
        "kind", "status", "total_minor", "currency", "customer_id", "invoice_id", "reason_code",
        "dated_at",
    ),
}  # fmt: skip
_LINES = {PAYMENT: "payments", REFUND: "refunds", REVERSAL: "reversals"}  # others are notes


class Side(NamedTuple):
    """A version of an object. `facts`: members of FACTS, `deleted`, and what it was applied to.

    `changed_at` is when Chargebee last changed it, None when it does not say. `problem`: why it
    cannot be read; then only the id and the time are to be relied on.
    """

    section: str
    external_id: str
    dated_at: datetime
    version: int
    digest: bytes
    facts: dict[str, Any]
    changed_at: datetime | None = None
    problem: str | None = None

    @property
    def amount_minor(self) -> int:
        found = self.facts.get("amount_minor", self.facts.get("total_minor", 0))
        return int(found)

    @property
    def line(self) -> tuple[str, str] | None:
        """(line of the sums, currency) where it counts as money; None where it does not."""
        facts = self.facts
        if facts.get("deleted") or not facts.get("currency"):
            return None
        is_note = self.section == CREDIT_NOTE
        counts = facts["status"] != "voided" if is_note else facts["status"] == SUCCESS
        name = f"{facts['kind']}_notes" if is_note else _LINES[facts["kind"]]
        return (name, facts["currency"]) if counts else None


def theirs(section: str, payload: Payload) -> Side | None:
    """A listed object of Chargebee's; None when it has no usable id or time."""
    external_id, dated_at = payload.get("id"), wire.epoch(payload.get("date"))
    if not isinstance(external_id, str) or dated_at is None:
        return None
    changed_at = wire.epoch(payload.get("updated_at"))
    try:
        item = resources.read(section, payload, False, False, "")
    except BadPayload as problem:
        return Side(section, external_id, dated_at, 0, b"", {}, changed_at, str(problem))
    applied = {name: minor for name, minor in item.applications if minor}
    facts = {name: item.columns[name] for name in FACTS[section]}
    facts |= {"deleted": item.deleted, "applied": applied}
    return Side(
        section, external_id, dated_at, item.resource_version, item.body_sha256, facts, changed_at
    )


def ours(section: str, row: Any, applied: Mapping[str, int]) -> Side:
    """A row of the mirror. applied: invoice -> minor units, of a payment."""
    facts = {name: getattr(row, name) for name in FACTS[section]}
    facts |= {"deleted": row.deleted, "applied": dict(applied)}
    return Side(
        section, row.external_id, row.dated_at, row.resource_version, row.body_sha256, facts
    )


def differences(there: Side, here: Side) -> list[dict[str, Any]]:
    """The facts in which the two sides differ: `field`, and both values."""
    if there.digest == here.digest:
        return []
    return [
        {"field": name, "there": shown(value), "here": shown(here.facts.get(name))}
        for name, value in there.facts.items()
        if value != here.facts.get(name)
    ]


def shown(value: Any) -> Any:
    """A fact as JSON has it."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


class Sums:
    """Counts and sums of both sides by line and currency: exact, and never across currencies."""

    def __init__(self, kept: Sequence[Mapping[str, Any]] = ()) -> None:
        self._of: dict[tuple[str, str], list[int]] = {
            (row["line"], row["currency"]): [
                row["there_count"], row["there_minor"], row["here_count"], row["here_minor"]
            ]
            for row in kept
        }  # fmt: skip

    def add(self, there: Side | None, here: Side | None) -> None:
        for offset, side in ((0, there), (2, here)):
            if side is not None and side.line is not None:
                found = self._of.setdefault(side.line, [0, 0, 0, 0])
                found[offset] += 1
                found[offset + 1] += side.amount_minor

    def rows(self) -> list[dict[str, Any]]:
        """`line, currency, there_count, there_minor, here_count, here_minor, difference_minor`."""
        return [
            {
                "line": line, "currency": currency, "there_count": counted[0],
                "there_minor": counted[1], "here_count": counted[2], "here_minor": counted[3],
                "difference_minor": counted[1] - counted[3],
            }
            for (line, currency), counted in sorted(self._of.items())
        ]  # fmt: skip
