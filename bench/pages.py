"""What the pages cost at a given database: `python -m bench.pages --url postgresql://...`.

gunicorn as in production, an owner who is signed in, one caller on one connection. Lists are opened
at their first page and far behind it, things by their own pages. Prints a table in Markdown, with
/livez beside it: what is no page's doing. The database is migrated, and gets one user more.
"""

import argparse
import http.client
import re
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from bench import servers, world
from bench.scale import _environ, _things
from bench.scale_client import PORT
from rewards_service.accounts import users
from rewards_service.admin.places import PAGES
from rewards_service.app import create_app
from rewards_service.audit.subjects import public_id
from rewards_service.kit.migrate import upgrade
from rewards_service.kit.pages import seal_cursor
from rewards_service.settings import Settings, load_settings

AIM_MS = 150.0
PASSWORD = secrets.token_urlsafe(24)
# Lists, with the filters that people use; {partner} and the others are things that exist.
LISTS = (
    "/", "/rewards", "/rewards?status=pending", "/rewards?status=hold", "/rewards?status=approved",
    "/rewards?partner_id={partner}", "/rewards?partner_id={small}&status=pending",
    "/rewards?currency=JPY", "/rewards?customer_id={customer}",
    "/rewards?chargebee_invoice_id=inv_-0000-77",
    "/payouts", "/payouts?status=paid", "/payouts?partner_id={partner}",
    "/partners", "/partners?status=paused", "/programs",
    "/leads", "/leads?status=pending",
    "/leads?email=payer-0000-77@company-0000-77.example",
    "/deals",
    "/deals?stage=won", "/customers",
    "/customers?email=payer-0000-77@company-0000-77.example",
    "/transactions",
    "/transactions?partner_id={partner}", "/transactions?chargebee_invoice_id=inv_-0000-77",
    "/events", "/events?state=dead", "/events?event_type=payment_failed", "/unmatched", "/queue",
    "/integrations", "/reports", "/audit", "/keys", "/webhook-endpoints", "/users", "/settings",
    "/setup", "/account",
    "/search?q=payer-0000-77@company-0000-77.example",
    "/search?q=inv_-0000-77", "/search?q=part",
    "/search?q={partner}", "/search?q=part&part=results",
    "/reports/rewards?group_by=partner", "/reports/rewards?group_by=month", "/reports/timeseries",
    "/reports/leaderboard", "/reports/liability",
    "/reports/statement?partner_id={partner}&month=2025-11",
)  # fmt: skip
# Things whose pages are opened: kind -> which row. The ones with most below them.
_LARGEST = "SELECT partner_id FROM rewards GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
THINGS = {
    "partner": _LARGEST,
    "program": "SELECT min(id) FROM programs",
    "reward_rule": "SELECT min(id) FROM reward_rules",
    "customer": "SELECT customer_id FROM rewards LIMIT 1",
    "lead": "SELECT max(id) FROM leads",
    "deal": "SELECT max(id) FROM deals",
    "transaction": "SELECT max(id) FROM transactions",
    "reward": "SELECT max(id) FROM rewards",
    "payout": "SELECT id FROM payouts ORDER BY line_count DESC LIMIT 1",
    "event": "SELECT max(id) FROM received_events",
    "integration": "SELECT min(id) FROM integrations",
}


class Timing(NamedTuple):
    """One page: milliseconds, and the bytes of one answer."""

    page: str
    place: str
    p50: float
    p95: float
    size: int


class Visitor:
    """A browser on one kept connection: cookies, tokens, pages."""

    def __init__(self, settings: Settings) -> None:
        self._host = settings.base_url.removeprefix("https://")
        self._cookies: dict[str, str] = {}
        self._connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and body of an address; with `form`, what is answered to it."""
        headers = {
            "Host": self._host, "Accept": "text/html", "Accept-Language": "en",
            "Referer": f"https://{self._host}/",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        }  # fmt: skip
        body = None if form is None else urlencode(form)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request("GET" if form is None else "POST", path, body, headers)
        answer = self._connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
        return answer.status, answer.read().decode()

    def sign_in(self, email: str) -> None:
        _, page = self.open("/login")
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None
        form = {"csrf_token": token.group(1), "email": email, "password": PASSWORD}
        status, _ = self.open("/login", form)
        if status != 302:
            raise SystemExit(f"Signing in was answered {status}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of the database, such as bench.scale built")
    parser.add_argument("--requests", type=int, default=40, help="for each page and place")
    parser.add_argument("--only", default="", help="pages that hold this text")
    options = parser.parse_args()
    with ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory())
        redis = ends.enter_context(servers.queue(Path(folder)))
        environ = _environ(options.url, redis, folder)
        settings = load_settings(environ)
        upgrade(settings.database_url)
        engine = create_engine(settings.database_url)
        email = f"bench-{uuid4().hex[:8]}@people.example"
        with Session(engine) as session, session.begin():
            users.create_user(session, settings, email, "owner", PASSWORD)
        app = create_app(settings)
        things = {name: str(value) for name, value in _things(engine).items()}
        with engine.connect() as connection:
            rows = {kind: connection.execute(text(of)).scalar() for kind, of in THINGS.items()}
        ends.enter_context(servers.web("wsgi", PORT, environ))
        visitor = Visitor(settings)
        visitor.sign_in(email)
        pages = [path.format(**things) for path in LISTS] + list(_things_of(app, rows))
        timings = [_timed(visitor, "/livez", "-", ["/livez"], options.requests)]
        for path in pages:
            if options.only in path:
                timings += _measure(visitor, settings, app, path, options.requests)
        engine.dispose()
    print(_table(timings))


def _things_of(app: Flask, rows: dict[str, int | None]) -> Iterator[str]:
    """The address of each thing that has a page."""
    rules = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    for kind, key in rows.items():
        endpoint, argument = PAGES[kind]
        if endpoint in rules and key is not None:
            yield re.sub(rf"<(?:\w+:)?{argument}>", public_id(kind, key), rules[endpoint])
        else:
            print(f"no page of a {kind}", file=sys.stderr)


def _measure(
    visitor: Visitor, settings: Settings, app: Flask, path: str, count: int
) -> list[Timing]:
    """The first page, and where there is a next one also far behind it."""
    status, page = visitor.open(path)
    if status != 200:
        print(f"{path}: {status}", file=sys.stderr)
        return []
    found = [_timed(visitor, path, "first", [path], count)]
    following = re.search(r'href="([^"]*[?&]cursor=[^"]+)"[^>]*rel="next"', page)
    if following is not None:
        second = unescape(following.group(1))
        found.append(_timed(visitor, path, "second", [second], count))
        if far := _far(settings, app, path):
            found.append(_timed(visitor, path, "far", far, count))
    return found


def _far(settings: Settings, app: Flask, path: str) -> list[str]:
    """Pages around the tenth of the list that was made first: keys count up from 1."""
    bare, _, query = path.partition("?")
    endpoint, _ = app.url_map.bind("").match(bare, method="GET")
    engine = create_engine(settings.database_url)
    table = {"/events": "received_events"}.get(bare, bare.strip("/") or "rewards")
    with engine.connect() as connection:
        if not connection.dialect.has_table(connection, table):
            return []
        last = connection.execute(text(f"SELECT max(id) FROM {table}")).scalar() or 0  # noqa: S608
    engine.dispose()
    cursors = [
        seal_cursor(world.SECRET_KEY, f"page:{endpoint}", max(last // 10 + shift, 1))
        for shift in range(20)
    ]
    return [f"{bare}?{query}{'&' if query else ''}cursor={cursor}" for cursor in cursors]


def _timed(visitor: Visitor, path: str, place: str, addresses: Sequence[str], count: int) -> Timing:
    took, size = [], 0
    for number in range(count + 4):
        began = time.perf_counter()
        status, body = visitor.open(addresses[number % len(addresses)])
        took.append((time.perf_counter() - began) * 1_000)
        size = len(body.encode())
        if status != 200:
            raise SystemExit(f"{addresses[number % len(addresses)]}: {status}")
    measured = sorted(took[4:])  # the first ones compile statements and templates
    p95 = measured[min(int(len(measured) * 0.95), len(measured) - 1)]
    timing = Timing(path, place, statistics.median(measured), p95, size)
    if p95 > AIM_MS:
        print(f"slow: {timing}", file=sys.stderr)
    return timing


def _table(timings: Sequence[Timing]) -> str:
    live = timings[0].p50
    slow = [one for one in timings if one.p95 > AIM_MS]
    rows = "\n".join(
        f"| `{one.page}` | {one.place} | {one.p50:.1f} | {one.p95:.1f} | {one.p50 / live:.1f} | "
        f"{one.size // 1024} |"
        for one in timings
    )
    return f"""Milliseconds over HTTP, one caller. Of {len(timings) - 1} places, {len(slow)} have a
p95 above {AIM_MS:.0f} ms.

| page | place | p50 | p95 | times /livez | KiB |
|---|---|---|---|---|---|
{rows}"""


if __name__ == "__main__":
    main()
