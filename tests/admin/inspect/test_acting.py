"""Replays, matches by hand, decisions: first seen, then done, and only as seen."""

import re

from sqlalchemy import Engine, select

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import AttributionConflict, Lead
from rewards_service.inbox.models import DONE
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.partners.models import Partner
from tests.admin.conftest import Enter
from tests.admin.inspect.stories import Lived, conflict_path, path_of
from tests.admin.inspect.test_events import text_of
from tests.admin.visitor import Visitor

WHY = "She wrote from her office"


def mark(page: str) -> str:
    """What a preview says of itself."""
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def lead_id(lived: Lived, email: str) -> str:
    (found,) = [row for row in lived.all(Lead) if row.email == email]
    return ids.encode("led", found.id)


def actions(lived: Lived) -> list[str]:
    return [row.action for row in lived.all(AuditEntry) if row.actor.startswith("user:")]


class TestReplay:
    def test_it_is_shown_before_it_is_done(self, owner: Visitor, lived: Lived) -> None:
        path = path_of(lived, "ev_dead", "/replay")
        tried = owner.post(path)
        said = text_of(tried.text)
        assert "State dead done" in said
        assert "Outcome - unknown customer" in said
        assert lived.ended("ev_dead") == ("dead", None)
        done = owner.post(path, seen=mark(tried.text), reason="after the update")

        assert done.status_code == 303
        assert lived.ended("ev_dead") == (DONE, "unknown_customer")
        assert "now unknown customer" in owner.get(done.headers["Location"]).text
        assert actions(lived) == ["event.replayed"]

    def test_what_is_done_comes_to_the_same(self, owner: Visitor, lived: Lived) -> None:
        before = lived.entries()
        path = path_of(lived, "ev_p", "/replay")
        tried = owner.post(path)
        owner.post(path, seen=mark(tried.text))

        assert "Nothing: it comes to the same." in tried.text
        assert lived.entries() == before

    def test_one_that_waits_is_left_alone(self, owner: Visitor, lived: Lived) -> None:
        answer = owner.post(path_of(lived, "ev_wait", "/replay"))

        assert answer.status_code == 303
        assert "nothing to repeat yet" in owner.get(answer.headers["Location"]).text


class TestAttach:
    def test_near_misses_are_listed_with_why_and_nothing_follows(
        self, owner: Visitor, lived: Lived
    ) -> None:
        """DOMAIN E4: loose keys are for suggestions only."""
        said = text_of(owner.get(path_of(lived, "ev_u", "/attach")).text)

        assert "eve@two.exmaple one letter off" in said
        assert "eva@two.example one letter off same company domain by Bob" in said
        assert "boss@two.example same company domain lost" in said
        assert "Shop eve+shop@two.example same but for +tag or dots" in said
        assert lived.outcome("ev_u") == "unknown_customer"

    def test_what_follows_is_seen_and_then_done(self, owner: Visitor, lived: Lived) -> None:
        """DOMAIN M11: kept, and earned after a manual match."""
        path = path_of(lived, "ev_u", "/attach")
        wanted = {"chosen": lead_id(lived, "eve@two.exmaple"), "reason": WHY}
        seen = owner.post(path, **wanted)
        assert seen.status_code == 200
        assert "+$20.00 for Ann" in text_of(seen.text)
        assert lived.outcome("ev_u") == "unknown_customer"
        assert lived.transaction_of("txn_u") is None
        done = owner.post(path, **wanted, seen=mark(seen.text))

        assert done.status_code == 303
        assert lived.outcome("ev_u") == "transaction_recorded"
        assert lived.earned(invoice="inv_u") == 2_000
        assert actions(lived) == ["event.attached"]

    def test_what_has_changed_since_is_not_done_but_shown(
        self, owner: Visitor, lived: Lived
    ) -> None:
        path = path_of(lived, "ev_u", "/attach")
        wanted = {"chosen": lead_id(lived, "eve@two.exmaple"), "reason": WHY}
        seen = owner.post(path, **wanted)
        with transaction(lived.engine) as session:
            bob = session.scalars(select(Partner).where(Partner.name == "Bob")).one()
            lead = session.scalars(select(Lead).where(Lead.email == "eve@two.exmaple")).one()
            lead.partner_id = bob.id
        again = owner.post(path, **wanted, seen=mark(seen.text))

        assert again.status_code == 422
        assert "has changed since you looked" in again.text
        assert "+$20.00 for Bob" in text_of(again.text)
        assert lived.transaction_of("txn_u") is None
        assert mark(again.text) != mark(seen.text)

    def test_refusals_stand_where_they_belong(self, owner: Visitor, lived: Lived) -> None:
        path = path_of(lived, "ev_u", "/attach")
        nobody = owner.post(path, reason=WHY)
        unexplained = owner.post(path, other=lead_id(lived, "eve@two.exmaple"))
        converted = owner.post(path, other=lead_id(lived, "ada@one.example"), reason=WHY)

        assert {nobody.status_code, unexplained.status_code, converted.status_code} == {422}
        assert "Choose one of the list, or give an id." in nobody.text
        assert WHY in nobody.text
        assert "Say why" in unexplained.text
        assert "attach to that customer" in converted.text
        assert lived.transaction_of("txn_u") is None

    def test_a_payment_that_has_an_owner_is_not_given_away(
        self, owner: Visitor, lived: Lived
    ) -> None:
        page = owner.get(path_of(lived, "ev_p", "/attach")).text

        assert "The payer has an owner already" in page
        assert "<textarea" not in page


class TestUnmatched:
    def test_it_lists_payments_that_found_nobody(self, enter: Enter, lived: Lived) -> None:
        viewer = enter("viewer")
        page = viewer.get("/unmatched").text
        near = viewer.get(path_of(lived, "ev_u", "/attach")).text
        sent = viewer.post(path_of(lived, "ev_u", "/attach"), other="led_0", reason=WHY)
        rows = re.findall(r'href="/events/(evt_\w+)(/attach)?"', page)
        names = ("ev_u", "ev_n", "ev_bidi", "ev_bad_24")

        assert {row[0] for row in rows} == {path_of(lived, name)[8:] for name in names}
        assert {row[1] for row in rows} == {"/attach"}
        assert "$45.00" in page
        assert "one letter off" in near  # a viewer looks, and does not decide
        assert "<textarea" not in near
        assert 'type="radio"' not in near
        assert sent.status_code == 403


class TestConflict:
    def test_evidence_stands_side_by_side(self, enter: Enter, lived: Lived) -> None:
        said = text_of(enter("viewer").get(conflict_path(lived)).text)

        assert "Ann has it now Status active Lead ada@one.example" in said
        assert "Bob Status active Deal A deal" in said
        assert "Rewards on hold $15.00" in said
        assert "Managers and owners decide this." in said

    def test_one_about_an_invoice_names_it_and_its_site(
        self, owner: Visitor, engine: Engine
    ) -> None:
        with transaction(engine) as session:
            site = session.scalars(select(Integration)).first()
            assert site is not None
            name = site.name
            conflict = AttributionConflict(
                kind="inconsistent_invoice", natural_key="inconsistent_invoice:1:inv <9>",
                subject_kind="integration", subject_id=site.id, opened_at=utc_now(),
                candidates={"chargebee_invoice_id": "inv <9>"},
            )  # fmt: skip
            session.add(conflict)
            session.flush()
            path = f"/unmatched/conflicts/{ids.encode('cfl', conflict.id)}"

        for place in ("/unmatched/conflicts", path):
            assert f"invoice inv <9> of {name}" in text_of(owner.get(place).text)

    def test_the_decision_is_seen_done_and_audited(self, enter: Enter, lived: Lived) -> None:
        """DOMAIN S2, S5."""
        manager, path = enter("manager"), conflict_path(lived)
        bob = next(row.id for row in lived.all(Partner) if row.name == "Bob")
        wanted = {"decision": f"choose:{ids.encode('par', bob)}", "reason": WHY}
        manager.get(path)
        seen = manager.post(path, **wanted)
        said = text_of(seen.text)
        assert "$15.00 for Bob" in said
        assert re.search(r"-\S*15\.00 for Ann", said)
        assert lived.all(AttributionConflict)[0].resolved_at is None
        done = manager.post(path, **wanted, seen=mark(seen.text))

        assert done.status_code == 303
        page = text_of(manager.get(path).text)
        assert "Choose Bob When" in page
        assert WHY in page
        assert lived.earned(bob) == 1_500
        assert "conflict.resolved" in actions(lived)
        late = manager.post(path, decision="keep", reason="The other one after all")
        assert late.status_code == 422
        assert "It was decided already, and that stands" in late.text
        assert lived.earned(bob) == 1_500

    def test_refusals(self, owner: Visitor, lived: Lived) -> None:
        path = conflict_path(lived)
        owner.get(path)
        empty = owner.post(path, reason=WHY)
        foreign = owner.post(path, reason=WHY, decision="choose:par_nonsense")
        strange = owner.post(path, reason=WHY, decision="inherit")

        assert "Choose what is to be done." in empty.text
        assert [answer.status_code for answer in (empty, foreign, strange)] == [422] * 3
        assert "A conflict attribution allows" in strange.text
