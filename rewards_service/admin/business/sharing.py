"""Who shares what a customer pays, where its deal is split between several partners."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.crm.listing import shares_of
from rewards_service.rewards.payees import known_by, sharing_deal
from rewards_service.rewards.people import deals_of
from rewards_service.transactions.models import Transaction


class Sharing:
    """Of the customers of one page: a query for their deals, and one for the shares of those.

    A customer is one of the model, or a row with its columns.
    """

    def __init__(self, session: Session, customers: Collection[int]) -> None:
        self._deals = deals_of(session, customers)
        found = shares_of(session, [deal.id for some in self._deals.values() for deal in some])
        self._shares = {deal: [one.partner_id for one in some] for deal, some in found.items()}

    def of_customer(self, customer: Any) -> Sequence[int | None]:
        """Those who share it, else its source partner."""
        shared = [] if customer.source_by_hand else self._sharers(customer, None)
        return shared or [customer.source_partner_id]

    def of_payment(self, payment: Transaction, customer: Any) -> Sequence[int | None]:
        """Those who share it, as rewards do (DOMAIN S3), else the partner it counts for."""
        if customer is None or payment.partner_by_hand:
            return [payment.partner_id]
        return self._sharers(customer, payment.occurred_at) or [payment.partner_id]

    def _sharers(self, customer: Any, paid_at: datetime | None) -> list[int]:
        deals = known_by(self._deals.get(customer.id, []), paid_at)
        deal = sharing_deal(customer.source_deal_id, deals, self._shares)
        return self._shares[deal.id] if deal is not None else []
