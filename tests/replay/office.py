"""Books of a small shop with the people who decide: they review, pay out, correct and attach."""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.customer_service import create_customer
from rewards_service.crm.models import AttributionConflict
from rewards_service.crm.service import change_lead, create_lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import transaction
from rewards_service.partners.service import change_partner
from rewards_service.payouts import making
from rewards_service.payouts import service as payouts
from rewards_service.programs.models import RewardRule
from rewards_service.programs.service import change_rule
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids, find_subjects
from rewards_service.replay.service import Outcome, replay
from rewards_service.rewards import adjusting, review
from rewards_service.rewards.models import Reward
from rewards_service.webhooks import reattribution, resolving, workbench
from tests.reports.books import REGISTERED, Books, Event

WHO = "key:1"
ADA = "ada@customer-one.example"
BOB = "bob@two.example"


class Office(Books):
    """What people do goes through the functions behind the API."""

    def rewards(self, **members: Any) -> list[int]:
        query = select(Reward.id).filter_by(**members).order_by(Reward.id)
        with Session(self.engine) as session:
            return list(session.scalars(query))

    def enter_lead(self, partner_id: int | None, email: str) -> int:
        wanted = {"email": email, "status": "accepted", "partner_id": partner_id,
                  "registered_at": REGISTERED}  # fmt: skip
        with transaction(self.engine) as session:
            return create_lead(session, wanted, WHO).id

    def correct_lead(self, lead_id: int, **members: Any) -> None:
        with transaction(self.engine) as session:
            change_lead(session, lead_id, members, WHO)

    def change_partner(self, partner_id: int, **members: Any) -> None:
        with transaction(self.engine) as session:
            change_partner(session, partner_id, members, WHO)

    def change_rule(self, **members: Any) -> None:
        with transaction(self.engine) as session:
            change_rule(session, session.scalars(select(RewardRule.id)).one(), members, WHO)

    def move(self, to_status: str, *keys: int, reason: str | None = "looked at") -> None:
        with transaction(self.engine) as session:
            review.change_status(session, keys, to_status, reason, WHO)

    def adjust(self, key: int, amount_minor: int) -> None:
        with transaction(self.engine) as session:
            adjusting.adjust(session, key, amount_minor, "goodwill", WHO, may_write_off=True)

    def pay_out(self) -> None:
        """Everything approved and available, in one go."""
        with transaction(self.engine) as session:
            made = making.create(session, making.Wanted("USD", date(2026, 11, 1)), WHO)
            for payout in made.payouts:
                payouts.submit(session, payout.id, WHO)
                payouts.accept(session, payout.id, WHO)
                payouts.mark_paid(session, payout.id, date(2026, 11, 2), "ref", WHO)

    def reattribute(self, customer_id: int, partner_id: int, retroactive: bool) -> None:
        wanted = {"source_partner_id": partner_id, "reason": "by contract",
                  "retroactive": retroactive}  # fmt: skip
        with transaction(self.engine) as session:
            reattribution.change_customer(session, customer_id, wanted, WHO)

    def attach(self, event: Event, kind: str, key: int) -> None:
        with transaction(self.engine) as session:
            query = select(ReceivedEvent.id).where(ReceivedEvent.event_id == event["id"])
            event_key = session.scalars(query).one()
            workbench.attach_event(session, event_key, (kind, key), "told so", WHO)

    def handle_again(self, event: Event) -> None:
        with transaction(self.engine) as session:
            query = select(ReceivedEvent.id).where(ReceivedEvent.event_id == event["id"])
            workbench.replay_event(session, session.scalars(query).one(), actor=WHO)

    def customer_of(self, payer: str) -> int:
        with Session(self.engine) as session:
            definition = definition_ids(session)[CUSTOMER_ID]
            return find_subjects(session, definition, self.integration_id, [payer])[payer]

    def resolve(self, kind: str, decision: str, reason: str = "as agreed", **chosen: int) -> None:
        query = select(AttributionConflict.id).where(AttributionConflict.kind == kind)
        with transaction(self.engine) as session:
            decided = resolving.Decision(decision, WHO, reason, **chosen)
            resolving.resolve(session, session.scalars(query).one(), decided)

    def enter_customer(self, email: str, partner_id: int | None = None) -> int:
        wanted = {"name": "By hand", "email": email, "source_partner_id": partner_id}
        with transaction(self.engine) as session:
            return create_customer(session, wanted, WHO).id

    def replay(self) -> Outcome:
        return replay(self.engine)


def unchanged(office: Office) -> None:
    outcome = office.replay()

    assert outcome.differences == []
    assert outcome.ok


def statuses(office: Office) -> set[str]:
    with Session(office.engine) as session:
        return set(session.scalars(select(Reward.status)))
