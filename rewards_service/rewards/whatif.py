"""Rewards worked out as if a rule had always been another: nothing is stored (DOMAIN A12)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from rewards_service.programs.rules import RuleVersion
from rewards_service.rewards import counters, queries
from rewards_service.rewards.assembly import draft
from rewards_service.rewards.counting import Tally
from rewards_service.rewards.people import People, load_people
from rewards_service.rewards.queries import Money
from rewards_service.rewards.settling import settle
from rewards_service.rewards.verdicts import Key, Verdict

_PAGE = 500


class Given(NamedTuple):
    """What a rule gives a partner for an invoice, minor units."""

    rule_id: int
    partner_id: int
    currency: str
    amount_minor: int
    paid_at: datetime  # of the payment that decides which version counts


class Book:
    """Invoices judged one batch after the other, under versions of one's choice, in memory.

    Rewards that exist play no part: everything is given for the first time. What counts
    (tiers, caps, first payments) counts the invoices of this book only.
    """

    def __init__(self, versions: Mapping[int, RuleVersion]) -> None:
        self.versions = dict(versions)
        self.given: dict[Key, list[Given]] = {}
        self._tally = counters.empty_tally(versions)

    def judge(self, session: Session, keys: Collection[Key], money: Money, people: People) -> None:
        """Judge loaded invoices, and again those on which they have a bearing."""
        mine = replace(people, versions=self.versions)
        verdicts = [draft(key, money, mine, []) for key in sorted(keys)]
        settle(verdicts, self._tally)
        for verdict in verdicts:
            self.given[verdict.key] = list(_given(verdict))
        again = _concerned(self._tally)
        for news in (self._tally.freed, self._tally.restated, self._tally.changed):
            news.clear()
        self._tally.entries.clear()
        if again:
            self.judge(session, again, *_load(session, again, self.versions))


def _concerned(tally: Tally) -> set[Key]:
    """Invoices that a cap may give more now, and those that a restating tier rates anew."""
    freed = {scope[0] for scope in tally.freed}
    found = {
        slot[0]
        for slot, claim in tally.claims.items()
        if slot[1] in freed and claim.given_minor < claim.wanted_minor
    }
    for rule_id, partner_id, period in tally.restated:
        found |= {
            slot[0]
            for slot, place in tally.places.items()
            if slot[1:] == (rule_id, partner_id) and period.has(place.counted_on)
        }
    return found


def _given(verdict: Verdict) -> Iterator[Given]:
    for target in verdict.targets:
        yield Given(
            target.version.rule_id, target.partner_id, verdict.currency, target.amount_minor,
            target.offer.anchor.paid_at,
        )  # fmt: skip


def judge_all(session: Session, keys: list[Key], *books: Book) -> None:
    """Go through invoices in the order given, in each of the books."""
    versions = {key: version for book in books for key, version in book.versions.items()}
    for start in range(0, len(keys), _PAGE):
        some = keys[start : start + _PAGE]
        money, people = _load(session, some, versions)
        for book in books:
            book.judge(session, some, money, people)


def _load(
    session: Session, keys: Collection[Key], versions: Mapping[int, RuleVersion]
) -> tuple[Money, People]:
    money = queries.load_money(session, keys, versions)
    return money, load_people(session, money, dict(versions))
