"""The documentation names everything there is, and what it points to and calculates is there."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import click
import pytest
from flask import Flask

import rewards_service
from rewards_service.accounts.service import SCOPES
from rewards_service.admin.pages import is_page
from rewards_service.chargebee.events import HANDLED
from rewards_service.cli.main import COMMANDS
from rewards_service.inbox.models import OUTCOMES, STATES
from rewards_service.integrations.options import CONFLICT_POLICIES, HIERARCHIES, MODES, Options
from rewards_service.kit import metrics, problems
from rewards_service.kit.errors import RewardsError
from rewards_service.programs.rules import RuleVersion
from rewards_service.reports.checks import INVARIANTS
from rewards_service.reports.payment_checks import REASONS
from rewards_service.reports.reward_checks import HOLD_REASONS
from rewards_service.rewards.figures import Invoice, Payment, Refund
from rewards_service.rewards.models import STATUSES
from rewards_service.webhooks.routes import _TITLES as WEBHOOK_ERRORS
from tests.rewards.invoices import earned

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
AMOUNT = re.compile(r"-?\d+\.\d\d")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def unnamed(names: Iterable[str], text: str) -> set[str]:
    """Those names that stand nowhere in the text as `code`."""
    return {name for name in names if f"`{name}`" not in text}


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings get on the usual hosts."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def error_codes(kind: type[RewardsError] = RewardsError) -> Iterator[str]:
    yield kind.code
    for below in kind.__subclasses__():
        if below.__module__.startswith("rewards_service."):  # not those that tests make up
            yield from error_codes(below)


def commands() -> dict[str, click.Command]:
    """Every command by its full name, those of groups too."""
    found: dict[str, click.Command] = {}
    for name, place in COMMANDS.items():
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": made for below, made in command.commands.items()}
    return found


class TestLinks:
    @pytest.mark.parametrize("path", PAGES, ids=name_of)
    def test_every_relative_link_leads_somewhere(self, path: Path) -> None:
        text = FENCE.sub("", path.read_text())
        links = [link for link in LINK.findall(text) if "://" not in link]
        broken = []
        for link in links:
            file, _, anchor = link.partition("#")
            target = (path.parent / file) if file else path
            if not target.is_file() or (anchor and anchor not in anchors(target.read_text())):
                broken.append(link)

        assert broken == []

    def test_the_readme_leads_to_every_page(self) -> None:
        linked = set(LINK.findall((ROOT / "README.md").read_text()))
        pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}

        assert pages - linked == set()

    def test_every_decision_is_listed(self) -> None:
        listed = set(LINK.findall((ROOT / "docs/decisions/README.md").read_text()))

        assert listed == {path.name for path in (ROOT / "docs/decisions").glob("0*.md")}


class TestShellLines:
    @pytest.mark.parametrize("path", PAGES, ids=name_of)
    def test_they_name_targets_and_commands_that_exist(self, path: Path) -> None:
        blocks = [body for kind, body in FENCE.findall(path.read_text()) if kind in ("sh", "")]
        text = "\n".join(blocks)
        made = re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z-]+)", text, re.MULTILINE)
        called = re.findall(r"(?:^|[ /(])rewards ([a-z][a-z-]+)", text, re.MULTILINE)
        known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

        assert set(made) <= set(known)
        assert set(called) <= set(COMMANDS)


class TestCommands:
    def test_every_command_with_its_options_is_on_its_page(self) -> None:
        text = page("commands")
        found = commands()
        options = {
            option
            for command in found.values()
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("--")
        }

        assert {name for name in found if f"rewards {name}" not in text} == set()
        assert {option for option in options if option not in text} == set()

    def test_every_check_is_on_its_page(self) -> None:
        assert unnamed(INVARIANTS, page("commands")) == set()


class TestRules:
    @pytest.mark.parametrize("names", [OUTCOMES, STATES, REASONS, HOLD_REASONS, STATUSES])
    def test_the_closed_lists_are_explained_whole(self, names: tuple[str, ...]) -> None:
        assert unnamed(names, page("rules")) == set()

    def test_the_worked_example_is_right(self) -> None:
        rows = [AMOUNT.findall(line) for line in page("rules").splitlines() if line.startswith("|")]
        shown = [tuple(amounts[-2:]) for amounts in rows if len(amounts) >= 3]
        steps = pairwise([0, *_example()])

        assert shown == [(f"{to / 100:.2f}", f"{(to - was) / 100:.2f}") for was, to in steps]


def _example() -> list[int]:
    """The targets of the example of docs/rules.md, by the engine."""
    first, second = (datetime(2026, 3, day, tzinfo=UTC) for day in (3, 10))
    version = RuleVersion(
        1, 1, 1, 1, "rule", "percent", 150_000, None, "net", "half_even", 30, None, "UTC", first
    )
    invoice = Invoice("INV-7", "USD", 27_370, 0, 23_000, 27_370, False, [])
    small = Payment("txn_1", first, True, {"INV-7": 10_000}, [])
    large = Payment("txn_2", second, True, {"INV-7": 17_370}, [])
    part = large._replace(refunds=[Refund("rfd_1", 5_000, {})])
    all_of = large._replace(refunds=[Refund("rfd_1", 17_370, {})])
    none = small._replace(refunds=[Refund("rfd_2", 10_000, {})])
    states = [[small], [small, large], [small, part], [none, all_of]]
    return [earned(version, invoice, payments) for payments in states]


class TestErrors:
    def test_every_code_is_explained(self) -> None:
        for module in pkgutil.walk_packages(rewards_service.__path__, "rewards_service."):
            if not re.search(r"\.(_migrations|__main__|cli\.web|gunicorn_settings)", module.name):
                importlib.import_module(module.name)
        codes = {*error_codes(), *problems._CODES.values(), "method_not_allowed"}
        codes |= {code for code, _ in WEBHOOK_ERRORS.values()}

        assert unnamed(codes, page("errors")) == set()


class TestWebhook:
    def test_every_answer_and_event_type_is_on_its_page(self) -> None:
        text = page("webhook")

        assert {status for status in (200, *WEBHOOK_ERRORS) if f"| {status} |" not in text} == set()
        assert unnamed(HANDLED, text) == set()

    def test_every_option_is_on_its_page(self) -> None:
        names = {*Options._fields, *MODES, *HIERARCHIES, *CONFLICT_POLICIES}

        assert unnamed(names, page("webhook")) == set()


class TestApi:
    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'rewards.db'}"

    def test_every_route_is_on_its_page_with_its_scope(self, app: Flask) -> None:
        text = page("api")
        missing = []
        for rule in (one for one in app.url_map.iter_rules() if not is_page(one.rule)):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            scope = getattr(app.view_functions[rule.endpoint], "scope", None)
            ending = {None: "", "any": " | any key |"}.get(scope, f" | `{scope}` |")
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            missing += [line for m in methods if (line := f"| `{m} {path}`{ending}") not in text]

        assert missing == []

    def test_every_member_and_parameter_is_on_its_page(self, app: Flask) -> None:
        document = app.test_client().get("/api/openapi.json").get_json()
        names = {
            name
            for title, schema in document["components"]["schemas"].items()
            if title != "PaginationMetadata"  # flask-smorest's own; no answer uses it
            for name in schema.get("properties", ())
        }
        names |= {
            parameter["name"]
            for path in document["paths"].values()
            for operation in path.values()
            if isinstance(operation, dict)
            for parameter in operation.get("parameters", ())
            if isinstance(parameter, dict) and parameter.get("in") == "query"
        }
        texts = page("api") + page("errors")

        assert {n for n in names if not re.search(rf"\b{re.escape(n)}(?!\w)", texts)} == set()

    def test_every_scope_is_on_its_page(self) -> None:
        assert unnamed(SCOPES, page("api")) == set()


class TestOperations:
    def test_every_metric_is_on_its_page(self) -> None:
        counters = (
            metrics._answers, metrics._events, metrics._entries, metrics._calls, metrics._polled,
            metrics._webhooks,
        )  # fmt: skip
        histograms = (metrics._batches, metrics._requests)
        names = {f"{counter._name}_total" for counter in counters}
        names |= {histogram._name for histogram in histograms}
        names |= {name for name, _ in metrics._GAUGES.values()}

        assert {name for name in names if name not in page("operations")} == set()


class TestExamples:
    @pytest.mark.parametrize("path", PAGES, ids=name_of)
    def test_json_that_is_shown_is_json(self, path: Path) -> None:
        for kind, body in FENCE.findall(path.read_text()):
            if kind == "json":
                json.loads(body)
