"""Make and change leads and deals, as people do; matching is in `conversion`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rewards_service.audit.service import MACHINE
from rewards_service.crm.journal import (
    facts_of_deal,
    facts_of_lead,
    record_changed,
    record_created,
)
from rewards_service.crm.models import Deal, DealShare, Lead
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import is_postgresql
from rewards_service.kit.emails import KEY_VERSION, loose_key, strict_key
from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.kit.own import is_foreign
from rewards_service.kit.refusals import flush, invalid_member
from rewards_service.partners.service import check_partners

Shares = Sequence[tuple[int, int]]  # (partner, basis points)

FIXED_BY_CONVERSION = ("status", "email", "partner_id", "registered_at")
FIXED_BY_ASSOCIATION = ("contact_email", "partner_id", "registered_at")


class ExternalIdTaken(Conflict):
    code = "external_id_taken"
    title = "This external id belongs to another one."


class LeadConverted(Conflict):
    code = "lead_converted"
    title = "A converted lead keeps what its conversion was based on."


class DealAssociated(Conflict):
    code = "deal_associated"
    title = "A deal that has its customer keeps what that was based on."


def create_lead(session: Session, wanted: Mapping[str, Any], actor: str = MACHINE) -> Lead:
    """A new lead.

    wanted: `email`, `status`; optional names, `company`, `partner_id` (key), `external_id`, and
    `registered_at`, which may lie in the past and is now when left out. Raises ExternalIdTaken;
    Unprocessable for an unknown partner.
    """
    _check_partner(session, wanted)
    lead = new_lead(wanted)
    session.add(lead)
    _flush(session, "leads", lead.external_id)
    record_created(session, "lead", lead.id, facts_of_lead(lead), actor)
    return lead


def new_lead(wanted: Mapping[str, Any]) -> Lead:
    """A lead that is in no session yet, of what `create_lead` takes; its partner must exist."""
    lead = Lead(**{"registered_at": utc_now(), **wanted})
    _set_keys(lead, wanted["email"])
    return lead


def get_lead(session: Session, lead_id: int, lock: bool = False, own: int | None = None) -> Lead:
    """Raises NotFound; with `own` also for one of another partner or of none."""
    found = session.get(Lead, lead_id, with_for_update=lock and is_postgresql(session))
    if found is None or is_foreign(found.partner_id, own):
        raise NotFound("There is no such lead.")
    return found


def change_lead(
    session: Session, lead_id: int, wanted: Mapping[str, Any], actor: str = MACHINE
) -> Lead:
    """Change what is given. Raises NotFound, LeadConverted, ExternalIdTaken, Unprocessable."""
    lead = get_lead(session, lead_id, lock=True)
    before = facts_of_lead(lead)
    with session.no_autoflush:
        put_on_lead(lead, wanted)
        _check_partner(session, wanted)
    _flush(session, "leads", lead.external_id)
    record_changed(session, "lead", lead.id, before, facts_of_lead(lead), actor)
    return lead


def put_on_lead(lead: Lead, wanted: Mapping[str, Any]) -> None:
    """Set what is given, if this lead may still have it. Raises LeadConverted."""
    if lead.status == "converted" and _differs(lead, wanted, FIXED_BY_CONVERSION):
        raise LeadConverted(
            "This lead became a customer: its status, e-mail, partner and registration stay. "
            "To give the customer another partner, change the customer's source partner."
        )
    for name, value in wanted.items():
        setattr(lead, name, value)
    if "email" in wanted:
        _set_keys(lead, wanted["email"])


def create_deal(session: Session, wanted: Mapping[str, Any], actor: str = MACHINE) -> Deal:
    """A new deal.

    wanted: `name`, `stage`; optional `contact_email`, `amount_minor` with `currency`, `partner_id`
    (key), `shares` ([{partner_id, basis_points}], summing to 10000 or empty), `registered_at`,
    `external_id`. Raises ExternalIdTaken, Unprocessable.
    """
    _check_partner(session, wanted)
    check_partners(session, "shares", [share["partner_id"] for share in wanted.get("shares", ())])
    deal = new_deal(wanted)
    session.add(deal)
    _flush(session, "deals", deal.external_id)
    _set_shares(session, deal, wanted.get("shares", ()))
    facts = facts_of_deal(deal, _shares(session, deal))
    record_created(session, "deal", deal.id, facts, actor)
    return deal


def new_deal(wanted: Mapping[str, Any]) -> Deal:
    """A deal without its shares that is in no session yet, of what `create_deal` takes.

    Its partner must exist. Raises Unprocessable for an amount without currency.
    """
    plain = {name: value for name, value in wanted.items() if name != "shares"}
    deal = Deal(**{"registered_at": utc_now(), **plain})
    _set_source(deal, pairs_of(wanted.get("shares", ())))
    _check_money(deal)
    _set_keys(deal, wanted.get("contact_email"))
    return deal


def get_deal(session: Session, deal_id: int, lock: bool = False, own: int | None = None) -> Deal:
    """Raises NotFound; with `own` also for one that this partner has no part in."""
    found = session.get(Deal, deal_id, with_for_update=lock and is_postgresql(session))
    if found is None or not _has_part(session, found, own):
        raise NotFound("There is no such deal.")
    return found


def change_deal(
    session: Session, deal_id: int, wanted: Mapping[str, Any], actor: str = MACHINE
) -> Deal:
    """Change what is given. Raises NotFound, DealAssociated, ExternalIdTaken, Unprocessable."""
    deal = get_deal(session, deal_id, lock=True)
    held = _shares(session, deal)
    before = facts_of_deal(deal, held)
    shares = pairs_of(wanted["shares"]) if "shares" in wanted else held
    with session.no_autoflush:
        if "shares" in wanted:
            check_partners(session, "shares", [partner for partner, _ in shares])
        put_on_deal(deal, wanted, shares)
        _check_partner(session, wanted)
    _flush(session, "deals", deal.external_id)
    if "shares" in wanted:
        session.execute(delete(DealShare).where(DealShare.deal_id == deal.id))
        _set_shares(session, deal, wanted["shares"])
    after = facts_of_deal(deal, _shares(session, deal))
    record_changed(session, "deal", deal.id, before, after, actor)
    return deal


def put_on_deal(deal: Deal, wanted: Mapping[str, Any], shares: Shares) -> None:
    """Set what is given but its shares, if this deal may still have it.

    shares: those that it has from now on. Raises DealAssociated, also for shares; Unprocessable
    for an amount without currency.
    """
    fixed = "shares" in wanted or _differs(deal, wanted, FIXED_BY_ASSOCIATION)
    if deal.customer_id is not None and fixed:
        raise DealAssociated(
            "This deal is associated with a customer: its contact, partner, shares and "
            "registration stay."
        )
    for name, value in wanted.items():
        if name != "shares":
            setattr(deal, name, value)
    if deal.customer_id is None:
        _set_source(deal, shares)
    _check_money(deal)
    if "contact_email" in wanted:
        _set_keys(deal, wanted["contact_email"])


def _set_source(deal: Deal, shares: Shares) -> None:
    """Whoever has the largest share is the source partner of a deal that names none: without one
    its customer would be nobody's, and its payments would earn nothing (DOMAIN S3, S7)."""
    if deal.partner_id is None and shares:
        deal.partner_id = min(shares, key=lambda one: (-one[1], one[0]))[0]


def pairs_of(shares: Iterable[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Shares as the API gives them, as (partner, basis points)."""
    return [(share["partner_id"], share["basis_points"]) for share in shares]


def _differs(thing: Lead | Deal, wanted: Mapping[str, Any], names: Sequence[str]) -> bool:
    return any(name in wanted and wanted[name] != getattr(thing, name) for name in names)


def _check_partner(session: Session, wanted: Mapping[str, Any]) -> None:
    if wanted.get("partner_id") is not None:
        check_partners(session, "partner_id", [wanted["partner_id"]])


def _check_money(deal: Deal) -> None:
    if (deal.amount_minor is None) != (deal.currency is None):
        missing = "currency" if deal.currency is None else "amount_minor"
        raise invalid_member(missing, "An amount and its currency go together.")


def _set_keys(thing: Lead | Deal, email: str | None) -> None:
    thing.email_key = strict_key(email)
    thing.loose_key = loose_key(email)
    thing.key_version = KEY_VERSION


def _set_shares(session: Session, deal: Deal, shares: Sequence[Mapping[str, Any]]) -> None:
    session.add_all(DealShare(deal_id=deal.id, **share) for share in shares)
    session.flush()


def _has_part(session: Session, deal: Deal, own: int | None) -> bool:
    if not is_foreign(deal.partner_id, own):
        return True
    return session.get(DealShare, (deal.id, own)) is not None


def _shares(session: Session, deal: Deal) -> list[tuple[int, int]]:
    query = select(DealShare.partner_id, DealShare.basis_points).where(DealShare.deal_id == deal.id)
    return [(row.partner_id, row.basis_points) for row in session.execute(query)]


def _flush(session: Session, table: str, external_id: str | None) -> None:
    taken = ExternalIdTaken(f"The external id {external_id!r} belongs to another of the {table}.")
    flush(session, {f"{table}.external_id": taken})
