"""What people do with an event: handle it once more, or say whose its payment is."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from rewards_service.admin.inspect import changes, showing, wording
from rewards_service.admin.inspect.changes import DecideForm, Preview, decide
from rewards_service.admin.inspect.event_routes import blueprint
from rewards_service.admin.inspect.led import names_of
from rewards_service.admin.inspect.payload import odd_letters
from rewards_service.admin.pages import actor, show
from rewards_service.admin.places import place_of
from rewards_service.audit.subjects import public_id
from rewards_service.crm.near_misses import NearMisses
from rewards_service.crm.queries import claims_of_events
from rewards_service.crm.schemas import LONGEST_REASON
from rewards_service.inbox import listing
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.refusals import invalid_member
from rewards_service.kit.web import current_session, path_key
from rewards_service.mirror.queries import transactions as mirrored
from rewards_service.webhooks import looking, workbench
from rewards_service.webhooks.workbench import Attached, Replayed

_PREFIXES = {"led": "lead", "dea": "deal", "cus": "customer"}


class ReplayForm(DecideForm):
    """Handle an event once more; why may be left out."""

    reason = TextAreaField(
        "Why (if you like)", [Length(max=LONGEST_REASON)], render_kw={"rows": 2}
    )  # fmt: skip


class AttachForm(DecideForm):
    """Whose a payment is: one that is listed, or else by its id."""

    chosen = StringField("Whose is it?")
    other = StringField(
        "Or by its id",
        [Length(max=50)],
        description="Of a lead, deal or customer: led_…, dea_… or cus_….",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


@blueprint.page("/events/<event_id>/replay", permission="events:replay", methods=("POST",))
def replay_event(event_id: str) -> ResponseReturnValue:
    """First what another try would change, then the try itself."""
    session, key, form = current_session(), path_key("evt", event_id), ReplayForm()
    who, reason = actor(), form.reason.data or None
    last: list[Replayed] = []

    def act(dry_run: bool) -> Replayed:
        last[:] = [workbench.replay_event(session, key, dry_run, who, reason)]
        return last[0]

    def told(done: Replayed) -> Preview:
        also = [done.after[name] for name in ("state", "outcome", "error")]
        return changes.preview(session, done.changes, also=also)

    seen, done = decide(form, act, told)
    if done is not None:
        _say(done)
        return redirect(url_for("events_pages.show_event", event_id=event_id), 303)
    if seen is None:
        for error in (*form.form_errors, *form.reason.errors):
            flash(error, "danger")
        return redirect(url_for("events_pages.show_event", event_id=event_id), 303)
    values = {"event": listing.get_event(session, key), "id": event_id, "form": form,
              "preview": seen, "tried": last[0], "rows": _compared(last[0])}  # fmt: skip
    return show("events/replay.html", 422 if form.form_errors else 200, **values)


def _say(done: Replayed) -> None:
    error = done.after["error"]
    if error and error != done.before["error"]:
        flash(f"The try failed, and all stays as it was: {error}", "danger")
        return
    same = done.before["outcome"] == done.after["outcome"] and not done.changes
    ended = (done.after["outcome"] or done.after["state"]).replace("_", " ")
    flash(
        "Handled again: it came to the same." if same else f"Handled again: now {ended}.",
        "success",
    )


def _compared(done: Replayed) -> list[tuple[str, str, str]]:
    """What differs between before and after: name, before, after."""
    rows = []
    for name in ("state", "outcome", "error"):
        pair = [str(side[name] or "-").replace("_", " ") for side in (done.before, done.after)]
        if pair[0] != pair[1]:
            rows.append((name.capitalize(), pair[0], pair[1]))
    for name in ("lead_id", "customer_id", "transaction_id", "deal_ids"):
        before, after = (side["results"].get(name) or None for side in (done.before, done.after))
        if before != after:
            told = ["there" if side else "none" for side in (before, after)]
            title = name.partition("_")[0].capitalize()
            rows.append((title, told[0], "another one" if before and after else told[1]))
    return rows


@blueprint.page("/events/<event_id>/attach", permission="crm:read")
def choose_owner(event_id: str) -> ResponseReturnValue:
    """Who the payer may be, by what it almost matched."""
    form = AttachForm(formdata=None)
    form.chosen.data = request.args.get("chosen", "")[:50]
    return _show_attach(event_id, form)


@blueprint.page("/events/<event_id>/attach", permission="crm:write", methods=("POST",))
def attach_event(event_id: str) -> ResponseReturnValue:
    """First what would follow, then the match by hand itself."""
    session, key, form = current_session(), path_key("evt", event_id), AttachForm()
    who = actor()

    def act(dry_run: bool) -> Attached:
        chosen = _chosen(form)
        return workbench.attach_event(session, key, chosen, form.reason.data, who, dry_run)

    def told(done: Attached) -> Preview:
        also = [done.event["outcome"], done.customer_is_new, *_chosen(form)]
        return changes.preview(session, done.changes, done.transactions, also)

    seen, done = decide(form, act, told)
    if done is not None:
        flash("The payment has its owner now, and its rewards are worked out.", "success")
        return redirect(url_for("events_pages.show_event", event_id=event_id), 303)
    return _show_attach(event_id, form, seen)


def _chosen(form: AttachForm) -> tuple[str, int]:
    """(kind, key) of whom the payment is given to. Raises Unprocessable."""
    text = (form.other.data or "").strip() or form.chosen.data or ""
    prefix = text.partition("_")[0]
    key = ids.decode(prefix, text)
    if key is None or prefix not in _PREFIXES:
        said = (
            f"{text[:50]} is no id of a lead, deal or customer." if text
            else "Choose one of the list, or give an id."
        )  # fmt: skip
        raise invalid_member("other", said)
    return _PREFIXES[prefix], key


def _show_attach(
    event_id: str, form: AttachForm, seen: Preview | None = None
) -> ResponseReturnValue:
    session, key = current_session(), path_key("evt", event_id)
    event = listing.get_event(session, key)
    owner, found = looking.near_misses_of(session, key)
    claim = claims_of_events(session, [key]).get(key)
    payment = None
    if claim:
        payer = (claim.payer.integration_id, claim.transaction_id)
        payment = mirrored(session, [payer]).get(payer)
    values = {
        "event": event, "id": event_id, "claim": claim, "payment": payment, "owner": owner,
        "site": session.get(Integration, event.integration_id), "form": form, "preview": seen,
        "groups": _groups(found), "why": wording.LIKENESSES, "names": _partners(session, found),
        "odd": odd_letters(claim.email) if claim else [], "meaning": showing.meaning(event),
        "public_id": public_id,
        "place_of": place_of,
    }  # fmt: skip
    refused = form.is_submitted() and (seen is None or form.form_errors)
    return show("events/attach.html", 422 if refused else 200, **values)


def _groups(found: NearMisses) -> list[tuple[str, str, str, Any]]:
    """Title, kind, prefix of the ids, and what is alike of that kind."""
    return [
        ("Leads", "lead", "led", found.leads),
        ("Deals", "deal", "dea", found.deals),
        ("Customers", "customer", "cus", found.customers),
    ]


def _partners(session: Session, found: NearMisses) -> dict[int, str]:
    keys = {one.thing.partner_id for one in (*found.leads, *found.deals)}
    keys |= {one.thing.source_partner_id for one in found.customers}
    return names_of(session, {key for key in keys if key is not None})
