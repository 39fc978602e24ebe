"""Who is to be forgotten: an address, the names and Chargebee ids that go with it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, Lead, PaymentClaim
from rewards_service.kit import crypto
from rewards_service.kit.emails import BadEmail, loose_key, strict_key
from rewards_service.kit.errors import Unprocessable
from rewards_service.mirror.models import ChargebeeCustomer, ChargebeeVersion
from rewards_service.partners.models import Partner

ERASED = "(erased)"
NOWHERE = "erased.invalid"  # a domain that nobody can have (RFC 2606)
_PURPOSE = "erased_person"
# Members of Chargebee's objects that tell who somebody is. The country stays: rewards go by it.
PERSONAL = frozenset({
    "first_name", "last_name", "phone", "company", "line1", "line2", "line3", "city", "zip",
    "vat_number",
})  # fmt: skip
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")


@dataclass
class Person:
    """`key` is shared by all spellings of the address; `ids` are their accounts at Chargebee."""

    key: str
    pseudonym: str
    spellings: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)  # first and last name together
    ids: set[tuple[int, str]] = field(default_factory=set)

    @property
    def needles(self) -> list[str]:
        """What no text may hold afterwards, the longest first."""
        found = {one for text in self.spellings | self.names for one in (text, text.lower())}
        return sorted(found, key=lambda one: (-len(one), one))

    @property
    def columns(self) -> dict[str, str | None]:
        """The address of a row, with its keys."""
        return {"email": self.pseudonym, "email_key": strict_key(self.pseudonym),
                "loose_key": loose_key(self.pseudonym)}  # fmt: skip

    def scrub(self, text: str) -> str:
        """A text without the person."""
        text = _ADDRESS.sub(self._stand_in, text)
        for name in sorted(self.spellings | self.names, key=len, reverse=True):
            stands = self.pseudonym if "@" in name else ERASED
            text = re.sub(re.escape(name), stands, text, flags=re.IGNORECASE)
        return text

    def scrub_value(self, value: Any, is_about: bool = False) -> Any:
        """A JSON value without the person; is_about: so are members that tell who they are."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, list):
            return [self.scrub_value(one, is_about) for one in value]
        if isinstance(value, dict):
            return {
                name: ERASED
                if is_about and name in PERSONAL and isinstance(one, str) and one
                else self.scrub_value(one, is_about)
                for name, one in value.items()
            }
        return value

    def _stand_in(self, found: re.Match[str]) -> str:
        return self.pseudonym if _key(found[0]) == self.key else found[0]


def find(session: Session, secret_key: str, email: str) -> Person:
    """Everything that goes with an address. Raises Unprocessable for what is none."""
    key = _key(email)
    if key is None or "@" not in key:
        raise Unprocessable(f"{email[:100]} is no e-mail address.")
    mark = crypto.digest(secret_key, _PURPOSE, key.encode()).hex()[:16]
    person = Person(key, f"erased-{mark}@{_domain(session, key)}", {email.strip(), key})
    keys = (key, strict_key(person.pseudonym))
    claims = select(
        PaymentClaim.integration_id, PaymentClaim.chargebee_customer_id, PaymentClaim.email
    ).where(PaymentClaim.email_key.in_(keys))
    for integration_id, customer_id, spelled in session.execute(claims):
        person.ids.add((integration_id, customer_id))
        _spelled(person, spelled)
    for column, of in ((Lead.email, Lead), (Deal.contact_email, Deal), (Customer.email, Customer)):
        for spelled in session.scalars(select(column).where(of.email_key == key)):
            _spelled(person, spelled)
    for first, last in session.execute(
        select(Lead.first_name, Lead.last_name).where(Lead.email_key == key)
    ):
        _named(person, first, last)
    _at_chargebee(session, person)
    return person


def _at_chargebee(session: Session, person: Person) -> None:
    row = ChargebeeCustomer
    spelled = {one.lower() for one in person.spellings | {person.pseudonym}}
    query = select(row.integration_id, row.external_id).where(func.lower(row.email).in_(spelled))
    person.ids |= {(site, name) for site, name in session.execute(query)}
    for site, name in sorted(person.ids):
        version = ChargebeeVersion
        bodies = select(version.body).where(
            version.kind == "customer", version.external_id == name, version.integration_id == site
        )
        for body in session.scalars(bodies):
            learn(person, site, orjson.loads(body))


def learn(person: Person, site: int, value: Any, is_theirs: bool = False) -> None:
    """Take names, spellings and Chargebee ids out of what Chargebee said; `site`: where it did."""
    if isinstance(value, list):
        for one in value:
            learn(person, site, one, is_theirs)
    if not isinstance(value, dict):
        return
    if _key(value.get("email")) == person.key:
        is_theirs = True
        _spelled(person, value["email"])
        if value.get("object") == "customer" and isinstance(value.get("id"), str):
            person.ids.add((site, value["id"]))
    if is_theirs:
        _named(person, value.get("first_name"), value.get("last_name"))
    for one in value.values():
        learn(person, site, one, is_theirs)


def _spelled(person: Person, email: Any) -> None:
    if isinstance(email, str) and _key(email) == person.key:
        person.spellings.add(email.strip())


def _named(person: Person, first: Any, last: Any) -> None:
    names = [one.strip() for one in (first, last) if isinstance(one, str) and one.strip()]
    if len(names) == 2 and ERASED not in names:
        person.names |= {" ".join(names), ", ".join(reversed(names))}


def _key(email: Any) -> str | None:
    try:
        return strict_key(email) if isinstance(email, str) else None
    except BadEmail:
        return None


def _domain(session: Session, key: str) -> str:
    """That of a partner stays: rewards are flagged when a payer has it, and it is known anyway."""
    domain = key.rpartition("@")[2]
    of_partner = or_(*(_ends(Partner.email_key, domain),))
    own = select(Partner.id).where(of_partner, Partner.email_key != key).limit(1)
    return NOWHERE if session.scalar(own) is None else domain


def _ends(column: Any, domain: str) -> ColumnElement[bool]:
    return func.lower(column).endswith(f"@{domain}", autoescape=True)


def needles_in_bytes(person: Person) -> Collection[bytes]:
    """What the bytes of a JSON body hold when it may be about the person."""
    found = {one.encode() for one in person.needles if "@" in one}
    return found | {orjson.dumps(name) for _, name in person.ids}
