"""What can be set of a connected site, and what is refused."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import create_integration, options_of
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor

AS_IS = {
    "name": "acme-test", "mode": "live", "convert_lead": "y", "associate_deal": "y",
    "create_transaction": "y", "hierarchy": "invoice", "conflict": "hold",
    "verification-mode": "off",
}  # fmt: skip
NASTY = "<script>alert(1)</script>\u202egnp"


def row(engine: Engine) -> Integration:
    with Session(engine, expire_on_commit=False) as session:
        return session.scalars(select(Integration).order_by(Integration.id)).first()  # type: ignore[return-value]


def form(*without: str, **changed: Any) -> dict[str, Any]:
    return {name: value for name, value in (AS_IS | changed).items() if name not in without}


def error_at(text: str, field: str) -> str:
    """What the page says at a field."""
    found = re.search(rf'id="{field}-error">(.*?)</div>', text, re.S)
    return re.sub(r"<svg.*?</svg>", "", found[1], flags=re.S).strip() if found else ""


def give_key(engine: Engine) -> None:
    with transaction(engine) as session:
        session.scalars(select(Integration)).one().api_key_encrypted = "sealed"


class TestOptions:
    def test_a_transaction_needs_an_option_that_finds_customers(
        self, owner: Visitor, here: str, engine: Engine
    ) -> None:
        """DOMAIN M12: refused at the field, not cascaded; what was typed stays."""
        alone = form("convert_lead", "associate_deal", name="Typed anew")
        refused = owner.post(here, **alone)

        assert refused.status_code == 422
        assert "switch one of them on" in error_at(refused.text, "create_transaction")
        assert 'value="Typed anew"' in refused.text
        assert "Switch the third option off, too?" in refused.text
        assert options_of(row(engine))[:3] == (True, True, True)
        assert owner.post(here, **alone, all_off="yes").status_code == 302
        assert options_of(row(engine))[:3] == (False, False, False)

    def test_one_of_the_two_is_enough(self, owner: Visitor, here: str, engine: Engine) -> None:
        assert owner.post(here, **form("convert_lead")).status_code == 302
        assert options_of(row(engine))[:3] == (False, True, True)


class TestEverythingElse:
    def test_what_the_api_changes_is_changed(
        self, owner: Visitor, here: str, engine: Engine
    ) -> None:
        give_key(engine)
        wanted = form(
            name="Acme", mode="observe", hierarchy="root", conflict="first_wins",
            requests_per_minute="150",
            **{"verification-mode": "above", "verification-above_minor": "500 EUR\nJPY 1000"},
        )  # fmt: skip
        saved = owner.post(here, **wanted)
        found = row(engine)

        assert saved.status_code == 302
        assert (found.name, found.mode, found.hierarchy) == ("Acme", "observe", "root")
        assert (found.conflict, found.requests_per_minute) == ("first_wins", 150)
        assert (found.verify, found.verify_above_minor) == ("above", {"EUR": 50000, "JPY": 1000})
        assert "500.00 EUR\n1000 JPY" in owner.get(here).text

    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("requests_per_minute", "5", "greater than or equal to 10"),
            ("requests_per_minute", "many", "whole number in digits"),
            ("requests_per_minute", "1,5", "whole number in digits"),
            ("requests_per_minute", "１２", "whole number in digits"),
            ("requests_per_minute", "9" * 5_000, "whole number in digits"),
            ("verification-mode", "always", "takes an API key"),
            ("verification-above_minor", "1.5 JPY", "no decimal places"),
            ("verification-above_minor", "1,500 EUR", "without separators"),
            ("name", " ", "Must not be blank"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(
        self, owner: Visitor, here: str, engine: Engine, field: str, value: str, says: str
    ) -> None:
        refused = owner.post(here, **form(mode="off", **{field: value}))

        assert refused.status_code == 422
        assert says in error_at(refused.text, field)
        assert row(engine).mode == "live"

    def test_a_thousand_may_be_written_with_a_comma(
        self, owner: Visitor, here: str, engine: Engine
    ) -> None:
        owner.post(here, **form(requests_per_minute=" 1,000 "))

        assert row(engine).requests_per_minute == 1_000

    def test_no_objection_tells_to_write_an_amount_in_minor_units(
        self, owner: Visitor, here: str, engine: Engine
    ) -> None:
        give_key(engine)
        refused = owner.post(here, **form(**{"verification-mode": "above"}))
        said = error_at(refused.text, "verification-above_minor")

        assert said.startswith("Name the amount above which to ask, of one currency at least.")

    def test_no_two_things_of_the_page_have_one_id(self, owner: Visitor, here: str) -> None:
        ids = re.findall(r'\sid="([^"]+)"', owner.get(here).text)

        assert sorted(ids) == sorted(set(ids))

    def test_two_who_change_it_at_once_are_told(
        self, owner: Visitor, here: str, engine: Engine
    ) -> None:
        seen = re.search(r'name="seen"[^>]*value="(\w+)"', owner.get(here).text)
        assert seen is not None
        assert owner.post(here, **form(mode="observe", seen=seen[1])).status_code == 302
        second = owner.post(here, **form(mode="off", seen=seen[1]))

        assert second.status_code == 422
        assert "Somebody else changed these settings" in second.text
        assert row(engine).mode == "observe"

    def test_who_may_not_change_them_sees_them(self, enter: Enter, here: str) -> None:
        text = enter("viewer").get(here).text

        assert "Convert lead to customer" in text
        assert "An owner changes these." in text
        assert 'name="convert_lead"' not in text
        assert "/disconnect" not in text


class TestMovingOut:
    def test_another_site_has_no_key(
        self, owner: Visitor, here: str, engine: Engine, settings: Settings
    ) -> None:
        give_key(engine)
        with transaction(engine) as session:
            create_integration(session, settings, {"site": "taken"}, "test")
        taken = owner.post(f"{here}/site", site="taken")
        wrong = owner.post(f"{here}/site", site="evil.example/")
        assert (taken.status_code, wrong.status_code) == (422, 422)
        assert "Not a site" in wrong.text
        assert owner.post(f"{here}/site", site="Other.chargebee.com").status_code == 302

        assert (row(engine).site, row(engine).api_key_encrypted) == ("other", None)

    def test_disconnecting_says_what_stays(self, owner: Visitor, here: str) -> None:
        assert "What stays:" in owner.get(here).text
        done = owner.post(f"{here}/disconnect")

        assert done.headers["Location"] == "/integrations"
        assert "No site is connected yet." in owner.get("/integrations").text
        assert owner.get(here).status_code == 404


class TestAdd:
    def test_the_password_is_shown_once(self, owner: Visitor, engine: Engine) -> None:
        wanted = {**form("name"), "site": "ACME-test.chargebee.com", "connect": "y"}
        made = owner.post("/integrations", **wanted)
        password = re.search(r'id="webhook-password" value="([^"]+)"', made.text)

        assert made.status_code == 201
        assert password is not None
        assert row(engine).site == row(engine).name == "acme-test"
        links = re.findall(r'href="(/integrations/int_\w+/webhook)"', made.text)
        assert password[1] not in owner.get(links[0]).text
        again = owner.post("/integrations", **wanted)
        assert again.status_code == 422
        assert "is connected already" in again.text

    def test_what_is_wrong_is_said_at_its_field(self, owner: Visitor, engine: Engine) -> None:
        unlawful = form("convert_lead", "associate_deal", "name", site="acme", api_key="sekret-key")
        refused = owner.post("/integrations", **unlawful)
        nowhere = owner.post("/integrations", **form(site="evil.example/x"))

        assert (refused.status_code, nowhere.status_code) == (422, 422)
        assert "“Convert lead to customer”" in error_at(refused.text, "create_transaction")
        assert "Not a site" in error_at(nowhere.text, "site")
        assert "sekret-key" not in refused.text
        with Session(engine) as session:
            assert session.scalars(select(Integration)).all() == []

    def test_names_are_shown_harmlessly(self, owner: Visitor, here: str) -> None:
        refused = owner.post(here, **form(name=NASTY, mode="wrong"))
        assert owner.post(here, **form(name=NASTY)).status_code == 302
        text = owner.get("/integrations").text

        for page in (refused.text, text, owner.get(here).text):
            assert "<script>alert" not in page
        assert f"<bdi>{NASTY.replace('<', '&lt;').replace('>', '&gt;')}</bdi>" in text
