"""A payment that matched nobody is matched by hand."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import Deal, Lead
from rewards_service.reports.checks import run_checks
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction
from tests.builders.api import Caller
from tests.builders.chargebee import at, paid, refunded
from tests.builders.world import World
from tests.webhooks.deciding import WHY, attach, event_path, public

ADA = "ada@one.example"


def books(world: World) -> list[object]:
    """Everything that a dry run must leave as it is."""
    leads = [(row.id, row.status, row.customer_id) for row in world.all(Lead)]
    deals = [(row.id, row.customer_id) for row in world.all(Deal)]
    rest = [len(world.all(model)) for model in (Transaction, Reward)]
    return [leads, deals, rest, len(world.customers()), world.entries()]


def assert_sound(world: World) -> None:
    with Session(world.engine) as session:
        found = run_checks(session)
    assert [check for check in found if not check.ok] == []


class TestAttach:
    @pytest.mark.parametrize("registered_at", [at(-9), at(50)])
    def test_a_lead_of_another_spelling_earns_also_when_registered_later(
        self, world: World, api: Caller, registered_at: datetime
    ) -> None:
        """DOMAIN M11, M16; default 2: workbench override."""
        ann = world.partner("Ann")
        lead = world.lead("ada@office.example", ann, registered_at)
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_1", ADA, day=1))
        assert world.outcome("ev_p") == "unknown_customer"

        done = attach(api, world, "ev_q", lead_id=public("led", lead))

        assert (done["outcome"], done["customer_is_new"]) == ("transaction_recorded", True)
        assert [row["chargebee_transaction_id"] for row in done["transactions"]] == [
            "txn_p", "txn_q",
        ]  # fmt: skip
        assert [(row["partner_id"], row["amount_minor"]) for row in done["rewards"]] == [
            (public("par", ann), 2_000), (public("par", ann), 2_000),
        ]  # fmt: skip
        assert all("20 %" in row["text"] for row in done["rewards"])
        assert {world.outcome("ev_p"), world.outcome("ev_q")} == {"transaction_recorded"}
        assert world.earned(ann) == 4_000
        assert world.get(Lead, lead).status == "converted"
        assert done["results"]["lead_id"] == public("led", lead)
        assert_sound(world)

    def test_a_dry_run_shows_the_same_and_keeps_nothing(self, world: World, api: Caller) -> None:
        """DOMAIN M11."""
        lead = world.lead("ada@office.example", world.partner("Ann"))
        world.receive(paid("p", "cb_1", ADA))
        before = books(world)

        shown = attach(api, world, "ev_p", lead_id=public("led", lead), dry_run=True)

        assert books(world) == before
        assert world.outcome("ev_p") == "unknown_customer"
        assert (shown["outcome"], shown["customer_id"]) == ("transaction_recorded", None)
        done = attach(api, world, "ev_p", lead_id=public("led", lead))
        for name in ("rewards", "transactions", "outcome", "customer_is_new"):
            assert shown[name] == done[name]

    def test_a_deal_is_associated_and_its_partner_earns(self, world: World, api: Caller) -> None:
        """DOMAIN M7, M11: a lost deal as well, by a person only."""
        bob = world.partner("Bob")
        deal = world.deal("boss@office.example", bob, stage="lost")
        world.receive(paid("p", "cb_1", ADA))

        attach(api, world, "ev_p", deal_id=public("dea", deal))

        assert world.earned(bob) == 2_000
        assert world.get(Deal, deal).customer_id == world.customer_of("cb_1").id
        assert_sound(world)

    def test_a_customer_gets_the_chargebee_id(self, world: World, api: Caller) -> None:
        """DOMAIN M10, M11."""
        ann = world.partner("Ann")
        person = world.person("office@one.example", ann)
        world.receive(paid("p", "cb_1", None))
        assert world.outcome("ev_p") == "no_email"

        done = attach(api, world, "ev_p", customer_id=public("cus", person))

        assert done["customer_id"] == public("cus", person)
        assert world.customer_of("cb_1").id == person
        assert world.earned(ann) == 2_000
        assert_sound(world)

    def test_a_customer_has_one_chargebee_id_per_site(self, world: World, api: Caller) -> None:
        """DOMAIN M10."""
        world.lead("first@one.example", world.partner("Ann"))
        world.receive(paid("p", "cb_1", "first@one.example"), paid("q", "cb_2", ADA))
        known = public("cus", world.customer_of("cb_1").id)
        path = event_path(world, "ev_q", "/attach")

        refused = api.refused("POST", path, 409, customer_id=known, reason=WHY)

        assert refused["code"] == "customer_has_chargebee_id"

    def test_without_the_transaction_option_the_event_says_what_was_done(
        self, world: World, api: Caller
    ) -> None:
        """DOMAIN M12, V11; and goes on saying it when the payer pays again."""
        world.switch(create_transaction=False, convert_lead=True, associate_deal=True)
        lead = world.lead("ada@office.example", world.partner("Ann"))
        world.receive(paid("p", "cb_1", ADA))
        assert world.outcome("ev_p") == "no_lead"

        assert attach(api, world, "ev_p", lead_id=public("led", lead))["outcome"] == "converted"

        world.receive(paid("q", "cb_1", ADA, day=1))
        assert (world.outcome("ev_p"), world.outcome("ev_q")) == ("converted", "no_change")

    def test_what_a_person_attached_stays_when_an_earlier_payment_comes(
        self, world: World, api: Caller
    ) -> None:
        """DOMAIN M8, M17: the machine takes nothing from a customer that a person made."""
        ann = world.partner("Ann")
        lead = world.lead("ada@office.example", ann)
        deal = world.deal("boss@office.example", ann)
        world.receive(paid("p", "cb_1", ADA, day=5), paid("q", "cb_2", "eve@x.example", day=5))
        attach(api, world, "ev_p", lead_id=public("led", lead))
        attach(api, world, "ev_q", deal_id=public("dea", deal))

        world.receive(
            paid("r", "cb_3", "ada@office.example", day=1),
            paid("s", "cb_4", "boss@office.example", day=1),
            refunded("t", "txn_p", 5_000, 6),
        )

        assert world.get(Lead, lead).customer_id == world.customer_of("cb_1").id
        assert world.get(Deal, deal).customer_id == world.customer_of("cb_2").id
        assert world.earned(invoice="inv_p") == 1_000
        assert world.earned(invoice="inv_q") == 2_000
        assert world.earned(invoice="inv_r") + world.earned(invoice="inv_s") == 0
        assert [world.ended(f"ev_{name}")[0] for name in "rst"] == ["done"] * 3
        assert_sound(world)

    def test_it_is_audited_with_all_that_is_needed_to_do_it_again(
        self, world: World, api: Caller
    ) -> None:
        lead = world.lead("ada@office.example", world.partner("Ann"))
        world.receive(paid("p", "cb_1", ADA))
        attach(api, world, "ev_p", lead_id=public("led", lead))

        with Session(world.engine) as session:
            query = select(AuditEntry).where(AuditEntry.action == "event.attached")
            entry = session.scalars(query).one()

        assert (entry.reason, entry.subject_id) == (WHY, world.event("ev_p").id)
        assert entry.detail["lead_id"] == lead
        assert entry.detail["chargebee_customer_id"] == "cb_1"
        assert entry.detail["integration_id"] == world.site.id


class TestRefusals:
    def test_a_payer_that_is_known(self, world: World, api: Caller) -> None:
        """DOMAIN M2: e-mail and people's wishes never override an id match."""
        lead = world.lead(ADA, world.partner("Ann"))
        other = world.lead("x@one.example", world.partner("Bob"))
        world.receive(paid("p", "cb_1", ADA))
        path = event_path(world, "ev_p", "/attach")

        for key in (lead, other):
            found = api.refused("POST", path, 409, lead_id=public("led", key), reason=WHY)
            assert found["code"] == "payer_known"

    def test_what_belongs_to_another_customer(self, world: World, api: Caller) -> None:
        """DOMAIN M5, M8."""
        lead, deal = world.lead(ADA, world.partner("Ann")), world.deal(ADA)
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_2", "eve@x.example"))
        path = event_path(world, "ev_q", "/attach")

        by_lead = api.refused("POST", path, 409, lead_id=public("led", lead), reason=WHY)
        by_deal = api.refused("POST", path, 409, deal_id=public("dea", deal), reason=WHY)

        assert (by_lead["code"], by_deal["code"]) == ("lead_converted", "deal_associated")

    def test_what_is_no_payment_or_not_handled_yet(self, world: World, api: Caller) -> None:
        lead = public("led", world.lead(ADA, world.partner("Ann")))
        world.receive(refunded("r", "txn_p", 100))
        world.accept(paid("p", "cb_1", "x@y.example"))

        codes = [
            api.refused("POST", event_path(world, name, "/attach"), 409, lead_id=lead, reason=WHY)[
                "code"
            ]
            for name in ("ev_r", "ev_p")
        ]

        assert codes == ["not_a_payment", "event_pending"]

    def test_a_choice_is_one_and_has_a_reason(self, world: World, api: Caller) -> None:
        world.receive(paid("p", "cb_1", ADA))
        path = event_path(world, "ev_p", "/attach")
        lead, deal = public("led", 1), public("dea", 1)

        assert api.pointers("POST", path, reason=WHY) == ["/lead_id"]
        assert api.pointers("POST", path, lead_id=lead, deal_id=deal, reason=WHY) == ["/lead_id"]
        assert api.pointers("POST", path, lead_id=lead) == ["/reason"]
        assert api.call("POST", path, json={"lead_id": lead, "reason": WHY}).status_code == 404
