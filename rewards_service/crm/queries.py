"""Everything matching needs to know, loaded for a batch in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from rewards_service.crm.matching import Claim, Payer
from rewards_service.crm.models import Customer, Deal, Lead, PaymentClaim
from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, columns, fetch_rows
from rewards_service.properties.service import find_subjects, values_of

LEAD_COLUMNS = columns(
    Lead,
    "id",
    "email_key",
    "status",
    "status_before",
    "partner_id",
    "registered_at",
    "customer_id",
    "converted_at",
    "superseded_by_id",
)
DEAL_COLUMNS = columns(
    Deal,
    "id",
    "email_key",
    "stage",
    "partner_id",
    "registered_at",
    "customer_id",
    "associated_at",
)
CUSTOMER_COLUMNS = columns(
    Customer,
    "id",
    "email_key",
    "name",
    "email",
    "source_partner_id",
    "source_by_hand",
    "source_lead_id",
    "source_deal_id",
    "attributed_from",
    "hold_reason",
    "machine_made",
    "matched_at",
    "pinned",
    "withdrawn_at",
)
CLAIM_COLUMNS = columns(
    PaymentClaim,
    "received_event_id",
    "event_id",
    "integration_id",
    "chargebee_customer_id",
    "chargebee_transaction_id",
    "email",
    "email_key",
    "customer_name",
    "paid_at",
    "occurred_at",
    "convert_lead",
    "associate_deal",
    "create_transaction",
    "first_wins",
)

AnyRow = Row[*tuple[Any, ...]]


@dataclass(slots=True)
class Neighbourhood:
    """What the books hold around some payers and e-mail keys."""

    links: dict[Payer, int] = field(default_factory=dict)  # payer -> customer
    leads: dict[int, AnyRow] = field(default_factory=dict)
    deals: dict[int, AnyRow] = field(default_factory=dict)
    customers: dict[int, AnyRow] = field(default_factory=dict)
    leads_by_key: dict[str, list[AnyRow]] = field(default_factory=lambda: defaultdict(list))
    deals_by_key: dict[str, list[AnyRow]] = field(default_factory=lambda: defaultdict(list))
    unlinked_by_key: dict[str, list[AnyRow]] = field(default_factory=lambda: defaultdict(list))


def load_neighbourhood(
    session: Session, definition_id: int, payers: Iterable[Payer], keys: Iterable[str]
) -> Neighbourhood:
    """Leads and deals of the keys (locked until commit), customers of the payers and keys."""
    found = Neighbourhood()
    wanted = sorted(set(keys))
    for row in _by_key(session, select(*LEAD_COLUMNS), Lead.email_key, wanted, lock=True):
        found.leads[row.id] = row
        found.leads_by_key[row.email_key].append(row)
    for row in _by_key(session, select(*DEAL_COLUMNS), Deal.email_key, wanted, lock=True):
        found.deals[row.id] = row
        found.deals_by_key[row.email_key].append(row)
    found.links = find_links(session, definition_id, payers)
    owners = {row.customer_id for row in (*found.leads.values(), *found.deals.values())}
    ids = {*found.links.values(), *owners} - {None}
    for row in customers_by_id(session, sorted(ids)):
        found.customers[row.id] = row
    _add_unlinked(session, found, definition_id, wanted)
    return found


def add_kept(session: Session, definition_id: int, found: Neighbourhood) -> None:
    """Add all that pinned customers have: a person may have given them leads of another e-mail."""
    pinned = sorted(row.id for row in found.customers.values() if row.pinned)
    for subject_id, integration_id, value in values_of(session, definition_id, pinned):
        found.links[Payer(integration_id, value)] = subject_id
    for some in chunks(pinned):
        leads = select(*LEAD_COLUMNS).where(among(session, Lead.customer_id, some))
        for row in fetch_rows(session, leads):
            found.leads.setdefault(row.id, row)
        deals = select(*DEAL_COLUMNS).where(among(session, Deal.customer_id, some))
        for row in fetch_rows(session, deals):
            found.deals.setdefault(row.id, row)


def _add_unlinked(
    session: Session, found: Neighbourhood, definition_id: int, keys: list[str]
) -> None:
    """Customers that people made, by e-mail. Whether they have an id yet, their links tell."""
    query = select(*CUSTOMER_COLUMNS).where(
        Customer.machine_made.is_(False), Customer.withdrawn_at.is_(None)
    )
    rows = _by_key(session, query, Customer.email_key, keys, lock=False)
    for row in rows:
        found.customers[row.id] = row
        found.unlinked_by_key[row.email_key].append(row)
    for subject_id, integration_id, value in values_of(
        session, definition_id, [row.id for row in rows]
    ):
        found.links[Payer(integration_id, value)] = subject_id


def _by_key(
    session: Session, query: Select[*tuple[Any, ...]], column: Any, keys: list[str], lock: bool
) -> list[AnyRow]:
    rows: list[AnyRow] = []
    for some in chunks(keys):
        chunk = query.where(among(session, column, some))
        rows.extend(fetch_rows(session, chunk.with_for_update() if lock else chunk))
    return rows


def customers_by_id(session: Session, ids: list[int]) -> list[AnyRow]:
    rows: list[AnyRow] = []
    for some in chunks(ids):
        rows.extend(
            session.execute(
                select(*CUSTOMER_COLUMNS).where(among(session, Customer.id, some))
            ).all()
        )
    return rows


def find_links(session: Session, definition_id: int, payers: Iterable[Payer]) -> dict[Payer, int]:
    """Payer -> customer, by the property "ChargeBee Customer ID" (DOMAIN M2)."""
    return {
        Payer(integration_id, value): customer_id
        for integration_id, values in _by_site(payers).items()
        for value, customer_id in find_subjects(
            session, definition_id, integration_id, values
        ).items()
    }


def load_claims_around(session: Session, start: Iterable[Claim]) -> list[Claim]:
    """All claims that share a payer or an e-mail key with these, however far the chain goes."""
    found: dict[int, Claim] = {}
    payers: set[Payer] = set()
    keys: set[str] = set()
    new_payers = {claim.payer for claim in start}
    new_keys = {claim.email_key for claim in start if claim.email_key}
    while new_payers or new_keys:
        payers |= new_payers
        keys |= new_keys
        _add_claims(session, new_payers, new_keys, found)
        new_payers = {claim.payer for claim in found.values()} - payers
        new_keys = {claim.email_key for claim in found.values() if claim.email_key} - keys
    return list(found.values())


def load_claims_of(session: Session, payers: Iterable[Payer]) -> list[Claim]:
    """All claims of these payers."""
    found: dict[int, Claim] = {}
    _add_claims(session, set(payers), set(), found)
    return list(found.values())


def claims_of_events(session: Session, event_ids: Sequence[int]) -> dict[int, Claim]:
    """Event -> the claim it left; without those that left none."""
    found: dict[int, Claim] = {}
    for some in chunks(event_ids):
        _read(session, among(session, PaymentClaim.received_event_id, some), found)
    return found


def _add_claims(
    session: Session, payers: set[Payer], keys: set[str], found: dict[int, Claim]
) -> None:
    column = PaymentClaim.chargebee_customer_id
    for site, ids in _by_site(payers).items():
        for some in chunks(ids):
            of_payers = (PaymentClaim.integration_id == site) & among(session, column, some)
            _read(session, of_payers, found)
    for keys_chunk in chunks(sorted(keys)):
        _read(session, among(session, PaymentClaim.email_key, keys_chunk), found)


def _read(session: Session, condition: Any, found: dict[int, Claim]) -> None:
    for row in fetch_rows(session, select(*CLAIM_COLUMNS).where(condition)):
        if row[0] not in found:
            found[row[0]] = claim_of(row)


def claim_of(row: AnyRow) -> Claim:
    """The claim of a row with CLAIM_COLUMNS, which follow the order of its fields."""
    event, event_id, integration_id, chargebee_id, *others = row
    return Claim(event, event_id, Payer(integration_id, chargebee_id), *others)


def add_claims_of_transactions(
    session: Session, ids: Iterable[tuple[int, str]], found: dict[int, Claim]
) -> None:
    """Add claims that tell of the same Chargebee transactions: (integration key, Chargebee id)."""
    column = PaymentClaim.chargebee_transaction_id
    for site, names in _by_site(ids).items():
        for some in chunks(names):
            of_these = (PaymentClaim.integration_id == site) & among(session, column, some)
            _read(session, of_these, found)


def _by_site(keys: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for site, name in keys:
        found[site].add(name)
    return {site: sorted(names) for site, names in sorted(found.items())}
