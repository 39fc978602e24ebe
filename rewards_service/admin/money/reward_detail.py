"""What the page of one reward shows: how it came about, what was posted, what happened to it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.activity import names_of
from rewards_service.admin.layout import money
from rewards_service.admin.money import deciding, names
from rewards_service.admin.pages import actor, may
from rewards_service.admin.places import link_to
from rewards_service.admin.tones import tone_of, worded
from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.partners.models import Partner
from rewards_service.payouts.models import Payout, PayoutLine
from rewards_service.rewards import adjusting, listing, reasons, review
from rewards_service.rewards.explaining import render
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction

Link = tuple[
    str, Any, Any, bool
]  # of a chain: what, link or text, a few words, whether it is there
# What a step of an explanation is about; those of MONEY have an amount.
STEPS = {
    "eligible": "What counts of the invoice", "payable": "What is payable", "payment": "Payment",
    "kept": "What is kept", "base": "The base", "window": "Place in the window", "tier": "Tier",
    "rate": "Rate", "reward": "By the rule", "maximum": "Maximum", "cap": "Cap",
    "share": "The partner's share", "difference": "Less earlier rewards", "by hand": "By hand",
    "taken back": "Taken back",
}  # fmt: skip
_NO_MONEY = ("window", "tier", "rate")
KINDS = {
    "earn": "Earned", "reverse": "Taken back", "adjust": "Adjusted by hand",
    "manual": "Posted by hand", "cap_release": "Room under a cap again",
}  # fmt: skip
_MOVED = {
    "pending": "Back to review", "hold": "Put on hold", "approved": "Approved",
    "declined": "Declined", "in_payout": "Put into a payout", "paid": "Paid",
}  # fmt: skip
_TAKEN_BACK_WITHIN = timedelta(hours=1)


class Step(NamedTuple):
    """One step of the sum, in words; `value_minor` None where it is no amount."""

    title: str
    detail: str
    value_minor: int | None


class Posted(NamedTuple):
    """An entry of the ledger with what the reward came to after it."""

    entry: listing.Entry
    what: str
    why: Any
    net_minor: int


def values_of(session: Session, reward: Reward) -> dict[str, Any]:
    """Everything that the page shows."""
    entries = listing.entries_of(session, [reward.id])[reward.id]
    history = listing.activity_of(session, reward.id)
    who = names_of(session, {one["actor"] for one in history})
    customer, partner = session.get(Customer, reward.customer_id), _partner(session, reward)
    rule = names.rule_names(session, [reward.rule_version_id]).get(reward.rule_version_id)
    return {
        "reward": reward, "id": ids.encode("rew", reward.id),
        "net_minor": sum(entry.amount_minor for entry in entries),
        "partner": names.linked("partner", reward.partner_id, partner),
        "customer": names.linked("customer", reward.customer_id, _called(customer)),
        "rule": _rule(rule), "invoice": names.foreign(reward.invoice_id),
        "hold": _hold(reward, history),
        "flags": [names.FLAGS.get(flag, flag) for flag in reward.flags or ()],
        "explained": _explained(reward, entries),
        "chain": _chain(session, reward, customer, partner),
        "posted": _posted(entries, who),
        "history": [_line(one, reward, who) for one in reversed(history)],
        "actions": deciding.possible(reward.status) if may("rewards:write") else [],
        "undo": _undo(history, reward) if may("rewards:write") else None,
    }  # fmt: skip


def _hold(reward: Reward, history: Sequence[dict[str, Any]]) -> str | None:
    """Why it is held; a person's hold in that person's words."""
    reason = reward.hold_reason
    if reason is None:
        return None
    said = [one["reason"] for one in history if one["kind"] == listing.MOVE]
    own = said[-1] if reason == review.BY_HAND and said else None
    return ": ".join(filter(None, (names.HOLDS.get(reason, reason), own)))


def _rule(rule: names.RuleName | None) -> Any:
    if rule is None:
        return "-"
    link = names.linked("reward_rule", rule.rule_id, rule.name)
    return Markup("{}, version {}").format(link, rule.version)


def _explained(reward: Reward, entries: Sequence[listing.Entry]) -> dict[str, Any]:
    """Steps and text, and the exact data behind them."""
    found = adjusting.explain(render(reward.explanation), entries, reward.currency)
    steps = [
        Step(
            STEPS.get(step["label"], step["label"]), step["detail"],
            None if step["label"] in _NO_MONEY else step["value_minor"],
        )
        for step in found["steps"]
    ]  # fmt: skip
    skipped = [
        (link_to("reward_rule", key), reasons.OF_RULES.get(one["reason"], one["reason"]))
        for one in found["skipped_rules"] if (key := ids.decode("rul", one["rule_id"]))
    ]  # fmt: skip
    exact = orjson.dumps(found["inputs"], option=orjson.OPT_INDENT_2).decode()
    return {"steps": steps, "text": found["text"], "skipped": skipped, "exact": exact}


def _chain(
    session: Session, reward: Reward, customer: Customer | None, partner: str | None
) -> list[Link]:
    """How the money of a payment became this reward, and where it goes."""
    paid = _transactions(session, reward)
    return [
        *_payment(paid), _source(session, customer),
        ("Partner", names.linked("partner", reward.partner_id, partner), "", True),
        ("Reward", money_of(session, reward), worded(reward.status), True),
        _payout(session, reward),
    ]  # fmt: skip


def money_of(session: Session, reward: Reward) -> str:
    """What a reward comes to, net, as people read it."""
    (sum_,) = deciding.sums_of(session, [reward])
    return money(sum_.amount_minor, reward.currency)


def _transactions(session: Session, reward: Reward) -> list[Transaction]:
    keys = listing.transactions_of(session, [reward.id])[reward.id] or [reward.transaction_id]
    found = {row.id: row for row in session.scalars(_by_id(Transaction, keys))}
    return [found[key] for key in keys if key in found]


def _by_id(model: Any, keys: Sequence[int]) -> Any:
    return select(model).where(model.id.in_(keys))


def _payment(paid: Sequence[Transaction]) -> list[Link]:
    if not paid:
        return [("Payment", "-", "not on record any more", False)]
    first, others = paid[0], len(paid) - 1
    more = f"and {others} more of the same invoice" if others else "received from Chargebee"
    event = names.linked("event", first.received_event_id, first.chargebee_transaction_id)
    amount = money(first.amount_minor, first.currency)
    return [
        ("Payment", event, more, True),
        ("Transaction", link_to("transaction", first.id, amount), worded(first.status), True),
    ]


def _source(session: Session, customer: Customer | None) -> Link:
    """The customer, and what brought it to the partner."""
    if customer is None:
        return ("Customer", "-", "", False)
    words: Any = "attributed by hand"
    if customer.source_deal_id and (deal := session.get(Deal, customer.source_deal_id)):
        words = Markup("by deal {}").format(names.linked("deal", deal.id, deal.name))
    elif customer.source_lead_id and (lead := session.get(Lead, customer.source_lead_id)):
        words = Markup("by lead {}").format(names.linked("lead", lead.id, lead.email))
    return ("Customer", names.linked("customer", customer.id, _called(customer)), words, True)


def _payout(session: Session, reward: Reward) -> Link:
    query = (
        select(Payout)
        .join(PayoutLine, PayoutLine.payout_id == Payout.id)
        .where(PayoutLine.reward_id == reward.id, PayoutLine.active)
    )
    payout = session.scalars(query).first()
    if payout is None:
        return ("Payout", "none yet", "", False)
    total = money(payout.total_minor, payout.currency)
    return ("Payout", link_to("payout", payout.id, total), worded(payout.status), True)


def _posted(entries: Sequence[listing.Entry], who: dict[str, str]) -> list[Posted]:
    found, net = [], 0
    for entry in entries:
        net += entry.amount_minor
        found.append(Posted(entry, KINDS[entry.kind], _why(entry, who), net))
    return found


def _why(entry: listing.Entry, who: dict[str, str]) -> Any:
    if entry.cause_event_id is not None:
        return Markup("event {}").format(link_to("event", entry.cause_event_id))
    return f"{who.get(entry.actor or '', 'the service')}: {entry.reason or 'no reason given'}"


def _line(one: dict[str, Any], reward: Reward, who: dict[str, str]) -> tuple[Any, ...]:
    """A line of the history: when, what, who and why, tone."""
    by = who[one["actor"]]
    words = f"{by}: {one['reason']}" if one["reason"] else by
    if one["kind"] == listing.MOVE:
        return one["at"], _MOVED[one["to_status"]], words, tone_of(one["to_status"])
    what = f"{KINDS[one['kind']]}: {money(one['amount_minor'], reward.currency)}"
    return one["at"], what, words, "danger" if one["amount_minor"] < 0 else "neutral"


def _undo(history: Sequence[dict[str, Any]], reward: Reward) -> dict[str, Any] | None:
    """What takes back what this person has just done, if the service knows a lawful move."""
    moves = [one for one in history if one["kind"] == listing.MOVE]
    if not moves or moves[-1]["to_status"] != reward.status or moves[-1]["actor"] != actor():
        return None
    last = moves[-1]
    action = deciding.way_back(last["from_status"], last["to_status"])
    if action is None or utc_now() - last["at"] > _TAKEN_BACK_WITHIN:
        return None
    return {"action": action, "done": _MOVED[last["to_status"]], "at": last["at"]}


def _partner(session: Session, reward: Reward) -> str | None:
    found = session.get(Partner, reward.partner_id)
    return found.name if found else None


def _called(customer: Customer | None) -> str | None:
    return (customer.name or customer.email) if customer else None
