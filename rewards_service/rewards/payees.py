"""Who is paid for an invoice, and in which shares (pure, DOMAIN S3, S5, S7)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rewards_service.mirror.queries import Key
from rewards_service.programs.rules import DEAL, TRANSACTION
from rewards_service.rewards.figures import Payee
from rewards_service.rewards.people import People
from rewards_service.rewards.queries import AnyRow, Held, Money

WHOLE = 10_000


def payees_of(
    owner: AnyRow | None, payers: list[Key], money: Money, people: People, held: list[Held]
) -> dict[str, list[Payee]]:
    """Who is paid, by what triggers a rule (S3).

    A transaction pays the partner of the invoice's first payment: another that a person names
    later is paid for later invoices (S5). Where the customer's deal is shared, its shares are paid.
    What was approved stays shared as it was, whatever becomes of deals.
    """
    if owner is None:
        return {TRANSACTION: [], DEAL: []}
    own = [money.recorded[payer] for payer in payers]
    own = [row for row in own if row.customer_id == owner.id]
    first = min(own, key=lambda r: (r.occurred_at, r.chargebee_transaction_id), default=None)
    deals = people.deals.get(owner.id, [])
    if first is not None:
        deals = known_by(deals, first.occurred_at)
    deal = next((d for d in deals if people.shares.get(d.id) or d.partner_id), None)
    found = {
        TRANSACTION: _of_transaction(owner, first, deals, people),
        DEAL: [] if deal is None else _shared(deal, people),
    }
    partner_id = owner.source_partner_id if first is None else first.partner_id
    before = _approved(held, people)
    return {
        trigger: before[trigger]
        if trigger in before and (trigger == DEAL or _is_among(partner_id, before[trigger]))
        else payees
        for trigger, payees in found.items()
    }


def known_by(deals: list[AnyRow], paid_at: datetime | None) -> list[AnyRow]:
    """A deal that came with a later payment is about later invoices. None: all of them."""
    if paid_at is None:
        return deals
    return [deal for deal in deals if deal.associated_at is None or deal.associated_at <= paid_at]


def sharing_deal(
    source_deal_id: int | None, deals: Sequence[AnyRow], shares: Mapping[int, Any]
) -> AnyRow | None:
    """The deal by whose shares a transaction pays: that which named the source partner, else the
    earliest with shares."""
    named = [deal for deal in deals if deal.id == source_deal_id]
    return next((deal for deal in named or deals if shares.get(deal.id)), None)


def _approved(held: list[Held], people: People) -> dict[str, list[Payee]]:
    """Who shares what was approved of an invoice, by what triggered it."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for one in held:
        if one.basis_points is not None:
            trigger = people.versions[one.row.rule_version_id].terms.trigger
            found[trigger][one.row.partner_id] = one.basis_points
    return {
        trigger: [Payee(*share) for share in sorted(shares.items())]
        for trigger, shares in found.items()
        if sum(shares.values()) == WHOLE
    }


def _is_among(partner_id: int | None, payees: list[Payee]) -> bool:
    """Not so once a person gave the payments to another partner."""
    return any(payee.partner_id == partner_id for payee in payees)


def _of_transaction(
    owner: AnyRow, first: AnyRow | None, deals: Sequence[AnyRow], people: People
) -> list[Payee]:
    partner_id = owner.source_partner_id if first is None else first.partner_id
    by_hand = owner.source_by_hand if first is None else first.partner_by_hand
    if partner_id is None:
        return []
    shared = sharing_deal(owner.source_deal_id, deals, people.shares)
    if shared is not None and not by_hand:
        return _shared(shared, people)
    return [Payee(partner_id, WHOLE)]


def _shared(deal: AnyRow, people: People) -> list[Payee]:
    shares = people.shares.get(deal.id)
    if shares:
        return [Payee(partner, points) for partner, points in sorted(shares)]
    return [Payee(deal.partner_id, WHOLE)]
