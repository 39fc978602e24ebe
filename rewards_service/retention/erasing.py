"""Forget a person: everything that names them goes, everything that counts money stays.

Rows keep their keys, so nothing that points to them breaks, and the address becomes a pseudonym,
the same everywhere: what was matched by it still matches.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.accounts.user_models import Identity, Passkey, User, UserLink, UserSession
from rewards_service.audit.chain import Sealed, seal
from rewards_service.audit.models import AuditEntry
from rewards_service.audit.service import record
from rewards_service.crm.journal import digest_of
from rewards_service.crm.models import Customer, Deal, Lead, PaymentClaim
from rewards_service.exports.models import DONE, EXPIRED, Export, ExportChunk
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import table_of
from rewards_service.kit.errors import Conflict
from rewards_service.partners.models import Partner
from rewards_service.payouts.models import Payout
from rewards_service.retention import bodies, texts
from rewards_service.retention.person import ERASED, Person, find
from rewards_service.retention.unguarded import unguarded
from rewards_service.settings import Settings
from rewards_service.webhooks.rework import hold_stages

ACTION = "person.erased"


class StillOwner(Conflict):
    code = "last_owner"
    title = "There must be an owner."


@dataclass
class Erased:
    """What was changed, by table; `kept`: what stays and why; `left`: columns that still name the
    person, because they came while it ran: then it is run again."""

    pseudonym: str
    changed: Counter[str] = field(default_factory=Counter)
    kept: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def erase(
    engine: Engine, settings: Settings, email: str, dry_run: bool = False,
    actor: str = "cli", reason: str | None = None,
) -> Erased:  # fmt: skip
    """Forget whoever has this address. Safe to repeat, also after it broke off.

    With `dry_run` nothing is kept but what was counted. Raises Unprocessable for what is no
    address, StillOwner for the last owner.
    """
    with Session(engine) as session:
        person = find(session, settings.secret_key, email)
        bodies.learn_from_events(session, person)
    done = Erased(person.pseudonym)
    if not dry_run:
        done.changed["received_events"] = bodies.rewrite_events(engine, person)
    with Session(engine, expire_on_commit=False) as session:
        hold_stages(session)
        _erase_rows(session, settings, person, done)
        if dry_run:
            session.rollback()
            return done
        redacted = _redact_audit(session, person)
        done.changed["audit_entries"] = len(redacted)
        record(
            session, ACTION, ("person", 0),
            {"changed": dict(+done.changed), "redacted": redacted}, actor,
            reason and person.scrub(reason),
        )  # fmt: skip
        session.commit()
    with Session(engine) as session:
        done.left = texts.left(session, person)
    done.changed = +done.changed
    return done


def _erase_rows(session: Session, settings: Settings, person: Person, done: Erased) -> None:
    count = done.changed
    count["chargebee_versions"] = bodies.rewrite_versions(session, person)
    _erase_user(session, person, done)
    _erase_partner(session, person, done)
    named = {"first_name": None, "last_name": None, "company": None}
    count["leads"] = _put(session, Lead, person, {**person.columns, **named})
    count["customers"] = _put(session, Customer, person, {**person.columns, "name": ERASED})
    keys = {name: value for name, value in person.columns.items() if name != "email"}
    contact = {**keys, "contact_email": person.pseudonym, "name": ERASED}
    count["deals"] = _put(session, Deal, person, contact)
    claim = {"email": person.pseudonym, "email_key": keys["email_key"], "customer_name": ERASED}
    count["payment_claims"] = _put(session, PaymentClaim, person, claim)
    count.update(texts.rewrite(session, person))
    count["kept_answers"] = texts.rewrite_sealed(session, person, settings.encryption_keys)
    # Nobody can tell whom a packed file names; each is kept for a week and can be made again.
    count["exports"] = _rows(session.execute(delete(ExportChunk)))
    session.execute(update(Export).where(Export.state == DONE).values(state=EXPIRED))


def _put(session: Session, model: Any, person: Person, values: dict[str, Any]) -> int:
    own = model.email_key == person.key
    return _rows(session.execute(update(model).where(own).values(values)))


def _erase_user(session: Session, person: Person, done: Erased) -> None:
    user = session.scalar(select(User).where(func.lower(User.email) == person.key))
    if user is None:
        return
    others = select(User.id).where(User.role == "owner", User.active, User.id != user.id)
    if user.role == "owner" and user.active and session.scalar(others.limit(1)) is None:
        raise StillOwner("This is the last owner. Make another one first.")
    for model in (UserSession, UserLink, Passkey, Identity):
        session.execute(delete(model).where(model.user_id == user.id))
    user.email, user.active, user.password = person.pseudonym, False, None
    user.tf_totp_secret = user.tf_primary_method = user.mf_recovery_codes = None
    session.flush()
    done.changed["users"] += 1


def _erase_partner(session: Session, person: Person, done: Erased) -> None:
    for partner in session.scalars(select(Partner).where(Partner.email_key == person.key)):
        for name, value in person.columns.items():
            setattr(partner, name, value)
        partner.name, partner.payout_details_encrypted = ERASED, None
        now = utc_now()
        session.execute(
            update(ApiKey)
            .where(ApiKey.partner_id == partner.id, ApiKey.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        paid = select(Payout.id).where(Payout.partner_id == partner.id).limit(1)
        if session.scalar(paid) is not None:
            done.kept.append("payout files and invoices: books must show who was paid")
        done.changed["partners"] += 1
    session.flush()


def _redact_audit(session: Session, person: Person) -> dict[str, str]:
    """Entry -> the seal of what it says now. Its own hash stays, and so does the chain."""
    old, new = digest_of(person.key), digest_of(str(person.columns["email_key"]))
    redacted: dict[str, str] = {}
    table = table_of(AuditEntry)
    entries = session.scalars(
        select(AuditEntry).where(
            AuditEntry.subject_kind.in_(("lead", "deal", "customer"))
            | AuditEntry.id.in_([row.id for row in texts.found(session, table, person)])
        )
    ).all()
    with unguarded(session, table):
        for entry in entries:
            detail = _with_digest(person.scrub_value(entry.detail), old, new)
            reason = entry.reason and person.scrub(entry.reason)
            if (detail, reason) == (entry.detail, entry.reason):
                continue
            said = Sealed(entry.id, entry.at, entry.actor, entry.action, entry.subject_kind,
                          entry.subject_id, reason, detail)  # fmt: skip
            redacted[str(entry.id)] = seal(entry.previous_hash, said).hex()
            these = {"detail": detail, "reason": reason}
            session.execute(update(table).where(table.c.id == entry.id).values(these))
    return redacted


def _with_digest(value: Any, old: str | None, new: str | None) -> Any:
    """A detail in which a digest of the address is that of the pseudonym."""
    if isinstance(value, dict):
        return {
            name: new if name == "email_key" and one == old else _with_digest(one, old, new)
            for name, one in value.items()
        }
    return value


def _rows(result: Any) -> int:
    return int(result.rowcount)
