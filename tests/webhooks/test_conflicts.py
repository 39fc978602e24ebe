"""What the machine must not decide: listed with its evidence, decided by a person, for good."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import Deal, DealShare
from rewards_service.reports.checks import run_checks
from tests.builders.api import Caller, Json
from tests.builders.chargebee import at, credit_note, event, paid
from tests.builders.world import World
from tests.webhooks.deciding import WHY, post, public

ADA = "ada@one.example"


def only(api: Caller, **query: str) -> Json:
    """The one conflict there is, with its evidence."""
    found = api.get("/conflicts", **query)["data"]
    assert len(found) == 1
    return api.get(f"/conflicts/{found[0]['id']}")


def resolve(api: Caller, conflict: Json, /, **body: object) -> Json:
    return post(api, f"/conflicts/{conflict['id']}/resolve", **{"reason": WHY, **body})


def assert_sound(world: World) -> None:
    with Session(world.engine) as session:
        assert [check for check in run_checks(session) if not check.ok] == []


class TestTwoPartners:
    @pytest.fixture
    def ann(self, world: World) -> int:
        return world.partner("Ann")

    @pytest.fixture
    def bob(self, world: World, ann: int) -> int:
        """Ann's lead converts; Bob has a deal with the same contact."""
        partner = world.partner("Bob")
        world.lead(ADA, ann)
        world.deal(ADA, partner)
        world.receive(paid("p", "cb_1", ADA))
        return partner

    def test_it_is_listed_with_evidence_and_money_at_stake(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        """DOMAIN S2: the customer's is the lead's partner, its rewards are on hold."""
        shown = only(api, kind="attribution", state="open")

        assert (shown["state"], shown["decisions"]) == ("open", ["keep", "choose"])
        evidence = shown["evidence"]
        assert evidence["on_hold"] == [{"currency": "USD", "amount_minor": 2_000}]
        assert [row["id"] for row in evidence["partners"]] == [
            public("par", ann), public("par", bob),
        ]  # fmt: skip
        assert evidence["leads"][0]["converted_at"] == evidence["deals"][0]["associated_at"]
        assert evidence["customers"][0]["hold_reason"] == "conflict"
        assert api.get("/conflicts", state="resolved")["data"] == []

    def test_the_present_partner_may_keep_the_customer(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        """DOMAIN S2: the hold is lifted at once, and later payments are not held either."""
        done = resolve(api, only(api), decision="keep")
        world.receive(paid("q", "cb_1", ADA, day=1))

        assert [(row["status"], row["amount_minor"]) for row in done["rewards"]] == [("pending", 0)]
        assert world.hold(ann) == [("pending", None)] * 2
        assert only(api, state="resolved")["decision"] == {"decision": "keep"}
        assert_sound(world)

    def test_the_other_may_get_it_with_what_is_unpaid(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        """DOMAIN S2, S5: previewed, done, and not undone by the next payment."""
        conflict, chosen = only(api), public("par", bob)
        shown = resolve(api, conflict, decision="choose", partner_id=chosen, dry_run=True)
        assert (shown["state"], world.earned(bob)) == ("open", 0)

        done = resolve(api, conflict, decision="choose", partner_id=chosen)
        world.receive(paid("q", "cb_1", ADA, day=1), paid("r", "cb_1", ADA, day=-1))

        amounts = [[row["amount_minor"] for row in one["rewards"]] for one in (shown, done)]
        assert amounts == [[-2_000, 2_000]] * 2
        assert (world.earned(ann), world.earned(bob)) == (0, 6_000)
        assert {status for status, _ in world.hold(bob)} == {"pending"}
        assert len(api.get("/conflicts")["data"]) == 1
        assert_sound(world)

    def test_the_shares_of_the_chosen_deal_are_paid(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        """DOMAIN S3, S7."""
        cat = world.partner("Cat")
        deal = world.all(Deal)[0].id
        for partner in (bob, cat):
            world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=5_000))
        resolve(api, only(api), decision="choose", partner_id=public("par", bob))

        assert [world.earned(partner) for partner in (ann, bob, cat)] == [0, 1_000, 1_000]

    def test_a_decision_goes_with_the_conflict_and_is_made_once(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        conflict = only(api)
        path = f"/conflicts/{conflict['id']}/resolve"
        stranger = public("par", world.partner("Eve"))
        wrong: list[tuple[Json, str]] = [
            ({"decision": "inherit"}, "/decision"),
            ({"decision": "choose"}, "/partner_id"),
            ({"decision": "choose", "partner_id": stranger}, "/partner_id"),
            ({"decision": "keep", "partner_id": stranger}, "/partner_id"),
        ]
        for body, pointer in wrong:
            assert api.pointers("POST", path, reason=WHY, **body) == [pointer]
        resolve(api, conflict, decision="keep")

        again = api.refused("POST", path, 409, decision="keep", reason=WHY)
        assert again["code"] == "conflict_resolved"
        with Session(world.engine) as session:
            query = select(AuditEntry).where(AuditEntry.action == "conflict.resolved")
            entry = session.scalars(query).one()
        assert (entry.reason, entry.detail["decision"]) == (WHY, "keep")


class TestOtherChargebeeId:
    @pytest.mark.parametrize(("decision", "earned"), [("keep", 2_000), ("inherit", 6_000)])
    def test_the_second_account_inherits_only_if_a_person_says_so(
        self, world: World, api: Caller, decision: str, earned: int
    ) -> None:
        """DOMAIN M5: a person with two accounts is not free money."""
        ann = world.partner("Ann")
        world.lead(ADA, ann)
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_2", ADA, day=1))
        conflict = only(api, kind="same_email_other_chargebee_id")
        assert len(conflict["evidence"]["customers"]) == 2

        resolve(api, conflict, decision=decision)
        world.receive(paid("r", "cb_2", ADA, day=2))

        assert world.earned(ann) == earned
        assert_sound(world)


class TestAmbiguousEmail:
    def test_the_payment_goes_to_whom_a_person_chooses(self, world: World, api: Caller) -> None:
        """DOMAIN M6."""
        ann = world.partner("Ann")
        first, second = world.person(ADA), world.person(ADA, ann)
        world.receive(paid("p", "cb_1", ADA))
        conflict = only(api, kind="ambiguous_email")
        assert conflict["candidates"]["customers"] == [public("cus", first), public("cus", second)]

        resolve(api, conflict, decision="choose", customer_id=public("cus", second))

        assert world.outcome("ev_p") == "transaction_recorded"
        assert world.customer_of("cb_1").id == second
        assert world.earned(ann) == 2_000
        assert_sound(world)


class TestLatePayment:
    @pytest.mark.parametrize(
        ("decision", "early", "late"), [("keep", 0, 2_000), ("reattribute", 2_000, 0)]
    )
    def test_the_deal_goes_to_who_paid_first_only_if_a_person_says_so(
        self, world: World, api: Caller, decision: str, early: int, late: int
    ) -> None:
        """DOMAIN M17: once a reward was approved."""
        world.deal(ADA, world.partner("Bob"))
        world.receive(paid("late", "cb_2", ADA, day=2))
        world.pin(world.customer_of("cb_2").id)
        world.receive(paid("early", "cb_1", ADA, day=1))
        conflict = only(api, kind="late_payment")
        preview = resolve(api, conflict, decision=decision, dry_run=True)
        resolve(api, conflict, decision=decision)
        world.receive(paid("again", "cb_1", ADA, day=0.5))

        assert sum(row["amount_minor"] for row in preview["rewards"]) == 0
        assert world.earned(invoice="inv_early") == early
        assert world.earned(invoice="inv_late") == late
        assert world.earned(invoice="inv_again") == early
        assert_sound(world)


class TestInconsistentInvoice:
    def test_it_is_acknowledged(self, world: World, api: Caller) -> None:
        """DOMAIN A3."""
        world.lead(ADA, world.partner("Ann"), at(-9))
        world.receive(
            paid("p", "cb_1", ADA),
            event("ev_n", "credit_note_created", 1,
                  credit_note=credit_note("CN", "inv_p", 10_000, 1)),
        )  # fmt: skip
        conflict = only(api, kind="inconsistent_invoice")
        assert conflict["decisions"] == ["keep"]

        assert resolve(api, conflict, decision="keep")["state"] == "resolved"
