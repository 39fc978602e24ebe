"""Programmes and reward rules over HTTP."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from tests.builders.api import Caller, Json
from tests.programs.rule_bodies import FLAT as FLAT_IN_FULL
from tests.programs.rule_bodies import STEPPED, TIERED

PERCENT: Json = {"name": "20 %", "kind": "percent", "rate": "0.20"}
CAP: Json = {"scope": "partner", "window": "month", "amounts": {"USD": 100}}
TIERS: Json = {
    "mode": "slab", "metric": "base_amount", "window": "month",
    "steps": [{"up_to": {"USD": 5}, "rate": "0.1"}, {"up_to": {"USD": 5}, "rate": "0.1"},
              {"rate": "0.2"}],
}  # fmt: skip
FLAT: Json = {"name": "5.00", "kind": "flat", "amounts": {"USD": 500, "JPY": 500}}


def program(api: Caller, timezone: str = "UTC") -> str:
    return str(api.create("/programs", name="Partners", timezone=timezone)["id"])


class TestPrograms:
    def test_a_programme_is_made_found_and_changed(self, api: Caller) -> None:
        made = api.create("/programs", name="Partners", description="Two\nlines")
        path = f"/programs/{made['id']}"

        assert made["timezone"] == "UTC"
        assert api.get(path) == made
        assert api.change(path, timezone="Asia/Tokyo")["timezone"] == "Asia/Tokyo"
        assert [item["id"] for item in api.get("/programs")["data"]] == [made["id"]]

    def test_approval_and_inactive_partners_are_settings_of_it(self, api: Caller) -> None:
        """DOMAIN V5, S4."""
        made = api.create("/programs", name="Partners")
        path = f"/programs/{made['id']}"
        changed = api.change(path, approval="auto", inactive_partners="accrue_hold")

        assert (made["approval"], made["inactive_partners"]) == ("manual", "skip")
        assert (changed["approval"], changed["inactive_partners"]) == ("auto", "accrue_hold")
        assert api.pointers("PATCH", path, approval=None) == ["/approval"]

    def test_its_time_zone_stays_once_days_were_counted_in_it(self, api: Caller) -> None:
        """DOMAIN A11, V5: another zone would move windows and days of what was earned."""
        path = f"/programs/{program(api)}"
        api.create("/reward-rules", program_id=path.removeprefix("/programs/"), **PERCENT)
        problem = api.refused("PATCH", path, 409, timezone="Asia/Tokyo")

        assert problem["code"] == "timezone_in_use"
        assert api.change(path, timezone="UTC", name="Same")["name"] == "Same"

    @pytest.mark.parametrize("zone", ["Mars/Phobos", "", "../etc/passwd", "a\x00b", 1, None])
    def test_a_time_zone_is_a_real_one(self, api: Caller, zone: object) -> None:
        assert api.pointers("POST", "/programs", name="x", timezone=zone) == ["/timezone"]


class TestCreateRule:
    def test_a_percent_rule_has_defaults(self, api: Caller) -> None:
        made = api.create("/reward-rules", program_id=program(api), **PERCENT)

        assert made["rate"] == "0.20"
        assert (made["base"], made["rounding"], made["hold_days"]) == ("net", "half_even", 0)
        assert (made["version"], len(made["versions"])) == (1, 1)
        assert (made["effective_from"], made["amounts"]) == (None, None)

    def test_a_flat_rule_has_amounts_by_currency(self, api: Caller) -> None:
        """DOMAIN A7."""
        made = api.create("/reward-rules", program_id=program(api), **FLAT)

        assert (made["amounts"], made["rate"]) == ({"USD": 500, "JPY": 500}, None)

    @pytest.mark.parametrize(
        "rate", [0.2, 1, "20%", "1.01", "-0.1", "0.1234567", "NaN", "1e-1", ""]
    )
    def test_a_rate_is_a_decimal_string_up_to_one(self, api: Caller, rate: object) -> None:
        body = {**PERCENT, "program_id": program(api), "rate": rate}

        assert api.pointers("POST", "/reward-rules", **body) == ["/rate"]

    @pytest.mark.parametrize(
        "amounts", [{}, {"usd": 1}, {"XXY": 1}, {"USD": -1}, {"USD": 1.5}, {"USD": True}, [], 5]
    )
    def test_amounts_are_minor_units_of_real_currencies(self, api: Caller, amounts: object) -> None:
        body = {**FLAT, "program_id": program(api), "amounts": amounts}
        pointers = api.pointers("POST", "/reward-rules", **body)

        assert {pointer.split("/")[1] for pointer in pointers} == {"amounts"}

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({**PERCENT, "amounts": {"USD": 1}}, "/amounts"),
            ({**FLAT, "rate": "0.20"}, "/rate"),
            ({"name": "x", "kind": "percent"}, "/rate"),
            ({"name": "x", "kind": "flat"}, "/amounts"),
            ({**PERCENT, "hold_days": 366}, "/hold_days"),
            ({"name": "x", "kind": "percent", "tiers": TIERS}, "/tiers/steps/1/up_to"),
            ({**PERCENT, "caps": [{**CAP, "amounts": {"USD": 0}}]}, "/caps/0/amounts/USD"),
            ({**PERCENT, "item_filter": {"exclude": ["a*b"]}}, "/item_filter/exclude/0"),
            ({**PERCENT, "conditions": {"countries": ["UK"]}}, "/conditions/countries/0"),
            ({**PERCENT, "rate_steps": [{"rate": 1}]}, "/rate_steps/0/rate"),
            ({**PERCENT, "conditions": {}}, "/conditions"),
        ],
    )
    def test_terms_fit_their_kind(self, api: Caller, body: Json, pointer: str) -> None:
        body = {**body, "program_id": program(api)}

        assert api.pointers("POST", "/reward-rules", **body) == [pointer]

    def test_a_day_begins_in_the_time_zone_of_the_programme(self, api: Caller) -> None:
        body = {**PERCENT, "effective_from": "2026-07-01"}
        made = api.create("/reward-rules", program_id=program(api, "America/New_York"), **body)

        assert made["effective_from"] == "2026-07-01T04:00:00Z"

    def test_the_programme_must_exist(self, api: Caller) -> None:
        body = {**PERCENT, "program_id": "prg_4zqsxdqv6b6nn"}

        assert api.pointers("POST", "/reward-rules", **body) == ["/program_id"]


class TestChangeRule:
    def test_a_change_is_a_new_version_and_the_old_one_stays(self, api: Caller) -> None:
        """DOMAIN A12."""
        made = api.create("/reward-rules", program_id=program(api), **PERCENT, hold_days=30)
        changed = api.change(f"/reward-rules/{made['id']}", rate="0.25")

        assert (changed["version"], changed["rate"], changed["hold_days"]) == (2, "0.25", 30)
        assert changed["versions"][0] == made["versions"][0]
        assert changed["effective_from"] is not None

    def test_a_change_may_be_dated_back_or_to_ever(self, api: Caller) -> None:
        path = (
            f"/reward-rules/{api.create('/reward-rules', program_id=program(api), **PERCENT)['id']}"
        )
        dated = api.change(path, rate="0.10", effective_from="2026-01-01T00:00:00+01:00")
        ever = api.change(path, rate="0.11", effective_from=None)

        assert dated["effective_from"] == "2025-12-31T23:00:00Z"
        assert ever["effective_from"] is None

    def test_another_kind_leaves_the_old_terms_behind(self, api: Caller) -> None:
        path = (
            f"/reward-rules/{api.create('/reward-rules', program_id=program(api), **PERCENT)['id']}"
        )

        assert api.pointers("PATCH", path, kind="flat") == ["/amounts"]
        assert api.change(path, kind="flat", amounts={"USD": 1})["rate"] is None

    def test_a_new_name_is_no_new_version(self, api: Caller) -> None:
        path = (
            f"/reward-rules/{api.create('/reward-rules', program_id=program(api), **PERCENT)['id']}"
        )
        changed = api.change(path, name="Another")

        assert (changed["name"], changed["version"]) == ("Another", 1)

    def test_a_rule_stays_in_its_programme_at_its_level(self, api: Caller) -> None:
        """DOMAIN A12: its old versions would otherwise move with it."""
        made = api.create("/reward-rules", program_id=program(api), **PERCENT)
        path = f"/reward-rules/{made['id']}"

        assert api.pointers("PATCH", path, program_id=made["program_id"]) == ["/program_id"]
        assert api.pointers("PATCH", path, level_id=None) == ["/level_id"]

    @pytest.mark.parametrize(
        "body", [TIERED, STEPPED, FLAT_IN_FULL], ids=["tiers", "steps", "flat"]
    )
    def test_what_is_shown_can_be_sent_back_and_makes_no_version(
        self, api: Caller, body: Json
    ) -> None:
        made = api.create("/reward-rules", program_id=program(api), **body)
        path = f"/reward-rules/{made['id']}"
        read_only = ("id", "program_id", "level_id", "version", "versions", "created_at")
        again = {name: value for name, value in made.items() if name not in read_only}

        assert body.items() <= made.items()
        assert api.change(path, **again) == made
        assert api.change(path) == made
        assert api.change(path, hold_days=made["hold_days"], caps=made["caps"]) == made

    def test_terms_change_one_by_one_and_old_versions_keep_theirs(self, api: Caller) -> None:
        """DOMAIN A12; partner-programs 3, pain 6: editing a rule does not rewrite history."""
        made = api.create("/reward-rules", program_id=program(api), **TIERED)
        path = f"/reward-rules/{made['id']}"
        changed = api.change(path, caps=[CAP], first_months=None, annual=None)
        plain = api.change(path, tiers=None, rate="0.10")

        assert (changed["caps"], changed["first_months"], changed["annual"]) == (
            [CAP],
            None,
            "full",
        )
        assert changed["tiers"] == made["tiers"]
        assert (plain["version"], plain["tiers"], plain["rate"]) == (3, None, "0.10")
        assert plain["versions"][:2] == changed["versions"]
        assert plain["versions"][0] == made["versions"][0]

    def test_a_change_is_checked_together_with_what_stays(self, api: Caller) -> None:
        made = api.create("/reward-rules", program_id=program(api), **TIERED)
        path = f"/reward-rules/{made['id']}"

        assert api.pointers("PATCH", path, rate="0.10") == ["/rate"]
        assert api.pointers("PATCH", path, first_months=None) == ["/annual"]
        assert api.pointers("PATCH", path, tiers=None) == ["/rate"]
        assert api.pointers("PATCH", path, tiers={"mode": "slab", "metric": "base_amount"}) == [
            "/tiers/steps", "/tiers/window",
        ]  # fmt: skip
        assert api.get(path) == made

    def test_the_log_says_what_the_rule_was_and_is(self, api: Caller, engine: Engine) -> None:
        made = api.create("/reward-rules", program_id=program(api), **PERCENT)
        api.change(f"/reward-rules/{made['id']}", rate="0.25", caps=[CAP], name="25 %")
        with Session(engine) as session:
            query = select(AuditEntry).where(AuditEntry.subject_kind == "reward_rule")
            first, renamed, second = session.scalars(query.order_by(AuditEntry.id)).all()

        assert (first.detail["before"], first.detail["after"]["rate"]) == (None, 200_000)
        assert (renamed.action, renamed.detail) == ("reward_rule.renamed", {"members": ["name"]})
        assert (second.detail["before"]["rate"], second.detail["before"]["caps"]) == (200_000, [])
        assert (second.detail["after"]["rate"], second.detail["after"]["caps"]) == (250_000, [CAP])


class TestListRules:
    def test_they_are_found_by_programme(self, api: Caller) -> None:
        mine = api.create("/reward-rules", program_id=program(api), **PERCENT)
        api.create("/reward-rules", program_id=program(api), **FLAT)
        found = api.get("/reward-rules", program_id=mine["program_id"])["data"]

        assert found == [mine]
