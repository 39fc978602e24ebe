"""Make and change partners; remember since when they have had which status."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import is_postgresql
from rewards_service.kit.emails import KEY_VERSION, loose_key, strict_key
from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.kit.own import is_foreign
from rewards_service.kit.refusals import flush, invalid_member
from rewards_service.partners import enrolling, queries
from rewards_service.partners.models import Partner, PartnerStatus


class ExternalIdTaken(Conflict):
    code = "external_id_taken"
    title = "Another partner has this external id."


def create_partner(session: Session, wanted: Mapping[str, Any], actor: str) -> Partner:
    """A new partner; its first status counts since ever (DOMAIN S4).

    wanted: `name`, `email`, `status`; optional `program_ids` (keys) or `enrolments`,
    `payout_currency`, `external_id`. Raises ExternalIdTaken; Unprocessable for an unknown
    programme or level and for enrolments that overlap.
    """
    partner = Partner(
        name=wanted["name"],
        status=wanted["status"],
        payout_currency=wanted.get("payout_currency"),
        external_id=wanted.get("external_id"),
    )
    _set_email(partner, wanted["email"])
    session.add(partner)
    _flush(session, partner)
    session.add(PartnerStatus(partner_id=partner.id, status=partner.status, from_at=None))
    _enrol(session, partner, wanted)
    detail = {"after": _settled(session, partner)}
    record(session, "partner.created", ("partner", partner.id), detail, actor)
    return partner


def get_partner(
    session: Session, partner_id: int, lock: bool = False, own: int | None = None
) -> Partner:
    """Raises NotFound; with `own` also for every partner but that one."""
    found = session.get(Partner, partner_id, with_for_update=lock and is_postgresql(session))
    if found is None or is_foreign(found.id, own):
        raise NotFound("There is no such partner.")
    return found


def change_partner(
    session: Session, partner_id: int, wanted: Mapping[str, Any], actor: str
) -> Partner:
    """Change what is given. A new status counts for payments from now on (DOMAIN S4).

    Raises NotFound, ExternalIdTaken, Unprocessable.
    """
    partner = get_partner(session, partner_id, lock=True)
    before = _settled(session, partner)
    if "status" in wanted and wanted["status"] != partner.status:
        session.add(
            PartnerStatus(partner_id=partner.id, status=wanted["status"], from_at=utc_now())
        )
    for name in ("name", "status", "payout_currency", "external_id"):
        if name in wanted:
            setattr(partner, name, wanted[name])
    if "email" in wanted:
        _set_email(partner, wanted["email"])
    _flush(session, partner)
    _enrol(session, partner, wanted)
    after = _settled(session, partner)
    detail = {"members": sorted(wanted), "before": before, "after": after}
    record(session, "partner.changed", ("partner", partner.id), detail, actor)
    return partner


def check_partners(session: Session, member: str, partner_ids: Sequence[int]) -> None:
    """Raises Unprocessable about `member` when one of the keys is no partner."""
    if partner_ids and queries.unknown_partners(session, partner_ids):
        raise invalid_member(member, "There is no such partner.")


def _set_email(partner: Partner, email: str) -> None:
    partner.email = email
    partner.email_key = strict_key(email)
    partner.loose_key = loose_key(email)
    partner.key_version = KEY_VERSION


def _enrol(session: Session, partner: Partner, wanted: Mapping[str, Any]) -> None:
    if "program_ids" in wanted:
        enrolling.enrol(session, partner.id, wanted["program_ids"])
    if "enrolments" in wanted:
        enrolling.replace_all(session, partner.id, wanted["enrolments"])


def _settled(session: Session, partner: Partner) -> dict[str, Any]:
    """What bears on money, for the audit log."""
    rows = queries.enrolments_of_partners(session, [partner.id])[partner.id]
    return {
        "status": partner.status,
        "payout_currency": partner.payout_currency,
        "enrolments": enrolling.as_detail(rows),
    }


def _flush(session: Session, partner: Partner) -> None:
    taken = ExternalIdTaken(f"The external id {partner.external_id!r} belongs to another partner.")
    flush(session, {"partners.external_id": taken})
