"""What people, payouts and the clock decided, decided again about the same things."""

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.customer_service import change_source, get_customer
from rewards_service.crm.models import AttributionConflict, Customer
from rewards_service.kit.db import hold_stage
from rewards_service.kit.errors import NotFound
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids, find_subjects
from rewards_service.replay.journal import Detail, redo
from rewards_service.replay.moments import WITHOUT_EFFECT, Moment
from rewards_service.replay.tables import LINKS
from rewards_service.rewards import adjusting, review
from rewards_service.rewards.models import Reward
from rewards_service.webhooks.reattribution import follow_source
from rewards_service.webhooks.resolving import Decision, resolve
from rewards_service.webhooks.workbench import attach_event, replay_event


def decide(session: Session, moment: Moment, detail: Detail) -> None:
    """Do what an audit entry tells of."""
    for stage in review.STAGES:
        hold_stage(session, stage)
    ACTIONS.get(moment.action, redo)(session, moment, detail)


def move(session: Session, moments: Sequence[Moment]) -> None:
    """Move rewards to one status, for one reason; those that never came about are left out."""
    keys = [key for one in moments if (key := _reward(session, one)) is not None]
    order = moments[0]
    review.change_status(
        session, keys, order.to_status, order.reason, order.actor, may_write_off=True
    )


def adjust(session: Session, moment: Moment) -> None:
    """Post a person's entry again, to the reward that carried it or beside the one before it."""
    key = _reward(session, moment, or_before=True)
    if key is not None:
        adjusting.adjust(
            session, key, moment.amount_minor, moment.reason, moment.actor, may_write_off=True
        )


def _reward(session: Session, moment: Moment, or_before: bool = False) -> int | None:
    query = select(Reward.id).where(
        Reward.integration_id == moment.integration_id,
        Reward.invoice_id == moment.invoice_id,
        Reward.rule_version_id == moment.rule_version_id,
        Reward.partner_id == moment.partner_id,
        Reward.seq <= moment.seq if or_before else Reward.seq == moment.seq,
    )
    return session.scalars(query.order_by(Reward.seq.desc()).limit(1)).one_or_none()


def customer_key(session: Session, live_key: int) -> int | None:
    """The customer that a live one is here: itself if a person made it, else by Chargebee id."""
    made = select(Customer.id).where(Customer.id == live_key, Customer.machine_made.is_(False))
    key = session.scalar(made)
    if key is not None:
        return key
    definition = definition_ids(session)[CUSTOMER_ID]
    links = select(LINKS.c.integration_id, LINKS.c.value).where(LINKS.c.customer_id == live_key)
    for integration_id, value in session.execute(links).all():
        found = find_subjects(session, definition, integration_id, [value])
        if value in found:
            return found[value]
    return None


def _change_source(session: Session, moment: Moment, detail: Detail) -> None:
    key = customer_key(session, moment.subject_id)
    if key is None:
        return
    customer = get_customer(session, key, lock=True)
    retroactive = bool(detail.get("retroactive"))
    follows = retroactive or customer.hold_reason is not None
    after = detail["after"]
    why = (moment.actor, moment.reason or "")
    change_source(
        session, customer, after["source_partner_id"], after.get("source_deal_id"), why,
        retroactive,
    )  # fmt: skip
    session.flush()
    if follows:
        follow_source(session, customer, retroactive)


def _attach(session: Session, moment: Moment, detail: Detail) -> None:
    """Leads and deals have the same keys here; customers that the machine made have not."""
    for kind in ("lead", "deal"):
        if f"{kind}_id" in detail:
            chosen = (kind, detail[f"{kind}_id"])
            break
    else:
        key = customer_key(session, detail["customer_id"])
        if key is None:
            return
        chosen = ("customer", key)
    attach_event(session, moment.subject_id, chosen, moment.reason or "", moment.actor)


def _resolve(session: Session, moment: Moment, detail: Detail) -> None:
    """A conflict is the same one by what it is about; its key may differ."""
    query = select(AttributionConflict.id).where(
        AttributionConflict.natural_key == detail["natural_key"]
    )
    conflict_id = session.scalar(query)
    if conflict_id is None:
        raise NotFound(f"The conflict {detail['natural_key']} was not opened.")
    chosen = detail.get("customer_id")
    decided = Decision(
        detail["decision"], moment.actor, moment.reason or "", detail.get("partner_id"),
        chosen and customer_key(session, chosen),
    )  # fmt: skip
    resolve(session, conflict_id, decided)


def _handle_again(session: Session, moment: Moment, detail: Detail) -> None:
    """What a person knew by then is known here too: other payments of the payer may follow."""
    if detail.get("after") not in WITHOUT_EFFECT:
        replay_event(session, moment.subject_id, actor=moment.actor, reason=moment.reason)


def _nothing(session: Session, moment: Moment, detail: Detail) -> None:
    """What followed from it stands among the events."""


ACTIONS: dict[str, Callable[[Session, Moment, Detail], None]] = {
    "customer.source_changed": _change_source,
    "conflict.resolved": _resolve,
    "event.attached": _attach,
    "event.replayed": _handle_again,
    "event.asked_again": _nothing,
}
