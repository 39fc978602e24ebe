"""What publishing a draft of a rule would have cost over a time that is past (DOMAIN A9-A13)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import Unprocessable
from rewards_service.kit.refusals import invalid_member
from rewards_service.mirror.models import PaymentApplication
from rewards_service.programs.queries import all_versions
from rewards_service.programs.rules import RuleVersion
from rewards_service.programs.service import draft_rule, draft_version
from rewards_service.rewards import whatif
from rewards_service.rewards.verdicts import Key
from rewards_service.transactions.models import Transaction

MOST_INVOICES = 5_000  # in a request: what a person is willing to wait for
LONGEST_LIST = 100
_A_YEAR = timedelta(days=365)
Days = tuple[date | None, date | None]  # the first and the last, both counted


class TooMuchToPreview(Unprocessable):
    code = "too_much_to_preview"
    title = "The time is too long to be previewed in a request."


class Amounts(NamedTuple):
    """Minor units given by the rule as it is, by the draft, and what other rules give more.

    Other rules give more or less where they share a stack group with the rule.
    """

    current_minor: int
    draft_minor: int
    others_minor: int

    @property
    def difference_minor(self) -> int:
        """What all rules together would have cost more."""
        return self.draft_minor - self.current_minor + self.others_minor


@dataclass(frozen=True)
class Preview:
    """`partners`: by (partner, currency); `invoices`: those that differ most, largest first."""

    rule_id: int
    version: int
    from_on: date
    until_on: date
    invoice_count: int
    changed_count: int
    partners: Mapping[tuple[int, str], Amounts] = field(default_factory=dict)
    invoices: list[tuple[Key, int, str, Amounts]] = field(default_factory=list)

    @property
    def totals(self) -> dict[str, Amounts]:
        found: dict[str, Amounts] = defaultdict(lambda: Amounts(0, 0, 0))
        for (_, currency), amounts in self.partners.items():
            found[currency] = _plus(found[currency], amounts)
        return dict(found)


def preview(
    session: Session,
    rule_id: int,
    changes: Mapping[str, Any],
    from_on: date | None = None,
    until_on: date | None = None,
    most: int | None = MOST_INVOICES,
) -> Preview:
    """Compare a rule with what `changes` would make of it, over payments of past days.

    The days are those of the programme's time zone, both of them counted; without them it is the
    last year. The draft counts from its `effective_from`, and without one as if there had never
    been another version. Raises NotFound, Unprocessable for what no rule can be, TooMuchToPreview
    beyond `most` invoices.
    """
    drafted = draft_version(session, rule_id, changes)._replace(id=0)
    return _compare(session, drafted, "effective_from" in changes, (from_on, until_on), most)


def preview_new(
    session: Session,
    wanted: Mapping[str, Any],
    from_on: date | None = None,
    until_on: date | None = None,
    most: int | None = MOST_INVOICES,
) -> Preview:
    """The same for a rule that does not exist yet, whose `rule_id` and `version` are 0 here.

    wanted: as `create_rule` takes it. Raises as `preview` does.
    """
    drafted = draft_rule(session, wanted)
    return _compare(session, drafted, "effective_from" in wanted, (from_on, until_on), most)


def _compare(
    session: Session, drafted: RuleVersion, dated: bool, days: Days, most: int | None
) -> Preview:
    """What a draft gives in the place of its rule; `dated`: from its time on only."""
    rule_id = drafted.rule_id
    versions = all_versions(session)
    others = versions
    if not dated:
        drafted = drafted._replace(effective_from=None)
        others = {key: one for key, one in versions.items() if one.rule_id != rule_id}
    newest = max((one.version for one in versions.values() if one.rule_id == rule_id), default=0)
    from_on, until_on = days
    last = until_on or utc_now().astimezone(ZoneInfo(drafted.timezone)).date()
    first = from_on or last - _A_YEAR
    if first > last:
        raise invalid_member("until_on", "The last day lies before the first.")
    start, end = _instants(first, last, drafted.timezone)
    counts = any(one.terms.counts for one in (*versions.values(), drafted))
    keys = _past_invoices(session, None if counts else start, end, most)
    current, wanted = whatif.Book(versions), whatif.Book({**others, 0: drafted})
    whatif.judge_all(session, keys, current, wanted)
    invoices = _by_invoice(current, wanted, rule_id, start, end)
    changed = [one for one in invoices if one[3].difference_minor]
    changed.sort(key=lambda one: (-abs(one[3].difference_minor), one[0], one[1]))
    return Preview(
        rule_id, newest, first, last, len({one[0] for one in invoices}),
        len({one[0] for one in changed}), _by_partner(invoices), changed[:LONGEST_LIST],
    )  # fmt: skip


def _instants(first: date, last: date, timezone: str) -> tuple[datetime, datetime]:
    zone = ZoneInfo(timezone)
    after = last + timedelta(days=1)
    return datetime.combine(first, time.min, zone), datetime.combine(after, time.min, zone)


def _past_invoices(
    session: Session, start: datetime | None, end: datetime, most: int | None
) -> list[Key]:
    """Invoices with recorded payments of a time, as the log brought them."""
    paid, record = PaymentApplication, Transaction
    by = (paid.integration_id, paid.invoice_id)
    same = (record.integration_id == paid.integration_id) & (
        record.chargebee_transaction_id == paid.transaction_id
    )
    query: Any = select(*by).join(record, same).where(record.occurred_at < end).group_by(*by)
    if start is not None:
        query = query.where(record.occurred_at >= start)
    if most is not None and _are_more(session, query, most):
        raise TooMuchToPreview(
            f"More than {most} invoices would have to be worked out. Choose a shorter time (where "
            "a rule counts tiers, caps or payments, all before it is needed too), or run "
            "`rewards preview-rule`, which has no limit."
        )
    ordered = query.order_by(func.min(record.received_event_id), *by)
    return [(site, invoice) for site, invoice in session.execute(ordered)]


def _are_more(session: Session, query: Any, most: int) -> bool:
    """Whether a query gives more rows than that; it is not asked for all of them, or in order."""
    some = query.limit(most + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > most


def _by_invoice(
    current: whatif.Book, wanted: whatif.Book, rule_id: int, start: datetime, end: datetime
) -> list[tuple[Key, int, str, Amounts]]:
    """(invoice, partner, currency, amounts) of whatever either of the two gives."""
    found = []
    for key in sorted(current.given.keys() | wanted.given.keys()):
        sums: dict[tuple[int, str], Amounts] = defaultdict(lambda: Amounts(0, 0, 0))
        for book, sign in ((current, -1), (wanted, 1)):
            for one in book.given.get(key, ()):
                if start <= one.paid_at < end:
                    slot = one.partner_id, one.currency
                    sums[slot] = _plus(sums[slot], _amounts(one, rule_id, sign))
        found += [(key, *slot, amounts) for slot, amounts in sorted(sums.items())]
    return found


def _amounts(one: whatif.Given, rule_id: int, sign: int) -> Amounts:
    if one.rule_id != rule_id:
        return Amounts(0, 0, sign * one.amount_minor)
    return Amounts(one.amount_minor, 0, 0) if sign < 0 else Amounts(0, one.amount_minor, 0)


def _by_partner(
    invoices: list[tuple[Key, int, str, Amounts]],
) -> dict[tuple[int, str], Amounts]:
    found: dict[tuple[int, str], Amounts] = defaultdict(lambda: Amounts(0, 0, 0))
    for _, partner_id, currency, amounts in invoices:
        found[(partner_id, currency)] = _plus(found[(partner_id, currency)], amounts)
    return {key: found[key] for key in sorted(found)}


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return Amounts(*(a + b for a, b in zip(one, other, strict=True)))
