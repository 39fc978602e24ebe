"""The strongest invariant of rewards: working them out again gives what was posted (I7, A4)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import select, union
from sqlalchemy.orm import Session

from rewards_service.kit.db import chunks
from rewards_service.mirror.models import PaymentApplication
from rewards_service.mirror.queries import Key, select_by
from rewards_service.programs.queries import all_versions
from rewards_service.reports.findings import Finding, Invariant, about, pages
from rewards_service.rewards.assembly import draft
from rewards_service.rewards.counters import load_tally
from rewards_service.rewards.differences import missing
from rewards_service.rewards.evidence import stored_explanation
from rewards_service.rewards.models import OPEN_STATUSES, Reward
from rewards_service.rewards.people import People, load_people
from rewards_service.rewards.queries import Held, Money, load_money, load_rewards, partners_of
from rewards_service.rewards.settling import settle
from rewards_service.rewards.verdicts import Target, Verdict
from rewards_service.transactions.models import RewardDue

_PAGE = 500
_Slot = tuple[int, int]  # (rule version, partner)

# What a person may have set up since the payment was handled, and which is not paid afterwards.
SET_UP_LATER = (
    "no_source_partner", "partner_inactive", "no_rule", "rule_not_effective",
    "no_amount_for_currency",
)  # fmt: skip
# The sum itself; names of rules and which others were skipped may change with the set-up.
EXPLAINED = (
    "currency", "eligible_minor", "adjusted_minor", "payable_minor", "kept", "base", "payments",
    "whole_minor", "basis_points", "target_minor",
)  # fmt: skip


def _recalculated(session: Session) -> Iterator[Finding]:
    """Every invoice that was ever paid or rewarded, unless its reward is still due."""
    rewarded = select(Reward.integration_id, Reward.invoice_id)
    paid = select(PaymentApplication.integration_id, PaymentApplication.invoice_id)
    for page in pages(session, union(rewarded, paid), _PAGE):
        keys = {(row.integration_id, row.invoice_id) for row in page}
        yield from _compare(session, keys - _due(session, keys))


def _due(session: Session, keys: set[Key]) -> set[Key]:
    columns = (RewardDue.integration_id, RewardDue.invoice_id)
    rows = select_by(session, select(*columns), *columns, keys)
    return {(row.integration_id, row.invoice_id) for row in rows}


def _compare(session: Session, keys: set[Key]) -> Iterator[Finding]:
    versions = all_versions(session)
    money = load_money(session, keys, versions)
    held = load_rewards(session, keys)
    people = load_people(session, money, versions, partners_of(held))
    stored = _explanations(session, [one.row.id for some in held.values() for one in some])
    verdicts = {key: draft(key, money, people, held.get(key, [])) for key in sorted(keys)}
    settle(verdicts.values(), load_tally(session, versions, verdicts.values()))
    for key, verdict in verdicts.items():
        yield from _differences(verdict, held.get(key, []), money, people, stored)


def _explanations(session: Session, ids: Sequence[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in chunks(ids):
        query = select(Reward.id, Reward.explanation).where(Reward.id.in_(some))
        found.update({key: explanation for key, explanation in session.execute(query)})  # noqa: C416
    return found


def _differences(
    verdict: Verdict, held: Sequence[Held], money: Money, people: People, stored: dict[int, Any]
) -> Iterator[Finding]:
    slots: dict[_Slot, list[Held]] = defaultdict(list)
    for one in held:
        slots[(one.row.rule_version_id, one.row.partner_id)].append(one)
    wanted = {(target.version.id, target.partner_id): target for target in verdict.targets}
    for slot in sorted(slots.keys() | wanted.keys()):
        target = wanted.get(slot)
        amount = target.amount_minor if target else 0
        posted = sum(one.amount_minor for one in slots[slot])
        if missing(amount, slots[slot]) and (
            slots[slot] or _was_promised(verdict, target, held, money, people)
        ):
            yield _about(verdict, slots[slot], f"{posted} is posted, {amount} is right.")
        elif target is not None and slots[slot]:
            last = slots[slot][-1].row
            if last.status in OPEN_STATUSES and _is_misexplained(
                verdict, target, stored.get(last.id)
            ):
                yield _about(verdict, slots[slot], "its explanation tells another sum.")


def _was_promised(
    verdict: Verdict,
    target: Target | None,
    held: Sequence[Held],
    money: Money,
    people: People,
) -> bool:
    """Whether a reward that does not exist should: not where its rule was set up afterwards."""
    if target is None:
        return False
    if held:
        programs = {people.versions[one.row.rule_version_id].program_id for one in held}
        return target.version.program_id in programs
    payers = money.paid_by.get(verdict.key, [])
    return any(money.recorded[payer].reason not in SET_UP_LATER for payer in payers)


def _is_misexplained(verdict: Verdict, target: Target, stored: Any) -> bool:
    if not isinstance(stored, dict):
        return True
    right = orjson.loads(orjson.dumps(stored_explanation(verdict, target)))
    return any(stored.get(name) != right.get(name) for name in EXPLAINED)


def _about(verdict: Verdict, held: Sequence[Held], problem: str) -> Finding:
    detail = f"Invoice {verdict.key[1]}: {problem}"
    if held:
        return about("reward", held[-1].row.id, detail)
    return about("integration", verdict.key[0], detail)


INVARIANTS = (
    Invariant("rewards", "Rewards are what working them out again gives.", _recalculated),
)
