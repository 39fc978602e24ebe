"""Pages about a thing within another: that of another parent is not there, whatever its id is."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.outbound.models import WebhookDelivery
from rewards_service.partners.models import Enrolment
from rewards_service.programs.models import ProgramLevel
from tests.admin.test_guard import TABLE
from tests.admin.visitor import Visitor
from tests.builders.api import Caller

# Each page of a thing within another, and the test that tries the thing of another parent.
TRIED = {
    "/integrations/<integration_id>/reconciliation/<reconciliation_id>": "test_chargebee.py",
    "/integrations/<integration_id>/reconciliation/<reconciliation_id>/state": "test_chargebee.py",
    "/integrations/<integration_id>/reconciliation/<reconciliation_id>/repair": "test_chargebee.py",
    "/webhook-endpoints/<endpoint_id>/deliveries/<delivery_id>": "here",
    "/webhook-endpoints/<endpoint_id>/deliveries/<delivery_id>/resend": "here",
    "/partners/<partner_id>/programs/<enrolment_id>": "here",
    "/programs/<program_id>/levels/<level_id>": "here",
}


class TestThingsOfAnotherParent:
    def test_every_such_page_is_tried(self) -> None:
        rules = {line.split()[1] for line in TABLE.read_text().splitlines()}

        assert {rule for rule in rules if rule.count("<") > 1} == set(TRIED)

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_they_are_not_found_and_stay_as_they_are(
        self, owner: Visitor, api: Caller, engine: Engine
    ) -> None:
        programs = [api.create("/programs", name=name)["id"] for name in "AB"]
        level = api.create(f"/programs/{programs[0]}/levels", name="Gold")["id"]
        partners = [
            api.create("/partners", name=name, email=f"{name}@p.example",
                       enrolments=[{"program_id": programs[0]}])["id"]
            for name in "AB"
        ]  # fmt: skip
        endpoints = [
            api.create("/webhook-endpoints", url=f"https://93.184.216.34/{n}", events=["*"])["id"]
            for n in "AB"
        ]
        owner.post(f"/webhook-endpoints/{endpoints[0]}/test")
        with Session(engine) as session:
            delivery = ids.encode("whd", session.scalars(select(WebhookDelivery.id)).one())
            mine = select(Enrolment.id).where(
                Enrolment.partner_id == ids.decode("par", partners[0])
            )
            enrolment = ids.encode("enr", session.scalars(mine).one())
        sent = f"/webhook-endpoints/{endpoints[1]}/deliveries/{delivery}"

        assert owner.get(sent.replace(endpoints[1], endpoints[0])).status_code == 200
        for answer in (
            owner.get(sent), owner.post(f"{sent}/resend"),
            owner.post(f"/partners/{partners[1]}/programs/{enrolment}", step="remove"),
            owner.post(f"/programs/{programs[1]}/levels/{level}", step="remove"),
        ):  # fmt: skip
            assert answer.status_code == 404, answer.text
        with Session(engine) as session:
            assert len(session.scalars(mine).all()) == 1
            assert len(session.scalars(select(ProgramLevel)).all()) == 1
