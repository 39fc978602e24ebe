"""What people did to leads, deals and customers is in the audit log, without any e-mail."""

from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World

EMAIL = "eve@buyer.example"


def entries(engine: Engine, kind: str) -> list[tuple[str, Any]]:
    with Session(engine) as session:
        query = select(AuditEntry).where(AuditEntry.subject_kind == kind).order_by(AuditEntry.id)
        return [(row.action, row.detail) for row in session.scalars(query)]


class TestJournal:
    def test_a_lead_from_creation_on(self, api: Caller, engine: Engine) -> None:
        made = api.create("/leads", email=EMAIL, registered_at="2026-01-01T00:00:00Z")
        path = f"/leads/{made['id']}"
        api.change(path, company="Nothing of money")
        api.change(path, status="lost", email="new@buyer.example")
        (created, first), (changed, second) = entries(engine, "lead")

        assert (created, changed) == ("lead.created", "lead.changed")
        assert first["after"] | {"email_key": ""} == {
            "status": "accepted", "partner_id": None, "registered_at": "2026-01-01T00:00:00Z",
            "email_key": "",
        }  # fmt: skip
        assert (second["before"]["status"], second["after"]["status"]) == ("accepted", "lost")
        assert second["email_changed"] is True
        assert second["before"]["email_key"] == first["after"]["email_key"]
        assert "buyer" not in str([first, second])

    def test_a_deal_with_its_shares(self, api: Caller, engine: Engine) -> None:
        """DOMAIN S7."""
        ann = api.create("/partners", name="Ann", email="ann@partner.example")["id"]
        made = api.create("/deals", name="D", stage="open")
        shares = [{"partner_id": ann, "basis_points": 10_000}]
        api.change(f"/deals/{made['id']}", stage="won", shares=shares)
        (_, created), (action, changed) = entries(engine, "deal")

        assert action == "deal.changed"
        assert (created["after"]["stage"], created["after"]["shares"]) == ("open", [])
        assert changed == {
            "before": {"stage": "open", "partner_id": None, "shares": []},
            "after": {"stage": "won", "partner_id": 1, "shares": [[1, 10_000]]},
        }

    def test_a_customer_and_its_source(self, api: Caller, engine: Engine) -> None:
        """DOMAIN S5."""
        ann = api.create("/partners", name="Ann", email="ann@partner.example")["id"]
        made = api.create("/customers", name="C", email=EMAIL)
        path = f"/customers/{made['id']}"
        api.change(path, source_partner_id=ann, reason="Told us")
        actions = [action for action, _ in entries(engine, "customer")]

        assert actions == ["customer.created", "customer.source_changed"]
        assert EMAIL not in str(entries(engine, "customer"))


class TestKeyFolded:
    def test_a_merged_spelling_is_marked_for_review(self, world: World) -> None:
        """DOMAIN E3: accepted, and recorded."""
        ann = world.partner("Ann")
        world.lead("strasse@one.example", ann)
        world.receive(
            paid("p", "cb_1", "straße@one.example"), paid("q", "cb_1", "Strasse@one.example")
        )

        assert world.earned(ann) == 4_000
        assert (world.event("ev_p").results or {})["key_folded"] is True
        assert "key_folded" not in (world.event("ev_q").results or {})
