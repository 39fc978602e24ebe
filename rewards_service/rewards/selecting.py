"""Which rule versions speak for which payees of an invoice (pure, DOMAIN A12, A13, S3, S7)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rewards_service.programs.enrolled import Enrolled, applies
from rewards_service.programs.rules import (
    AT_ATTRIBUTION,
    Conditions,
    RuleVersion,
    in_force,
)
from rewards_service.rewards.figures import Invoice, Payee

OUTRANKED = "outranked"
NOT_EFFECTIVE = "rule_not_effective"
CONDITION = "condition_not_met"


@dataclass(slots=True)
class Setting:
    """What rules there are, who is enrolled where, and what was chosen before."""

    versions: Mapping[int, RuleVersion]
    enrolled: Mapping[int, Sequence[Enrolled]]
    frozen: Mapping[int, Mapping[int, RuleVersion]]  # partner -> rule -> version chosen before
    settled_since: Mapping[int, datetime]  # partner -> its first reward for the invoice
    attributed_at: datetime | None  # when the customer became one (A12)
    skipped: dict[int, str] = field(default_factory=dict)  # rule -> why it did not pay


def versions_for(
    setting: Setting,
    payees: Sequence[Payee],
    everyone: Sequence[Payee],
    trigger: str,
    paid_at: datetime,
) -> dict[int, list[Payee]]:
    """Rule version -> those of `payees` that it pays, for an invoice first paid at a time.

    A payee that was never in the rule's programme was given its share by a person: it goes with
    the leading one of everyone who shares.
    """
    found: dict[int, list[Payee]] = defaultdict(list)
    lead = leading(everyone)
    for payee in payees:
        for version in _versions_of(setting, payee, lead, trigger, paid_at):
            found[version.id].append(payee)
    return found


def leading(payees: Sequence[Payee]) -> Payee:
    """The payee with the largest share; of equal ones the one that was there first."""
    return min(payees, key=lambda payee: (-payee.basis_points, payee.partner_id))


def _versions_of(
    setting: Setting, payee: Payee, lead: Payee, trigger: str, paid_at: datetime
) -> list[RuleVersion]:
    partner = payee.partner_id
    before = setting.frozen.get(partner, {}).items()
    frozen = {rule: v for rule, v in before if v.terms.trigger == trigger}
    possible = [v for v in setting.versions.values() if v.terms.trigger == trigger]
    # What was set up after the invoice was first rewarded is not for it (A12).
    since = setting.settled_since.get(partner)
    possible = [
        v for v in possible if _is_for(setting, partner, lead.partner_id, v, paid_at, since)
    ]
    if since is not None:
        possible = [v for v in possible if v.rule_id not in frozen and v.created_at <= since]
    chosen = choose(possible, paid_at, setting.attributed_at)
    effective = {version.rule_id for version in chosen}
    for version in possible:
        if version.rule_id not in effective:
            setting.skipped.setdefault(version.rule_id, NOT_EFFECTIVE)
    return sorted([*frozen.values(), *chosen], key=lambda version: version.rule_id)


def _is_for(
    setting: Setting, partner: int, lead: int, version: RuleVersion, at: datetime,
    since: datetime | None,
) -> bool:  # fmt: skip
    own = _entered(setting, partner, since)
    if any(one.program_id == version.program_id for one in own) or partner == lead:
        return applies(own, version, at)
    return applies(_entered(setting, lead, since), version, at)


def _entered(setting: Setting, partner: int, since: datetime | None) -> list[Enrolled]:
    """Where a partner is enrolled, as it was entered up to a time."""
    return [
        one for one in setting.enrolled.get(partner, ())
        if since is None or one.entered_at is None or one.entered_at <= since
    ]  # fmt: skip


def choose(
    versions: Iterable[RuleVersion], paid_at: datetime, attributed_at: datetime | None
) -> list[RuleVersion]:
    """One version of each rule: by payment date, or by the date of the attribution (A12)."""
    some = list(versions)
    by_payment = {version.rule_id: version for version in in_force(some, paid_at)}
    if attributed_at is None:
        return list(by_payment.values())
    locked = {version.rule_id: version for version in in_force(some, min(attributed_at, paid_at))}
    found = dict(by_payment)
    for rule_id, version in by_payment.items():
        before = locked.get(rule_id)
        if before is not None and before.terms.rate_lock == AT_ATTRIBUTION:
            found[rule_id] = before
        elif version.terms.rate_lock == AT_ATTRIBUTION:
            if before is None:
                del found[rule_id]
            else:
                found[rule_id] = before
    return list(found.values())


def meets(conditions: Conditions, invoice: Invoice, country: str | None) -> bool:
    """Whether a rule is for the invoice's customer; an unknown country is in no list."""
    if conditions.countries and country not in conditions.countries:
        return False
    if country is not None and country in conditions.excluded_countries:
        return False
    if conditions.customer_ids and invoice.customer_id not in conditions.customer_ids:
        return False
    return invoice.customer_id not in conditions.excluded_customer_ids


def outranked(versions: Iterable[RuleVersion], frozen: Iterable[int]) -> set[int]:
    """Rules that lose within their stack group: highest priority wins, tie lowest id (A13).

    A rule that was chosen for the invoice before stays the winner. Percent and flat are never
    compared. Rules without a group always pay. A rule may stand here more than once, for several
    payees: it does not outrank itself.
    """
    chosen = set(frozen)
    groups: dict[str, list[RuleVersion]] = defaultdict(list)
    for version in versions:
        if version.terms.stack_group is not None:
            groups[version.terms.stack_group].append(version)
    losers: set[int] = set()
    for members in groups.values():
        ranked = sorted(
            members, key=lambda v: (v.rule_id not in chosen, -v.terms.priority, v.rule_id)
        )
        losers |= {version.rule_id for version in ranked} - {ranked[0].rule_id}
    return losers
