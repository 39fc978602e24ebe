"""Leads, deals and customers over HTTP."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import Customer
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from tests.builders.api import Caller, Json
from tests.builders.chargebee import paid
from tests.builders.world import World

EMAIL = "eve@buyer.example"


def partner(api: Caller, name: str = "Ann") -> str:
    return str(api.create("/partners", name=name, email=f"{name}@partner.example")["id"])


class TestLeads:
    def test_a_lead_is_accepted_and_registered_now(self, api: Caller) -> None:
        made = api.create("/leads", email=EMAIL)

        assert (made["status"], made["customer_id"], made["partner_id"]) == ("accepted", None, None)
        assert made["registered_at"] >= made["created_at"][:10]

    def test_a_lead_may_have_been_registered_in_the_past(self, api: Caller) -> None:
        made = api.create("/leads", email=EMAIL, registered_at="2020-02-29T12:00:00+02:00")

        assert made["registered_at"] == "2020-02-29T10:00:00Z"

    @pytest.mark.parametrize(
        "moment", ["2026-01-01", "2026-01-01T00:00:00", "1900-01-01T00:00:00Z", "2026-W01-1", 1]
    )
    def test_a_time_has_a_zone_and_a_reasonable_year(self, api: Caller, moment: object) -> None:
        assert api.pointers("POST", "/leads", email=EMAIL, registered_at=moment) == [
            "/registered_at"
        ]

    def test_nobody_writes_a_conversion(self, api: Caller) -> None:
        body = {"email": EMAIL, "status": "converted", "customer_id": "cus_4zqsxdqv6b6nn"}

        assert api.pointers("POST", "/leads", **body) == ["/customer_id", "/status"]

    def test_a_converted_lead_keeps_what_converted_it(self, api: Caller, world: World) -> None:
        ann = world.partner()
        world.lead(EMAIL, ann)
        world.receive(paid("1", "cb1", EMAIL, 1000))
        found = api.get("/leads")["data"][0]
        path = f"/leads/{found['id']}"

        assert (found["status"], found["customer_id"] is None) == ("converted", False)
        for change in ({"status": "lost"}, {"email": "x@y.z"}, {"partner_id": None}):
            assert api.refused("PATCH", path, 409, **change)["code"] == "lead_converted"
        assert api.change(path, company="C", email=EMAIL)["company"] == "C"

    def test_they_are_found_by_any_spelling_of_the_address(self, api: Caller) -> None:
        made = api.create("/leads", email="Jörg@BÜCHER.example", external_id="l-1")
        api.create("/leads", email=EMAIL, status="pending")

        assert api.get("/leads", email=" jörg@xn--bcher-kva.example")["data"] == [made]
        assert api.get("/leads", external_id="l-1", status="accepted")["data"] == [made]
        assert api.get("/leads", status="converted")["data"] == []

    def test_a_changed_address_is_found_again(self, api: Caller) -> None:
        made = api.create("/leads", email=EMAIL)
        api.change(f"/leads/{made['id']}", email="New@buyer.example")

        assert len(api.get("/leads", email="new@buyer.example")["data"]) == 1
        assert api.get("/leads", email=EMAIL)["data"] == []

    def test_the_partner_must_exist_and_the_external_id_be_free(self, api: Caller) -> None:
        api.create("/leads", email=EMAIL, external_id="l-1")

        assert api.pointers("POST", "/leads", email=EMAIL, partner_id="par_4zqsxdqv6b6nn") == [
            "/partner_id"
        ]
        assert api.refused("POST", "/leads", 409, email=EMAIL, external_id="l-1")


class TestDeals:
    def test_shares_sum_to_the_whole_among_different_partners(self, api: Caller) -> None:
        """DOMAIN S7."""
        ann, bob = partner(api, "Ann"), partner(api, "Bob")

        def shares(*parts: tuple[str, int]) -> list[dict[str, object]]:
            return [{"partner_id": who, "basis_points": part} for who, part in parts]

        made = api.create("/deals", name="D", shares=shares((ann, 2500), (bob, 7500)))
        assert made["shares"] == shares((ann, 2500), (bob, 7500))
        for wrong in (shares((ann, 9999)), shares((ann, 5000), (ann, 5000))):
            assert api.pointers("POST", "/deals", name="D", shares=wrong) == ["/shares"]
        path = f"/deals/{made['id']}"
        assert api.change(path, shares=shares((bob, 10000)))["shares"] == shares((bob, 10000))
        assert api.change(path, shares=[])["shares"] == []

    def test_an_amount_has_a_currency(self, api: Caller) -> None:
        assert api.pointers("POST", "/deals", name="D", amount_minor=1) == ["/currency"]
        made = api.create("/deals", name="D", amount_minor=1, currency="USD")
        assert api.pointers("PATCH", f"/deals/{made['id']}", amount_minor=None) == ["/amount_minor"]

    def test_a_deal_with_a_customer_keeps_what_led_to_it(self, api: Caller, world: World) -> None:
        world.deal(EMAIL, world.partner())
        world.receive(paid("1", "cb1", EMAIL, 1000))
        found = api.get("/deals", contact_email=EMAIL.upper())["data"][0]
        path = f"/deals/{found['id']}"

        assert found["customer_id"] is not None
        changes: list[Json] = [{"contact_email": "x@y.z"}, {"partner_id": None}, {"shares": []}]
        for change in changes:
            assert api.refused("PATCH", path, 409, **change)["code"] == "deal_associated"
        assert api.change(path, stage="won")["stage"] == "won"


class TestCustomers:
    def test_a_customer_shows_where_it_came_from(self, api: Caller, world: World) -> None:
        """DOMAIN M10."""
        world.lead(EMAIL, world.partner())
        world.deal(EMAIL)
        world.receive(paid("1", "cb1", EMAIL, 1000))
        found = api.get("/customers", chargebee_customer_id="cb1")["data"][0]

        assert found["properties"] == {"chargebee_customer_id": "cb1"}
        assert found["chargebee_ids"] == [{"site": "acme-test", "id": "cb1"}]
        assert found["lead_id"] == api.get("/leads")["data"][0]["id"]
        assert found["deal_ids"] == [api.get("/deals")["data"][0]["id"]]
        assert found["source_partner_id"] == api.get("/partners")["data"][0]["id"]
        assert api.get("/customers", chargebee_customer_id="cb2")["data"] == []

    def test_another_source_partner_needs_a_reason_and_is_audited(
        self, api: Caller, engine: Engine
    ) -> None:
        """DOMAIN S5."""
        ann = partner(api)
        path = f"/customers/{api.create('/customers', name='C', email=EMAIL)['id']}"

        assert api.pointers("PATCH", path, source_partner_id=ann) == ["/reason"]
        changed = api.change(path, source_partner_id=ann, reason="Signed by phone")
        assert changed["source_partner_id"] == ann
        with Session(engine) as session:
            last = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[-1]

        assert last.action == "customer.source_changed"
        assert last.reason == "Signed by phone"

    def test_a_withdrawn_customer_is_gone(self, api: Caller, engine: Engine) -> None:
        """DOMAIN M17."""
        made = api.create("/customers", name="C")
        with transaction(engine) as session:
            session.scalars(select(Customer)).one().withdrawn_at = utc_now()

        assert api.get("/customers")["data"] == []
        assert api.call("GET", f"/customers/{made['id']}").status_code == 404
