"""The rule editor: all that a rule can say, what it would cost, versions."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from rewards_service.admin.partners import rule_reading
from rewards_service.admin.partners.form_fields import read_percent
from rewards_service.admin.partners.rule_rows import CAPS, TIERS, compact
from rewards_service.audit.models import AuditEntry
from rewards_service.programs import queries, terms
from rewards_service.programs.models import RewardRule, RewardRuleVersion
from tests.admin.conftest import Enter
from tests.admin.partners.company import RICH, Company
from tests.admin.visitor import Visitor

_INPUT = re.compile(r"<input\b[^>]*>")
_ERROR = re.compile(r'class="field-error" id="([^"]+)-error">.*?</svg> (.*?)</div>')
_VALUE = re.compile(r'(\w+)="([^"]*)"')

# What is sent, the field that says so (None: the top of the form), and what it says.
WRONG: tuple[tuple[dict[str, str], str | None, str], ...] = (
    ({"kind": "percent", "rate": "120"}, "rate", "between 0 and 100"),
    ({"kind": "percent", "rate": ""}, "rate", "needs a rate"),
    ({"kind": "flat", "amounts": " "}, "amounts", "needs an amount, in one currency at least"),
    ({"caps-0-amounts": "0 USD"}, None, "An amount here lies above 0"),
    ({"max_reward_minor": "0 JPY"}, "max_reward_minor", "An amount here lies above 0"),
    ({"kind": "flat", "amounts": "5 EU"}, "amounts", "such as 500.00 EUR"),
    ({"kind": "flat", "amounts": "5.001 EUR"}, "amounts", "2 decimal places"),
    ({"kind": "flat", "amounts": "1,000 EUR"}, "amounts", "without separators"),
    ({"tiers-steps-0-up_to": "5"}, "tiers-steps-0-up_to", "count amounts: name some"),
    ({"tiers-steps-1-up_to": "1 USD"}, "tiers-steps-1-up_to", "has no end"),
    ({"caps-1-scope": "customer", "caps-1-window": "lifetime"}, None, "the same scope and window"),
    ({"conditions-countries": "Germany"}, "conditions-countries", "ISO 3166"),
    ({"first_months": "0"}, "first_months", "greater than or equal to 1"),
    ({"hold_days": "soon"}, "hold_days", "whole number"),
    ({"when": "day"}, "when", "which day"),
)


def fields(page: str) -> MultiDict[str, str]:
    """What a browser would send of the editor's form as it is drawn."""
    form = page[page.index('<form id="rule"') :]
    found = MultiDict[str, str]()
    for tag in _INPUT.findall(form):
        mark = dict(_VALUE.findall(tag))
        chosen = mark.get("type") not in ("checkbox", "radio") or " checked" in tag
        if chosen and "name" in mark:
            found.add(unescape(mark["name"]), unescape(mark.get("value", "")))
    for name, inside in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        option = re.search(r'<option selected value="([^"]*)"', inside) or re.search(
            r'<option value="([^"]*)"', inside
        )
        found.add(name, option.group(1) if option else "")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found.add(name, unescape(text.strip()))
    return found


def send(owner: Visitor, path: str, sent: MultiDict[str, str], **more: str) -> Any:
    form = {**sent.to_dict(flat=False), **{name: [value] for name, value in more.items()}}
    token = form.pop("csrf_token")[0]
    return owner.post(path, token=token, **form)


def versions(company: Company, rule: int) -> list[RewardRuleVersion]:
    with Session(company.world.engine, expire_on_commit=False) as session:
        return queries.versions_of(session, [rule])[rule]


class TestForm:
    def test_shows_and_reads_all_that_a_rule_can_say(
        self, company: Company, owner: Visitor
    ) -> None:
        """A form sent as it was opened changes nothing: every member goes there and back."""
        path = company.rule(company.rich) + "/edit"
        sent = fields(owner.get(path).text)
        unchanged = send(owner, path, sent)
        changed = send(owner, path, sent, name="Volume II", step="publish")

        assert unchanged.status_code == 422
        assert "This is what version 2 says already." in unchanged.text
        assert changed.status_code == 303
        assert len(versions(company, company.rich)) == 2  # a name is no version

    def test_every_member_of_the_api_has_a_field(self, company: Company, owner: Visitor) -> None:
        sent = fields(owner.get(company.rule(company.rich) + "/edit").text)
        rich = terms.members_of(versions(company, company.rich)[0])
        shown = {name.partition("-")[0] for name in rule_reading.values(rich)}
        ways = {"kind", "rate", "amounts", "tiers", "rate_steps"}
        odd = {"flat_refund_threshold_millionths": "flat_refund_threshold"}

        assert {odd.get(name, name) for name in terms.MEMBERS} - ways <= shown
        assert shown <= {name.partition("-")[0] for name in sent}
        assert set(RICH) - shown <= ways | {"name"}

    def test_rows_are_added_and_taken_out_without_scripts(
        self, company: Company, owner: Visitor
    ) -> None:
        path = company.rule(company.rich) + "/edit"
        sent = fields(owner.get(path).text)
        more = fields(send(owner, path, sent, step="add:tiers-steps").text)
        less = fields(send(owner, path, sent, step="remove:caps:0").text)

        assert (more["tiers-steps-2-rate"], more["tiers-steps-1-rate"]) == ("", "7.5")
        assert "caps-1-scope" not in less
        assert less["caps-0-scope"] == "partner"

    def test_what_is_wrong_stands_at_its_field(self, company: Company, owner: Visitor) -> None:
        path = company.rule(company.rich) + "/edit"
        sent, missed = fields(owner.get(path).text), []
        for wrong, field, said in WRONG:
            answer = send(owner, path, sent, **wrong)
            errors = dict(_ERROR.findall(answer.text))
            told = unescape(answer.text if field is None else errors.get(field, ""))
            missed += [] if answer.status_code == 422 and said in told else [(wrong, errors)]

        assert missed == []
        assert len(versions(company, company.rich)) == 2

    def test_a_row_keeps_its_place_when_one_before_it_is_blank(self) -> None:
        sent = MultiDict({"tiers-steps-0-rate": " ", "tiers-steps-1-rate": "5", "name": "x",
                          "caps-0-scope": "partner", "caps-0-amounts": ""})  # fmt: skip
        kept, counts = compact(sent)

        assert kept["tiers-steps-0-rate"] == "5"
        assert (counts[TIERS], counts[CAPS], kept["name"]) == (1, 0, "x")


class TestReading:
    def test_rates_are_exact(self) -> None:
        """DOMAIN A1: a rate is never a float."""
        assert [read_percent(text) for text in ("12.5", "0,1", " 100 %", "33.3333")] == [
            "0.125", "0.001", "1.00", "0.333333",
        ]  # fmt: skip


class TestPublishing:
    def test_is_looked_at_before_it_binds_anybody(self, company: Company, owner: Visitor) -> None:
        """DOMAIN A12: versions follow each other; what was changed is said old and new."""
        path = company.rule() + "/edit"
        sent = fields(owner.get(path).text)
        review = send(owner, path, sent, rate="30", step="review")
        before = len(versions(company, company.world.rule))
        done = send(owner, path, sent, rate="30", step="publish")
        page = owner.get(company.rule()).text

        assert (review.status_code, before) == (200, 2)
        assert re.search(r"<del><bdi>20 %</bdi></del>.*<ins><bdi>30 %</bdi></ins>", review.text)
        assert "$60.00" in review.text  # 20 % of 600.00 was 120.00, with this it is 180.00
        assert (done.status_code, done.headers["Location"]) == (303, company.rule())
        newest = versions(company, company.world.rule)[-1]
        assert (newest.version, newest.rate_millionths) == (3, 300_000)
        assert "Published: <bdi>Standard</bdi>, version 3." in page
        assert "<del><bdi>20 %</bdi></del>" in page
        with Session(company.world.engine) as session:
            entry = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
            assert entry is not None
            assert entry.action == "reward_rule.version_added"
            assert entry.actor.startswith("user:")

    def test_another_version_meanwhile_is_not_buried(
        self, company: Company, owner: Visitor
    ) -> None:
        path = company.rule() + "/edit"
        sent = fields(owner.get(path).text)
        send(owner, path, sent, rate="30", step="publish")
        late = send(owner, path, sent, rate="40", step="publish")

        assert late.status_code == 422
        assert "another version meanwhile" in late.text
        assert versions(company, company.world.rule)[-1].rate_millionths == 300_000

    def test_a_new_rule_counts_from_now_on_unless_said_otherwise(
        self, company: Company, owner: Visitor
    ) -> None:
        path = company.program + "/rules/new"
        sent = fields(owner.get(path).text)
        first = {"name": "Extra", "kind": "flat", "amounts": "7 USD", "step": "publish"}
        second = {**first, "name": "Ever", "when": "ever"}
        answers = [send(owner, path, sent, **asked) for asked in (first, second)]
        with Session(company.world.engine) as session:
            rules = {rule.name: rule.id for rule in session.query(RewardRule)}

        assert [answer.status_code for answer in answers] == [303, 303]
        (extra,) = versions(company, rules["Extra"])
        (ever,) = versions(company, rules["Ever"])
        assert extra.effective_from is not None
        assert abs(extra.effective_from - extra.created_at) < timedelta(minutes=1)
        assert (extra.amounts, ever.effective_from) == ({"USD": 700}, None)

    def test_ends_with_a_version_that_gives_nothing_and_frees_its_group(
        self, company: Company, owner: Visitor
    ) -> None:
        """DOMAIN A13: an ended rule must not win its stack group with nothing."""
        path = company.rule(company.rich)
        owner.get(path)
        answer = owner.post(path + "/end", effective_from="2030-01-01")
        newest = terms.members_of(versions(company, company.rich)[-1])

        assert answer.status_code == 303
        assert (newest["rate"], newest["tiers"], newest["stack_group"]) == (0, None, None)
        assert "to come" in owner.get(path).text


class TestPreview:
    def test_tells_what_a_draft_would_have_given_and_keeps_nothing(
        self, company: Company, owner: Visitor
    ) -> None:
        path = company.rule()
        sent = fields(owner.get(path + "/edit").text)
        part = send(owner, path + "/preview", sent, rate="30")
        later = send(owner, path + "/edit", sent, rate="30", step="preview")
        new = fields(owner.get(company.program + "/rules/new").text)
        extra = send(owner, company.program + "/rules/preview", new, name="x", rate="5")

        assert "<html" not in part.text
        for answer in (part, later):
            assert answer.status_code == 200
            assert "$120.00" in answer.text
            assert "$180.00" in answer.text
            assert "+$60.00" in answer.text
        assert "$30.00" in extra.text
        assert len(versions(company, company.world.rule)) == 2

    def test_says_what_is_missing_instead(self, company: Company, owner: Visitor) -> None:
        sent = fields(owner.get(company.rule() + "/edit").text)
        answer = send(owner, company.rule() + "/preview", sent, rate="")

        assert answer.status_code == 200
        assert "needs a rate" in answer.text

    def test_is_for_those_who_may_change_rules(self, company: Company, enter: Enter) -> None:
        viewer = enter("viewer")
        pages = [viewer.get(path).status_code
                 for path in (company.rule(), company.rule() + "/edit")]  # fmt: skip
        refused = viewer.post(company.rule() + "/preview").status_code

        assert (pages, refused) == ([200, 403], 403)
        assert "/edit" not in viewer.get(company.rule()).text
