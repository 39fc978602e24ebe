"""What leads and deals share: somebody registers them, a payment finds them, a customer follows."""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, NamedTuple

from flask import request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from wtforms import StringField

from rewards_service.admin.activity import activity_of
from rewards_service.admin.business import fields, trail
from rewards_service.admin.business.naming import Names
from rewards_service.admin.business.searching import NOTHING, understood
from rewards_service.admin.cells import foreign
from rewards_service.admin.pages import show
from rewards_service.admin.places import place_of
from rewards_service.audit.subjects import public_id
from rewards_service.kit.errors import Conflict
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session

Lister = Callable[[Session, Paging, dict[str, Any]], Page]


class RegisteredForm(fields.VersionedForm):
    """The fields that both have; which partner brought it, `fields.with_partner` adds."""

    registered_at = StringField(
        "Registered at (UTC)", render_kw={"type": "datetime-local", "step": "1"},
        description="Only payments from then on count. Empty: now.",
    )  # fmt: skip
    external_id = StringField("Id in your CRM", description="A file that names it changes it.")


class Row(NamedTuple):
    """A lead or deal as its list shows it."""

    thing: Any
    partner: Markup
    customer: Markup


def shown(thing: Any, members: Iterable[str]) -> dict[str, str]:
    """Its members as the form shows them."""
    texts = {name: getattr(thing, name) or "" for name in members}
    partner = "" if thing.partner_id is None else public_id("partner", thing.partner_id)
    return {**texts, "partner_id": partner, "registered_at": fields.of_field(thing.registered_at)}


def told(session: Session, form: Any, members: Iterable[str]) -> dict[str, str]:
    """What the form says, as the API's members; times as the page shows them when unchanged.

    Raises ValidationError for a partner that nobody is.
    """
    texts = fields.told(form, members)
    if "partner_id" in texts:
        texts["partner_id"] = fields.partner_id(session, texts["partner_id"], "partner_id") or ""
    if "registered_at" in texts:
        texts["registered_at"] = fields.time_of(form.registered_at)
    return texts


def chain_of(
    session: Session, thing: Any, title: str, link: Markup, partners: Markup
) -> list[trail.Link]:
    """From the payment to the payout; as far as it has come while there is no customer."""
    links = trail.chain_of(session, trail.story_of(session, thing.customer_id))
    if thing.customer_id is not None:
        return links
    return trail.begun(links, (title, link), partners)


def detail_page(
    template: str, words: "Words", thing: Any, public: str, link: Markup, partners: Markup,
    **more: Any,
) -> ResponseReturnValue:  # fmt: skip
    """The page of one, a child of business/registered.html. `link` is what the chain calls it."""
    session = current_session()
    return show(
        template, words=words, thing=thing, id=public, here=place_of(words.noun, thing.id),
        partner=partners, foreign=foreign,
        chain=chain_of(session, thing, words.noun.capitalize(), link, partners),
        lines=activity_of(session, words.noun, thing.id), **more,
    )  # fmt: skip


def check_kept(form: Any, names: Iterable[str], kept: str) -> None:
    """Raises Conflict, saying `kept`, for members that were sent though they stay as they are."""
    sent = {name.partition("-")[0] for name in request.form}
    if any(name in sent and name not in form for name in names):
        raise Conflict(f"{kept} Nothing was saved.")


class Words(NamedTuple):
    """What forms of a kind are about: a thing, and the list that it is in."""

    noun: str
    title: str
    endpoint: str
    verb: str = "Register it"


def form_page(
    form: Any, words: Words, members: Iterable[str], back: str | None = None,
    kept: str | None = None, code: int = 200,
) -> ResponseReturnValue:  # fmt: skip
    """The form of a new thing, or of one that is there: `back` is its page then.

    `kept` says what cannot be changed any more.
    """
    listed = url_for(words.endpoint)
    return show(
        "business/form.html", code, form=form, order=[name for name in members if name in form],
        heading=f"Edit the {words.noun}" if back else f"New {words.noun}",
        noun="Save" if back else words.verb, back=back or listed, trail=[(words.title, listed)],
        kept=kept,
    )  # fmt: skip


def rows_of(
    session: Session, paging: Paging, chosen: dict[str, str], fetch: Lister,
    split: Callable[[Session, list[int]], Mapping[int, list[int]]] | None = None,
) -> Page:  # fmt: skip
    """A page of the list with names for its ids: a few queries, however many rows.

    `split` gives the partners of those, by key, that several share.
    """
    wanted = understood(chosen)
    if wanted is None:
        return NOTHING
    page = fetch(session, paging, wanted)
    things = [row[0] for row in page.rows]
    shared = split(session, [one.id for one in things]) if split else {}
    brought = {one.id: shared.get(one.id) or [one.partner_id] for one in things}
    names = Names(session, chain(*brought.values()), [one.customer_id for one in things])
    rows: Any = [
        Row(one, names.partners(brought[one.id]), names.customer(one.customer_id))
        for one in things
    ]  # fmt: skip
    return Page(rows, page.last)
