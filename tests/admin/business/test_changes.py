"""Forms: what the API allows, its refusals at the fields, nothing done unseen."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import Customer, Deal, DealShare, Lead
from rewards_service.kit import ids
from tests.admin.business.books import Books
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.chargebee import at, paid
from tests.builders.world import World


def field(page: str, name: str) -> str:
    """The value of a field of a form."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None, name
    return found.group(1)


def version(person: Visitor, path: str) -> str:
    return field(person.get(f"{path}/edit").text, "version")


class TestLeads:
    def test_one_is_registered_as_by_the_api_and_refused_at_its_fields(
        self, enter: Enter, company: Books, world: World
    ) -> None:
        manager = enter("manager")
        form = {"company": "New & Co", "status": "pending", "partner_id": company.ann}
        wrong = manager.post("/leads", **form, email=" ")
        assert wrong.status_code == 422
        assert "New &amp; Co" in wrong.text
        assert re.search(r'id="email-error">.*?A lead is known by', wrong.text, re.DOTALL)
        wrong = manager.post("/leads", **form, email="ned@new.example", registered_at="soon")
        assert 'id="registered_at-error"' in wrong.text
        made = manager.post(
            "/leads", **form, email="Ned@New.example", registered_at="2026-01-31T08:30"
        )
        shown = manager.get(made.headers["Location"]).text

        lead = next(row for row in world.all(Lead) if row.email_key == "ned@new.example")
        assert (lead.company, lead.status) == ("New & Co", "pending")
        assert lead.registered_at == at(30).replace(hour=8, minute=30)
        assert ids.encode("par", lead.partner_id) == company.ann
        assert "The lead is registered" in shown
        assert ">Created<" in shown

    def test_only_what_differs_is_changed(
        self, owner: Visitor, company: Books, world: World
    ) -> None:
        path, key = f"/leads/{company.open_lead}", ids.decode("led", company.open_lead)
        assert key is not None
        shown = owner.get(f"{path}/edit").text
        before = world.get(Lead, key)
        fields = {name: field(shown, name) for name in ("version", "email", "registered_at")}
        answer = owner.post(path, **fields, first_name="Sam", status="accepted",
                            partner_id=company.ann, company="")  # fmt: skip
        after = world.get(Lead, key)

        assert answer.status_code == 302
        assert (after.first_name, after.company) == ("Sam", None)
        assert (after.email, after.registered_at) == (before.email, before.registered_at)
        again = owner.post(path, **fields, first_name="Other", partner_id=company.ann)
        assert again.status_code == 422
        assert "Somebody changed this while you had it open" in again.text
        assert world.get(Lead, key).first_name == "Sam"
        knowing = {**fields, "version": field(again.text, "version")}
        owner.post(path, **knowing, first_name="Other", status="lost", partner_id="")
        assert (world.get(Lead, key).status, world.get(Lead, key).partner_id) == ("lost", None)

    def test_a_converted_one_keeps_what_its_conversion_was_based_on(
        self, owner: Visitor, company: Books, world: World
    ) -> None:
        path, key = f"/leads/{company.lead}", ids.decode("led", company.lead)
        assert key is not None
        assert 'name="email"' not in owner.get(f"{path}/edit").text
        other: dict[str, str]
        for other in ({"email": "other@buyer.example"}, {"partner_id": company.bob},
                      {"status": "lost"}):  # fmt: skip
            refused = owner.post(path, version=version(owner, path), company="Eve", **other)
            assert refused.status_code == 422
            assert "It became a customer" in refused.text
            assert "Nothing was saved" in refused.text
        owner.post(path, version=version(owner, path), company="Eve & Co")
        after = world.get(Lead, key)

        assert (after.company, after.email) == ("Eve & Co", "eve@buyer.example")
        assert (after.status, ids.encode("par", after.partner_id)) == ("converted", company.ann)


class TestDeals:
    def test_amounts_are_in_units_and_shares_in_per_cent(
        self, owner: Visitor, company: Books, world: World
    ) -> None:
        shares = {"shares-0-partner": company.ann, "shares-0-per_cent": "33.34",
                  "shares-1-partner": company.bob}  # fmt: skip
        form = {"name": "Big", "amount_minor": "1240.50", "currency": "EUR", "stage": "open"}
        half = owner.post("/deals", **form, **shares)
        assert half.status_code == 422
        assert "A share needs both a partner and per cent" in half.text
        odd = owner.post("/deals", **{**form, "amount_minor": "1.005"})
        assert "EUR has 2 decimal places" in odd.text
        little = owner.post("/deals", **form, **shares, **{"shares-1-per_cent": "50"})
        assert "Shares must sum to 100 per cent" in little.text
        for share in ("9e999999", "1e1", "１２", "1_0", "33.333", "NaN", "-5"):
            assert (
                "number of per cent such as 33.34"
                in owner.post("/deals", **form, **shares, **{"shares-1-per_cent": share}).text
            )
        below = owner.post("/deals", **{**form, "amount_minor": "-1", "currency": "eur"})
        assert "Not below zero" in below.text
        shares["shares-0-per_cent"] = "33,34"
        owner.post("/deals", **form, **shares, **{"shares-1-per_cent": "66.66"})

        deal = next(row for row in world.all(Deal) if row.name == "Big")
        assert (deal.amount_minor, deal.currency) == (124_050, "EUR")
        split = [row.basis_points for row in world.all(DealShare) if row.deal_id == deal.id]
        assert sorted(split) == [3_334, 6_666]
        path = f"/deals/{ids.encode('dea', deal.id)}"
        shown = owner.get(f"{path}/edit").text
        assert field(shown, "amount_minor") == "1240.50"
        # In yen the same digits are another amount, and these are none.
        yen = {**form, "currency": "JPY", "version": field(shown, "version")}
        assert "JPY has no decimal places" in owner.post(path, **yen).text
        owner.post(path, **{**yen, "amount_minor": "1240", "currency": "jpy"})
        after = world.get(Deal, deal.id)
        assert (after.amount_minor, after.currency) == (1_240, "JPY")
        assert [row for row in world.all(DealShare) if row.deal_id == deal.id] == []

    def test_one_that_has_its_customer_keeps_what_that_was_based_on(
        self, owner: Visitor, company: Books, world: World
    ) -> None:
        path, key = f"/deals/{company.deal}", ids.decode("dea", company.deal)
        assert key is not None
        shown = owner.get(f"{path}/edit")
        assert shown.status_code == 200
        assert "It has its customer" in shown.text
        assert 'name="shares-0-partner"' not in shown.text
        wish = {"version": field(shown.text, "version"), "name": "Won it", "stage": "won"}
        for name in ("contact_email", "registered_at", "shares-0-per_cent"):
            refused = owner.post(path, **wish, **{name: "5"})
            assert refused.status_code == 422
            assert "It has its customer" in refused.text
            assert "Nothing was saved" in refused.text
        owner.post(path, **wish)
        after = world.get(Deal, key)

        assert (after.name, after.stage) == ("Won it", "won")
        assert after.contact_email == "dan@deal.example"


class TestSourcePartner:
    """DOMAIN S5."""

    def test_nothing_is_done_before_its_consequences_were_seen(
        self, enter: Enter, company: Books, world: World
    ) -> None:
        manager = enter("manager")
        path, key = f"/customers/{company.customer}/source", ids.decode("cus", company.customer)
        assert key is not None
        ann, bob = (ids.decode("par", one) for one in (company.ann, company.bob))
        had = world.earned(ann), world.earned(bob)
        form = {"source_partner_id": company.bob, "retroactive": "yes"}
        assert "Another source partner needs a reason" in manager.post(path, **form).text
        form["reason"] = "Bob showed the contract"
        preview = manager.post(path, **form, step="preview").text
        seen = field(preview, "seen")
        sums = re.sub(r"<[^>]+>|\s", "", preview)
        assert "Ann-$32.40" in sums.replace("US$", "$")
        assert "Bob+$32.40" in sums.replace("US$", "$")
        assert (world.earned(ann), world.earned(bob)) == had

        unseen = manager.post(path, **form, step="confirm", seen="made up")
        assert unseen.status_code == 422
        assert "Nothing was done: look at what would happen now" in unseen.text
        assert world.get(Customer, key).source_partner_id == ann
        world.receive(paid("c", "cb_eve", "eve@buyer.example", 5_000, 6))
        late = manager.post(path, **form, step="confirm", seen=seen)
        assert late.status_code == 422
        assert (world.earned(ann), world.earned(bob)) == (had[0] + 1_000, had[1])

        done = manager.post(path, **form, step="confirm", seen=field(late.text, "seen"))
        assert done.status_code == 302
        assert (world.earned(ann), world.earned(bob)) == (had[0] - 3_240, had[1] + 4_240)
        shown = manager.get(f"/customers/{company.customer}").text
        assert "A person chose it." in shown
        assert "Bob showed the contract" in shown
        with Session(world.engine) as session:
            entry = select(AuditEntry).where(AuditEntry.action == "customer.source_changed")
            assert session.scalars(entry).one().actor.startswith("user:")

    def test_the_same_one_is_no_change(self, owner: Visitor, company: Books) -> None:
        answer = owner.post(
            f"/customers/{company.customer}/source", source_partner_id=company.ann, reason="why"
        )

        assert answer.status_code == 422
        assert "This is the source partner already" in answer.text


class TestRoles:
    def test_who_may_only_look_changes_nothing(
        self, enter: Enter, company: Books, world: World
    ) -> None:
        viewer = enter("viewer")
        page = viewer.get(f"/customers/{company.customer}").text
        customer = f"/customers/{company.customer}"
        for path in ("/leads", "/deals", "/leads/import", customer, f"{customer}/source"):
            assert viewer.post(path, token=viewer.token(), name="x").status_code == 403

        assert "/edit" not in page
        assert "/source" not in page
