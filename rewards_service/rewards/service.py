"""Calculate rewards of due invoices and post what is missing (DOMAIN A4, V9)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy.orm import Session

from rewards_service.crm.models import AttributionConflict
from rewards_service.kit.clock import utc_now
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import (
    insert_missing,
    update_many,
)
from rewards_service.mirror.queries import Key
from rewards_service.programs.queries import all_versions
from rewards_service.rewards import counters, queries
from rewards_service.rewards.assembly import draft
from rewards_service.rewards.changes import Changes, compare
from rewards_service.rewards.people import load_people
from rewards_service.rewards.queries import Money
from rewards_service.rewards.settling import settle
from rewards_service.rewards.verdicts import Verdict
from rewards_service.transactions.models import Transaction
from rewards_service.transactions.queries import lock_free_ones


class Calculated(NamedTuple):
    """What a calculation posted, and whether others were given what it left of a cap."""

    kinds: list[str]  # of ledger entries
    gave_room: bool


def calculate(session: Session, causes: Mapping[Key, int | None]) -> Calculated:
    """Bring rewards of these invoices to their targets: invoice -> causing event.

    Where a cap has room again or a tier rates anew, the invoices concerned follow at once.
    Counters are gone through cause by cause, in their order. The caller owns the transaction and
    has the rewards stage to itself.
    """
    versions = all_versions(session)
    money = queries.load_money(session, causes.keys(), versions)
    keys = sorted(money.invoices.keys() | causes.keys())
    held = queries.load_rewards(session, keys)
    people = load_people(session, money, versions, queries.partners_of(held))
    verdicts = {key: draft(key, money, people, held.get(key, [])) for key in keys}
    for key, verdict in verdicts.items():
        verdict.cause_log_id = causes.get(key) or 0
    tally = counters.load_tally(session, versions, verdicts.values())
    settle(verdicts.values(), tally)
    changes = Changes()
    for key, verdict in verdicts.items():
        compare(verdict, held.get(key, []), causes.get(key), money, changes)
    crash_point("rewards.compared")
    kinds = changes.write(session)
    crash_point("rewards.written")
    _write_reasons(session, money, verdicts)
    _open_conflicts(session, verdicts.values())
    counters.keep_tally(session, tally, verdicts)
    crash_point("rewards.counted")
    again = counters.to_look_at_again(session, tally)
    newest = max((cause for cause in causes.values() if cause is not None), default=None)
    if again:
        kinds += calculate(session, dict.fromkeys(sorted(again), newest)).kinds
    return Calculated(kinds, bool(tally.freed))


def _write_reasons(session: Session, money: Money, verdicts: Mapping[Key, Verdict]) -> None:
    """Say on each payment of the due invoices why it earned nothing; None when it earned (V11)."""
    touched = {payer for key in money.due for payer in money.paid_by.get(key, [])}
    changed = []
    for payer in sorted(touched):
        row = money.recorded[payer]
        reason = _reason(payer, money, verdicts)
        if reason != row.reason:
            changed.append({"id": row.id, "reason": reason})
    # Whoever changes a payment right now makes its invoices due again, and waits for us to finish
    # with them: to wait for it in turn would be a deadlock.
    free = lock_free_ones(session, [row["id"] for row in changed])
    update_many(session, Transaction, [row for row in changed if row["id"] in free])


def _reason(payer: Key, money: Money, verdicts: Mapping[Key, Verdict]) -> str | None:
    reasons = [
        verdicts[(payer[0], invoice_id)].reasons.get(payer, "unapplied_payment")
        if (payer[0], invoice_id) in verdicts
        else "parked_missing_parent"
        for invoice_id, applied in money.applications[payer].items()
        if applied > 0
    ]
    if not reasons:
        return "unapplied_payment"
    if "parked_missing_parent" in reasons:
        return "parked_missing_parent"
    return None if None in reasons else reasons[0]


def _open_conflicts(session: Session, verdicts: Iterable[Verdict]) -> None:
    """A3: an invoice whose payable is gone while cash is kept needs a person."""
    rows = [
        {
            "kind": "inconsistent_invoice",
            "natural_key": f"inconsistent_invoice:{verdict.key[0]}:{verdict.key[1]}",
            "subject_kind": "integration",
            "subject_id": verdict.key[0],
            "candidates": {"chargebee_invoice_id": verdict.key[1]},
            "opened_at": utc_now(),
        }
        for verdict in verdicts
        if verdict.inconsistent
    ]
    insert_missing(session, AttributionConflict, rows)
