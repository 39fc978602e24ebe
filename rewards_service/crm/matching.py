"""What matching works on: claims of payments, leads, deals, customers; what comes out (pure)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

OPEN_LEADS = ("pending", "accepted")
OPEN_DEALS = ("open", "won")

CONFLICT_PARTNERS = "attribution"
CONFLICT_OTHER_ID = "same_email_other_chargebee_id"
CONFLICT_AMBIGUOUS = "ambiguous_email"
CONFLICT_LATE = "late_payment"


class Payer(NamedTuple):
    """A Chargebee customer: ids are only unique within a site."""

    integration_id: int
    chargebee_id: str


class Claim(NamedTuple):
    """What one payment says about who paid; `event` is the key of its received event."""

    event: int
    event_id: str
    payer: Payer
    transaction_id: str
    email: str | None
    email_key: str | None
    name: str | None
    paid_at: datetime
    occurred_at: datetime
    convert_lead: bool
    associate_deal: bool
    create_transaction: bool
    first_wins: bool = False

    @property
    def place(self) -> tuple[datetime, str, datetime, str, Payer]:
        """Where the payment stands among all others: by payment date, then Chargebee's ids.

        Two sites may use the same ids, hence the payer.
        """
        return self.paid_at, self.transaction_id, self.occurred_at, self.event_id, self.payer


class LeadFacts(NamedTuple):
    """A lead as it stood before any conversion by the machine."""

    id: int
    email_key: str | None
    status: str
    partner_id: int | None
    registered_at: datetime
    pinned_customer_id: int | None = None
    pinned_at: datetime | None = None  # the payment that a pinned conversion came from
    superseder_id: int | None = None  # the lead of a pinned customer that was converted instead


class DealFacts(NamedTuple):
    """A deal as it stood before any association by the machine."""

    id: int
    email_key: str | None
    stage: str
    partner_id: int | None
    registered_at: datetime
    pinned_customer_id: int | None = None
    pinned_at: datetime | None = None  # the payment that a pinned association came from


class CustomerFacts(NamedTuple):
    """A customer that people made, or that is pinned, with its payers.

    `linked_at`: the payment by which one that people made got its Chargebee id.
    """

    id: int
    email_key: str | None
    source_partner_id: int | None
    payers: tuple[Payer, ...] = ()
    pinned: bool = False
    linked_at: datetime | None = None


@dataclass(slots=True)
class Match:
    """A customer as the fold leaves it. `customer_id` is None for one that matching makes."""

    customer_id: int | None
    payers: list[Payer] = field(default_factory=list)
    source_partner_id: int | None = None
    source_lead_id: int | None = None
    source_deal_id: int | None = None
    attributed_from: datetime | None = None
    hold_reason: str | None = None
    made_by: Claim | None = None
    matched_at: datetime | None = None
    pinned: bool = False


class Conflict(NamedTuple):
    kind: str
    natural_key: str
    subject: tuple[str, int]
    candidates: dict[str, object]


@dataclass(slots=True)
class Resolution:
    """What the books must say: who is known, which leads are converted, which deals associated."""

    known: dict[Payer, Match] = field(default_factory=dict)
    converted: dict[int, tuple[Match, datetime]] = field(default_factory=dict)  # by lead
    superseded: dict[int, int] = field(default_factory=dict)  # lead -> the converted one
    associated: dict[int, tuple[Match, datetime]] = field(default_factory=dict)  # by deal
    conflicts: list[Conflict] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)  # event -> outcome without transaction
    results: dict[int, dict[str, object]] = field(default_factory=dict)  # event -> on the way
