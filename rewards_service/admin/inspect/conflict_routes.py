"""One conflict: its evidence side by side, and the decision."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import InputRequired

from rewards_service.admin.activity import activity_of
from rewards_service.admin.inspect import changes
from rewards_service.admin.inspect.changes import DecideForm, Preview, decide
from rewards_service.admin.inspect.payload import visible
from rewards_service.admin.inspect.unmatched_routes import about, blueprint, subject_names
from rewards_service.admin.inspect.wording import DISPUTES
from rewards_service.admin.layout import moment
from rewards_service.admin.pages import actor, may, show
from rewards_service.admin.places import link_to
from rewards_service.crm import conflicts
from rewards_service.crm.conflicts import Evidence
from rewards_service.crm.listing import chargebee_ids
from rewards_service.crm.matching import CONFLICT_PARTNERS
from rewards_service.crm.models import AttributionConflict, Customer
from rewards_service.kit import ids
from rewards_service.kit.web import current_session, path_key
from rewards_service.partners.models import Partner
from rewards_service.webhooks import looking, resolving
from rewards_service.webhooks.consequences import RewardChange
from rewards_service.webhooks.resolving import Decision

_CHOSEN = {"par": "partner_id", "cus": "customer_id"}


class Side(NamedTuple):
    """One of those between whom is decided: a partner or a customer, and what speaks for it."""

    title: Markup
    has_it: bool
    facts: Sequence[tuple[str, Any]]


class Choice(NamedTuple):
    """Something that can be decided; `value` goes with the form."""

    value: str
    title: Markup
    words: str


class ResolveForm(DecideForm):
    """What is decided, and why."""

    decision = StringField("Decision", [InputRequired("Choose what is to be done.")])


@blueprint.page("/conflicts/<conflict_id>", permission="crm:read")
def show_conflict(conflict_id: str) -> ResponseReturnValue:
    """What speaks for the one or the other, or what was decided."""
    return _show(conflict_id, ResolveForm(formdata=None))


@blueprint.page("/conflicts/<conflict_id>", permission="conflicts:write", methods=("POST",))
def resolve_conflict(conflict_id: str) -> ResponseReturnValue:
    """First what would follow, then the decision itself."""
    session, key, form = current_session(), path_key("cfl", conflict_id), ResolveForm()
    who = actor()

    def act(dry_run: bool) -> Sequence[RewardChange]:
        return resolving.resolve(session, key, _decision(form, who), dry_run)

    def told(done: Sequence[RewardChange]) -> Preview:
        return changes.preview(session, done, also=[form.decision.data])

    seen, done = decide(form, act, told)
    if done is not None:
        flash("Decided. The rewards follow it, and no later payment undoes it.", "success")
        return redirect(url_for("unmatched_pages.show_conflict", conflict_id=conflict_id), 303)
    return _show(conflict_id, form, seen)


def _decision(form: ResolveForm, who: str) -> Decision:
    """`choose:par_...` as the decision it means; what is none of ours the service refuses."""
    word, _, name = (form.decision.data or "").partition(":")
    prefix = name.partition("_")[0]
    chosen = {_CHOSEN[prefix]: ids.decode(prefix, name)} if prefix in _CHOSEN else {}
    return Decision(word, who, form.reason.data, **chosen)


def _show(
    conflict_id: str, form: ResolveForm, seen: Preview | None = None
) -> ResponseReturnValue:  # fmt: skip
    session = current_session()
    conflict = conflicts.get_conflict(session, path_key("cfl", conflict_id))
    found = conflicts.evidence(session, conflict)
    payer = conflicts.payer_of(conflict)
    held = looking.on_hold(session, [customer.id for customer in found.customers])
    subject = (conflict.subject_kind, conflict.subject_id)
    name = subject_names(session, [conflict]).get(subject)
    values = {
        "conflict": conflict, "id": conflict_id, "dispute": DISPUTES[conflict.kind],
        "subject": about(conflict, name),
        "sides": _sides(session, conflict, found), "held": sorted(held.items()),
        "payer": payer and payer.chargebee_id, "form": form, "preview": seen,
        "choices": _choices(conflict, found), "decided": _told(conflict, found),
        "lines": activity_of(session, "conflict", conflict.id),
        "may_decide": conflict.resolved_at is None and may("conflicts:write"),
    }  # fmt: skip
    refused = form.is_submitted() and (seen is None or form.form_errors)
    return show("unmatched/conflict.html", 422 if refused else 200, **values)


def _sides(session: Session, conflict: AttributionConflict, found: Evidence) -> list[Side]:
    if conflict.kind == CONFLICT_PARTNERS:
        return [_of_partner(partner, found) for partner in found.partners]
    names = {partner.id: partner.name for partner in found.partners}
    chargebee = chargebee_ids(session, [customer.id for customer in found.customers])
    return [
        _of_customer(customer, names, chargebee.get(customer.id, []), found)
        for customer in found.customers
    ]


def _of_partner(partner: Partner, found: Evidence) -> Side:
    facts: list[tuple[str, Any]] = [("Status", partner.status)]
    for lead in found.leads:
        if lead.partner_id == partner.id:
            facts.append(("Lead", link_to("lead", lead.id, visible(lead.email))))
            facts.append(("Lead registered", moment(lead.registered_at)))
            if lead.converted_at:
                facts.append(("Converted by the payment of", moment(lead.converted_at)))
    for deal in found.deals:
        if deal.partner_id == partner.id:
            facts.append(("Deal", link_to("deal", deal.id, visible(deal.name))))
            facts.append(("Deal registered", moment(deal.registered_at)))
    has_it = any(customer.source_partner_id == partner.id for customer in found.customers)
    return Side(link_to("partner", partner.id, visible(partner.name)), has_it, facts)


def _of_customer(
    customer: Customer, names: dict[int, str], chargebee: Sequence[dict[str, str]], found: Evidence
) -> Side:
    source = customer.source_partner_id
    partner = link_to("partner", source, visible(names.get(source, "?"))) if source else "nobody"
    facts: list[tuple[str, Any]] = [
        ("E-mail", visible(customer.email) if customer.email else "-"),
        ("Chargebee ids", Markup(", ").join(visible(one["id"]) for one in chargebee) or "none"),
        ("Brought by", partner),
        ("Here since", moment(customer.created_at)),
        ("Known by the payment of", moment(customer.matched_at) if customer.matched_at else "-"),
    ]
    facts += [
        ("Deal", link_to("deal", deal.id, visible(deal.name)))
        for deal in found.deals if deal.customer_id == customer.id
    ]  # fmt: skip
    name = visible(customer.name or customer.email or ids.encode("cus", customer.id))
    things: list[Any] = [*found.leads, *found.deals]
    has_it = any(thing.customer_id == customer.id for thing in things)
    return Side(link_to("customer", customer.id, name), has_it, facts)


def _choices(conflict: AttributionConflict, found: Evidence) -> list[Choice]:
    """The decisions that the conflict allows, each with what it does."""
    words = DISPUTES[conflict.kind].decisions
    choices = []
    for decision in resolving.decisions_for(conflict):
        if decision != resolving.CHOOSE:
            title = "Keep it as it is" if decision == resolving.KEEP else decision.capitalize()
            choices.append(Choice(decision, Markup(title), words[decision]))  # noqa: S704 - ours
            continue
        for value, name in _candidates(conflict, found):
            title = Markup("Choose {}").format(visible(name))
            choices.append(Choice(f"choose:{value}", title, f"{name} {words[decision]}"))
    return choices


def _candidates(conflict: AttributionConflict, found: Evidence) -> list[tuple[str, str]]:
    if conflict.kind == CONFLICT_PARTNERS:
        has_it = {customer.source_partner_id for customer in found.customers}
        return [
            (ids.encode("par", one.id), one.name) for one in found.partners if one.id not in has_it
        ]
    wanted = conflict.candidates.get("customers", ())
    return [
        (ids.encode("cus", one.id), one.name or one.email or ids.encode("cus", one.id))
        for one in found.customers if one.id in wanted
    ]  # fmt: skip


def _told(conflict: AttributionConflict, found: Evidence) -> Markup | None:
    """What was decided, in words; None while nothing was."""
    if not conflict.decision:
        return None
    names: dict[Any, str | None] = {("partner_id", one.id): one.name for one in found.partners}
    names |= {("customer_id", one.id): one.name or one.email for one in found.customers}
    chosen = [
        names.get((member, conflict.decision[member])) or "somebody"
        for member in _CHOSEN.values() if member in conflict.decision
    ]  # fmt: skip
    made = conflict.decision["decision"]
    word = "Keep it as it is" if made == resolving.KEEP else made.capitalize()
    return Markup("{} {}").format(word, visible(chosen[0])) if chosen else Markup("{}").format(word)
