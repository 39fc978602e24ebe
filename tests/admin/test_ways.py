"""No page shows anybody a link or a form that is not theirs to use."""

import re
from collections import Counter, deque
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from rewards_service.accounts.permissions import OF_ROLE, ROLES
from rewards_service.admin.pages import is_page, permission_of
from tests.admin.conftest import Enter
from tests.admin.money.payouts import make
from tests.admin.visitor import Visitor
from tests.builders.api import Caller
from tests.builders.world import World

MOST_ALIKE = 4  # pages of one address, filters beside it included
_ANYBODY = ("public", "signed_in")


class Ways(HTMLParser):
    """Where a page leads: (method, address), and the fields of forms that only ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ways: list[tuple[str, str]] = []
        self.ids: Counter[str] = Counter()
        self._asked: list[tuple[str, str]] | None = None
        self._address = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        mark = {name: value or "" for name, value in attrs}
        self.ids[mark.get("id", "")] += 1
        for name, method in (("href", "GET"), ("hx-get", "GET"), ("hx-post", "POST"),
                             ("formaction", "POST")):  # fmt: skip
            if name in mark and tag != "link":
                self.ways.append((method, mark[name]))
        if tag == "form" and mark.get("method") == "post":
            self.ways.append(("POST", mark.get("action", "")))
        if tag == "form" and mark.get("method", "get") == "get":
            self._asked, self._address = [], mark.get("action", "")
        if self._asked is not None and tag in ("input", "select") and mark.get("name"):
            self._asked.append((mark["name"], mark.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._asked is not None:
            self.ways.append(("GET", f"{self._address}?{urlencode(self._asked)}"))
            self._asked = None


class Walk:
    """Everything that somebody of a role comes to from the overview, and what is wrong there."""

    def __init__(self, app: Flask, person: Visitor, role: str) -> None:
        self._addresses: MapAdapter = app.url_map.bind("rewards.example.com")
        with app.app_context():
            self._wanted = {name: permission_of(name) for name in app.view_functions}
        self._person, self._mine = person, {*_ANYBODY, *OF_ROLE[role]}
        self.seen: dict[str, int] = {}
        self.wrong: list[tuple[object, ...]] = []
        self._alike: Counter[str] = Counter()
        self._ahead = deque([("/", "the beginning")])
        while self._ahead:
            self._open(*self._ahead.popleft())

    def _open(self, path: str, came_from: str) -> None:
        endpoint = self._endpoint("GET", path, came_from)
        if path in self.seen or endpoint in (None, "admin.static"):
            return
        self._alike[str(endpoint)] += 1
        if self._alike[str(endpoint)] > MOST_ALIKE:
            return
        answer = self._person.get(path)
        self.seen[path] = answer.status_code
        if answer.status_code >= 400:
            self.wrong.append((answer.status_code, path, came_from))
        if "Location" in answer.headers:
            self._follow("GET", answer.headers["Location"], path)
        if answer.mimetype != "text/html" or answer.content_encoding:
            return
        page = Ways(answer.text)
        twice = [name for name, number in page.ids.items() if name and number > 1]
        self.wrong += [("id twice", name, path) for name in twice]
        for method, address in page.ways:
            self._follow(method, address, path)

    def _follow(self, method: str, address: str, path: str) -> None:
        parts = urlsplit(urljoin(path, address))
        if parts.scheme or parts.netloc or not is_page(parts.path):
            return
        target = parts._replace(fragment="").geturl()
        if method == "GET":
            self._ahead.append((target, path))
        else:
            self._endpoint(method, target, path)

    def _endpoint(self, method: str, path: str, came_from: str) -> str | None:
        """Who answers there; None when nobody does, or when it is not for this role."""
        try:
            endpoint = str(self._addresses.match(urlsplit(path).path, method)[0])
        except HTTPException as error:
            self.wrong.append((error.code, method, path, came_from))
            return None
        if endpoint != "admin.static" and self._wanted[endpoint] not in self._mine:
            self.wrong.append(("not for them", method, path, came_from))
            return None
        return endpoint


@pytest.fixture
def company(owner: Visitor, world: World, api: Caller) -> World:
    """Something of everything: the sample, a payout, a schedule, an endpoint with deliveries."""
    owner.post("/setup/sample")
    world.drain()
    page = owner.get("/rewards?status=pending").text
    found = sorted(set(re.findall(r'name="ids"[^>]* value="(rew_\w+)"', page)))
    owner.post("/rewards", ids=found[:2], action="approve")
    place = make(owner)
    owner.post(f"{place}/submit")
    owner.post("/payouts/schedules", kind="monthly", day="5", thresholds="5 USD")
    endpoint = api.create("/webhook-endpoints", url="https://93.184.216.34/x", events=["*"])
    owner.post(f"/webhook-endpoints/{endpoint['id']}/test")
    for name in ("Silver", "Gold"):
        program = re.search(r"/programs/prg_\w+", owner.get("/programs").text)
        assert program is not None
        owner.post(f"{program.group()}/levels", level_name=name)
    return world


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestWays:
    @pytest.mark.parametrize("role", ROLES)
    def test_no_page_shows_a_link_or_a_form_that_its_reader_may_not_use(
        self, app: Flask, company: World, enter: Enter, role: str
    ) -> None:
        walk = Walk(app, enter(role), role)

        assert walk.wrong == []
        assert len(walk.seen) > 100
