"""Partners over HTTP."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.partners.models import PartnerStatus
from tests.builders.api import Caller

ANN = {"name": "Ann", "email": "ann@partner.example"}


class TestPartners:
    def test_a_partner_is_active_since_ever(self, api: Caller, engine: Engine) -> None:
        """DOMAIN S4."""
        made = api.create("/partners", **ANN)
        with Session(engine) as session:
            history = session.execute(select(PartnerStatus.status, PartnerStatus.from_at)).all()

        assert made["status"] == "active"
        assert [tuple(row) for row in history] == [("active", None)]

    def test_a_new_status_counts_from_now_on(self, api: Caller, engine: Engine) -> None:
        path = f"/partners/{api.create('/partners', **ANN)['id']}"
        api.change(path, status="paused")
        api.change(path, status="paused", name="Anna")
        with Session(engine) as session:
            rows = session.scalars(select(PartnerStatus).order_by(PartnerStatus.id)).all()

            assert [row.status for row in rows] == ["active", "paused"]
            assert rows[1].from_at is not None

    def test_enrolment_is_replaced_as_a_whole(self, api: Caller) -> None:
        first, second = (api.create("/programs", name=name)["id"] for name in "ab")
        made = api.create("/partners", **ANN, program_ids=[first, first])
        changed = api.change(f"/partners/{made['id']}", program_ids=[second])

        assert (made["program_ids"], changed["program_ids"]) == ([first], [second])
        assert api.get("/partners", program_id=first)["data"] == []
        assert api.get("/partners", program_id=second)["data"] == [changed]
        assert api.change(f"/partners/{made['id']}", program_ids=[])["program_ids"] == []

    def test_an_unknown_programme_is_refused(self, api: Caller) -> None:
        body = {**ANN, "program_ids": ["prg_4zqsxdqv6b6nn"]}

        assert api.pointers("POST", "/partners", **body) == ["/program_ids"]
        assert api.get("/partners")["data"] == []

    def test_an_external_id_is_taken_once(self, api: Caller) -> None:
        api.create("/partners", **ANN, external_id="p-1")
        other = api.create("/partners", **ANN, external_id="p-2")
        problem = api.refused("POST", "/partners", 409, **ANN, external_id="p-1")

        assert problem["code"] == "external_id_taken"
        path = f"/partners/{other['id']}"
        assert api.refused("PATCH", path, 409, external_id="p-1")["status"] == 409

    @pytest.mark.parametrize(
        "email", ["  Ann@PARTNER.example ", "jörg@bücher.example", "no-at", "a@b"]
    )
    def test_any_address_a_payer_may_have_is_accepted(self, api: Caller, email: str) -> None:
        """DOMAIN E1."""
        made = api.create("/partners", name="x", email=email)

        assert made["email"] == email
        assert api.get("/partners", email=email.strip().upper())["data"] == [made]

    @pytest.mark.parametrize("email", ["", "  ", "a\x07b@c.d", "\x00", 5, None])
    def test_what_can_be_no_address_is_refused(self, api: Caller, email: object) -> None:
        """DOMAIN E1."""
        assert api.pointers("POST", "/partners", name="x", email=email) == ["/email"]

    def test_they_are_found_by_status_and_external_id(self, api: Caller) -> None:
        ann = api.create("/partners", **ANN, external_id="p-1")
        bob = api.create("/partners", **ANN, status="applicant")

        assert api.get("/partners", status="applicant")["data"] == [bob]
        assert api.get("/partners", external_id="p-1", status="active")["data"] == [ann]
