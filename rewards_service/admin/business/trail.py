"""How one thing came from another: payment, event, transaction, customer, lead, partner, reward."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.business.naming import NOBODY, Names, link_customer, link_deal, link_lead
from rewards_service.admin.business.sharing import Sharing
from rewards_service.admin.layout import moment, money
from rewards_service.admin.places import link_to
from rewards_service.chargebee.console import TRANSACTIONS
from rewards_service.crm import listing as crm
from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.inbox.listing import rewards_of_transactions
from rewards_service.kit.pages import Paging
from rewards_service.payouts.models import PayoutLine
from rewards_service.payouts.queries import entry_sums
from rewards_service.programs.queries import all_versions
from rewards_service.rewards.models import Reward
from rewards_service.transactions.listing import list_transactions
from rewards_service.transactions.models import Transaction

SHOWN = 3  # of several rewards, leads or deals in a chain
_FIRST = Paging(1, descending=False, after=None)
Link = tuple[str, Markup, Any, bool]


class RewardLine(NamedTuple):
    """A reward with its amount, the rule that gave it, and the payout it is in."""

    reward: Reward
    amount_minor: int
    partner: Markup
    rule: Markup
    payout_id: int | None


@dataclass(slots=True)
class Story:
    """Everything that hangs together with one payment, as far as there is any."""

    customer: Customer | None = None
    payment: Transaction | None = None
    leads: Sequence[Lead] = ()
    deals: Sequence[Deal] = ()
    rewards: list[RewardLine] = field(default_factory=list)
    partners: Sequence[int | None] = (None,)  # whose it was when it was paid


def story_of(
    session: Session, customer_id: int | None, payment: Transaction | None = None
) -> Story:
    """A customer with what brought it and came of it; without `payment`: of its first one."""
    if customer_id is None:
        return Story()
    if payment is None:
        rows = list_transactions(session, _FIRST, {"customer_id": customer_id}).rows
        payment = rows[0][0] if rows else None
    leads = crm.leads_of(session, [customer_id])[customer_id]
    deals = crm.deals_of(session, [customer_id])[customer_id]
    found: list[int] = []
    if payment is not None:
        found = rewards_of_transactions(session, [payment.id])[payment.id]
    customer = session.get(Customer, customer_id)
    return Story(
        customer,
        payment,
        session.scalars(select(Lead).where(Lead.id.in_(leads)).order_by(Lead.converted_at)).all(),
        session.scalars(select(Deal).where(Deal.id.in_(deals)).order_by(Deal.id)).all(),
        reward_lines(session, found),
        _partners(session, customer, payment),
    )


def _partners(
    session: Session, customer: Customer | None, payment: Transaction | None
) -> Sequence[int | None]:
    sharing = Sharing(session, [customer.id] if customer else [])
    if payment is not None:
        return sharing.of_payment(payment, customer)
    return sharing.of_customer(customer) if customer else [None]


def reward_lines(session: Session, reward_ids: Sequence[int]) -> list[RewardLine]:
    """Rewards as tables show them, the newest last."""
    rows = session.scalars(select(Reward).where(Reward.id.in_(reward_ids)).order_by(Reward.id))
    rewards = rows.all()
    amounts, payouts = entry_sums(session, reward_ids), payouts_of(session, reward_ids)
    names = Names(session, partners=[reward.partner_id for reward in rewards])
    versions = all_versions(session) if rewards else {}
    return [
        RewardLine(
            reward, amounts.get(reward.id, 0), names.partner(reward.partner_id),
            _rule(versions.get(reward.rule_version_id)), payouts.get(reward.id),
        )
        for reward in rewards
    ]  # fmt: skip


def _rule(version: Any) -> Markup:
    if version is None:
        return Markup("-")
    return link_to("reward_rule", version.rule_id, f"{version.name}, version {version.version}")


def payouts_of(session: Session, reward_ids: Sequence[int]) -> dict[int, int]:
    """Reward -> the payout it is in, unless that was cancelled."""
    query = select(PayoutLine.reward_id, PayoutLine.payout_id).where(
        PayoutLine.reward_id.in_(reward_ids), PayoutLine.active
    )
    return {reward: payout for reward, payout in session.execute(query)}  # noqa: C416


def chain_of(session: Session, story: Story) -> list[Link]:
    """The links of `detail.chain`; what is not there yet says so."""
    payment, customer = story.payment, story.customer
    sites = [payment.integration_id] if payment else []
    names = Names(session, partners=story.partners, sites=sites)
    return [
        *_of_payment(payment, names),
        ("Customer", link_customer(customer), "", customer is not None),
        _origin(story),
        ("Partner", names.partners(story.partners), "", list(story.partners) != [None]),
        _of_rewards(story.rewards),
        _of_payouts(story.rewards),
    ]


def begun(chain: Sequence[Link], origin: tuple[str, Markup], partners: Markup) -> list[Link]:
    """The chain of a lead or deal that nothing came of yet: itself, and whose it is."""
    own = {
        "Lead or deal": (*origin, "this one", True),
        "Partner": ("Partner", partners, "", partners != NOBODY),
    }
    return [own.get(link[0], link) for link in chain]


def _of_payment(payment: Transaction | None, names: Names) -> list[Link]:
    if payment is None:
        return [("Chargebee payment", Markup("none yet"), "", False)]
    site, name = payment.integration_id, payment.chargebee_transaction_id
    paid = money(payment.amount_minor, payment.currency)
    return [
        ("Chargebee payment", names.console(site, TRANSACTIONS, name), paid, True),
        ("Event", link_to("event", payment.received_event_id), "", True),
        ("Transaction", link_to("transaction", payment.id), moment(payment.occurred_at), True),
    ]


def _origin(story: Story) -> Link:
    links = [link_lead(lead) for lead in story.leads] + [link_deal(deal) for deal in story.deals]
    title = " and ".join(
        word for word, some in (("Lead", story.leads), ("deal", story.deals)) if some
    )
    more = f"and {len(links) - SHOWN} more" if len(links) > SHOWN else ""
    title = f"{title[:1].upper()}{title[1:]}" or "Lead or deal"
    return title, Markup(", ").join(links[:SHOWN]) or Markup("none"), more, bool(links)


def _of_rewards(rewards: Sequence[RewardLine]) -> Link:
    if not rewards:
        return "Reward", Markup("none"), "", False
    links = [
        link_to("reward", line.reward.id, money(line.amount_minor, line.reward.currency))
        for line in rewards[:SHOWN]
    ]
    words = ", ".join(sorted({line.reward.status.replace("_", " ") for line in rewards}))
    return "Reward", Markup(", ").join(links), words, True


def _of_payouts(rewards: Sequence[RewardLine]) -> Link:
    keys = sorted({line.payout_id for line in rewards if line.payout_id is not None})
    links = [link_to("payout", key) for key in keys[:SHOWN]]
    return "Payout", Markup(", ").join(links) or Markup("not yet"), "", bool(links)
