"""Pages of partners: found, made, paused, enrolled, paid."""

import re

from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.partners.models import Enrolment, Partner
from rewards_service.partners.payout_details import payout_details
from rewards_service.settings import Settings
from tests.admin.conftest import Enter
from tests.admin.partners.company import IBAN, Company
from tests.admin.visitor import Visitor

SHOWN = "&lt;b&gt;Ann&lt;/b&gt; \u202e&amp; Söhne =1+1"


def ann(company: Company) -> Partner:
    with Session(company.world.engine, expire_on_commit=False) as session:
        return session.get_one(Partner, company.ann)


def times(company: Company) -> list[Enrolment]:
    return sorted(company.world.all(Enrolment), key=lambda row: row.id)


class TestList:
    def test_finds_by_the_beginning_of_the_name_by_address_and_ids(
        self, company: Company, owner: Visitor
    ) -> None:
        """DOMAIN E1: an address is found in any spelling."""
        world = company.world
        zoe = world.partner("Zoë_Ltd")
        world.add(Partner(name="Émile", email="e@x.example", status="paused", external_id="E-7"))
        found = {
            text: [name for name in ("Zoë_Ltd", "Émile", SHOWN) if name in page]
            for text in ("zoë", "ZOË_", "zoex", "émi", "ANN@partner.example", "E-7", "<b>", "oë",
                         ids.encode("par", zoe), "%")
            for page in [owner.get("/partners?search=" + text.replace("%", "%25")).text]
        }  # fmt: skip

        assert found == {
            "zoë": ["Zoë_Ltd"], "ZOË_": ["Zoë_Ltd"], "zoex": [], "émi": ["Émile"],
            "ANN@partner.example": [SHOWN], "E-7": ["Émile"], "<b>": [SHOWN], "oë": [],
            ids.encode("par", zoe): ["Zoë_Ltd"], "%": [],
        }  # fmt: skip
        assert "Émile" not in owner.get("/partners?status=active").text
        by_program = owner.get(f"/partners?program_id={ids.encode('prg', world.program)}").text
        assert SHOWN in by_program
        assert "Émile" not in by_program


class TestPage:
    def test_shows_money_and_names_harmlessly_and_payout_details_masked(
        self, company: Company, owner: Visitor
    ) -> None:
        page = owner.get(company.partner).text

        assert "$120.00" in page  # 20 % of 100, 200 and 300
        assert "<b>Ann" not in page
        assert "DE89************3000" in page
        for path in ("", "/edit", "/programs", "/statement", "/payout-details"):
            assert IBAN not in owner.get(company.partner + path).text

    def test_the_statement_of_a_month_adds_up(self, company: Company, owner: Visitor) -> None:
        page = owner.get(company.partner + "/statement").text
        old = owner.get(company.partner + "/statement?month=2019-05").text

        assert "<b>$120.00</b>" in page
        assert "Nothing until the end of this month." in old
        assert owner.get(company.partner + "/statement?month=x&cursor=y").status_code == 200

    def test_a_viewer_sees_no_button_and_no_activity(self, company: Company, enter: Enter) -> None:
        viewer = enter("viewer")
        page = viewer.get(company.partner).text

        assert "$120.00" in page
        for word in ("Pause", "Activity", "Edit</a>", 'action="/partners'):
            assert word not in page
        for path in ("/status", "/programs", "/payout-details", "/edit"):
            assert viewer.post(company.partner + path).status_code == 403


class TestSettling:
    def test_made_in_a_programme_at_a_level(self, company: Company, owner: Visitor) -> None:
        owner.get("/partners/new")
        place = f"{ids.encode('prg', company.world.program)}/{ids.encode('lvl', company.gold)}"
        form = {"name": "Bea", "email": "b@x.example", "program": place, "status": "applicant"}
        wrong = owner.post("/partners/new", **{**form, "payout_currency": "EURO"})
        bad = owner.post("/partners/new", **{**form, "payout_currency": "QQQ"})
        made = owner.post("/partners/new", **{**form, "payout_currency": "eur"})
        page = owner.get(made.headers["Location"]).text

        assert (wrong.status_code, bad.status_code, made.status_code) == (422, 422, 303)
        assert "Not an upper-case ISO 4217" in bad.text
        assert 'value="Bea"' in bad.text
        assert "An applicant: payments earn nothing" in page
        assert times(company)[-1].level_id == company.gold

    def test_pausing_and_back(self, company: Company, owner: Visitor) -> None:
        """DOMAIN S4: a status counts for payments from then on."""
        assert "they earn nothing" in owner.get(company.partner).text
        owner.post(company.partner + "/status", status="paused")
        paused = owner.get(company.partner).text
        owner.post(company.partner + "/status", status="asleep")
        still = ann(company).status
        owner.post(company.partner + "/status", status="active")

        assert "Reactivate from now on" in paused
        assert re.search(r'class="undo".*?name="status" value="active"', paused, re.S)
        assert (still, ann(company).status) == ("paused", "active")

    def test_another_level_ends_the_time_before_it(self, company: Company, owner: Visitor) -> None:
        path = company.partner + "/programs"
        owner.get(path)
        program = ids.encode("prg", company.world.program)
        place = f"{program}/{ids.encode('lvl', company.gold)}"
        moved = owner.post(path, program=place, from_on="2026-03-01")
        overlaps = owner.post(path, program=program, from_on="2026-01-15", until_on="2026-04-01")
        first, second = times(company)

        assert (moved.status_code, overlaps.status_code) == (303, 422)
        assert first.until_at == second.from_at
        assert (first.level_id, second.level_id, second.until_at) == (None, company.gold, None)

        row = f"{path}/{ids.encode('enr', second.id)}"
        owner.post(row, until_on="2026-05-01")
        assert times(company)[1].until_at is not None
        owner.post(f"{path}/{ids.encode('enr', times(company)[1].id)}", step="remove")
        assert [one.id for one in times(company)] == [first.id]
        assert owner.post(row, step="remove").status_code == 404

    def test_payout_details_are_changed_in_full_and_never_shown(
        self, company: Company, owner: Visitor, settings: Settings
    ) -> None:
        path = company.partner + "/payout-details"
        owner.get(path)
        wrong = owner.post(path, iban="DE00370400440532013000")
        stars = owner.post(path, account_name="A***")
        good = owner.post(path, paypal_email="ann@pay.example", remove_account_name="y")

        assert (wrong.status_code, stars.status_code, good.status_code) == (422, 422, 303)
        assert "check digits" in wrong.text
        assert payout_details(ann(company), settings) == {
            "iban": IBAN, "paypal_email": "ann@pay.example",
        }  # fmt: skip
        assert "ann@pay.example" not in owner.get(path).text


class TestPrograms:
    def test_made_with_a_first_rule_changed_and_given_levels(
        self, company: Company, owner: Visitor
    ) -> None:
        owner.get("/programs/new")
        form = {"name": "Resellers", "timezone": "Europe/Berlin", "approval": "auto",
                "inactive_partners": "skip"}  # fmt: skip
        wrong = owner.post("/programs/new", **form, rate="a lot")
        made = owner.post("/programs/new", **form, rate="12.5")
        place = made.headers["Location"]
        page = owner.get(place).text
        moved = owner.post(place + "/edit", **{**form, "timezone": "UTC"})
        renamed = owner.post(place + "/edit", **{**form, "name": "Agencies"})
        owner.post(place + "/levels", level_name="Silver")
        twice = owner.post(place + "/levels", level_name="Silver")

        assert (wrong.status_code, made.status_code) == (422, 303)
        assert "12.5 % of the net amount of each payment." in page
        assert moved.status_code == 422
        assert "Make another programme" in moved.text
        assert renamed.status_code == 303
        blank = owner.post(place + "/levels", level_name="a\x00b")
        assert 'id="level_name-error"' in blank.text

        assert twice.status_code == 422
        assert "is called &#39;Silver&#39;" in twice.text
        assert "12.5 % of the net amount" in owner.get("/programs").text

    def test_a_level_is_renamed_and_removed_while_nothing_stands_at_it(
        self, company: Company, owner: Visitor
    ) -> None:
        gold = f"{company.program}/levels/{ids.encode('lvl', company.gold)}"
        owner.get(company.program)
        kept = owner.post(gold, step="remove")
        refused = owner.get(company.program).text
        owner.post(gold, level_name="Platinum")
        elsewhere = owner.post(f"/programs/{ids.encode('prg', 77)}/levels/{gold[-17:]}",
                               level_name="x")  # fmt: skip
        page = owner.get(company.program).text

        assert kept.status_code == 303
        assert "it stays" in refused
        assert "For those at <bdi>Platinum</bdi>" in page
        assert elsewhere.status_code == 404
