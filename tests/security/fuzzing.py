"""Anything at every door, with a seed: `make fuzz`. No answer is a 5xx, no event fails.

    python -m tests.security.fuzzing --cases 10000 --seed 1

Doors: webhook bodies, members and queries of the API, files of leads and deals, documents of
invoices, forms of pages. `make fuzz-api` adds schemathesis over real HTTP.
"""

import argparse
import base64
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

import hypothesis
import structlog
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from rewards_service.app import create_app
from rewards_service.inbox.models import DEAD, PENDING, ReceivedEvent
from rewards_service.kit.migrate import upgrade
from rewards_service.settings import Settings
from tests.admin.test_guard import addresses, reachable
from tests.admin.visitor import Visitor, make_user
from tests.builders.api import Caller, sample_bodies
from tests.builders.chargebee import paid
from tests.builders.whole import settings_for
from tests.builders.world import World
from tests.openapi.fuzzing import prepared
from tests.security.files import FIELDS, FILES
from tests.test_api_hostile_input import HOSTILE
from tests.webhooks.test_any_body import _VALUES, mutated

_MEMBERS = _VALUES | st.sampled_from(HOSTILE)


def _written(value: Any) -> bytes:
    return json.dumps(value).encode()


class Door(NamedTuple):
    """What is sent, and what sends it and gives the status of the answer."""

    cases: st.SearchStrategy[Any]
    send: Callable[[Any], int]


class Target:
    """A service with some of everything, on a database of its own."""

    def __init__(self, app: Flask, engine: Engine, settings: Settings) -> None:
        self.app, self.engine = app, engine
        self.world = World(app, engine, settings)
        self.api = Caller(app, settings)
        self.person = Visitor(app, settings)
        self.person.sign_in(make_user(engine, settings))
        self.token = self.person.token()
        self.bodies = sample_bodies(self.api)
        with app.app_context():
            self.pages = [page[1] for page in addresses(app) if page[0] == "POST"]
        self.pages = [one for one in self.pages if one not in ("/logout", "/login")
                      and "sessions" not in one]  # fmt: skip
        self.lists = [path for path in self.bodies if path != "/integrations"]
        self.payout = self._made_payout()

    def _made_payout(self) -> str:
        self.world.lead("ada@one.example", self.world.partner())
        self.world.receive(paid("1", "payer_1", "ada@one.example"))
        (reward,) = self.api.get("/rewards")["data"]
        self.api.call("POST", f"/rewards/{reward['id']}/approve")
        made = self.api.create("/payouts", currency="USD", cut_off="2100-01-01")["data"]
        return str(made[0]["id"])

    def doors(self) -> dict[str, Door]:
        paths = st.sampled_from(sorted(self.bodies))
        queries = st.dictionaries(
            st.sampled_from(["limit", "cursor", "sort", "status", "email", "format", "x"]),
            st.text(max_size=20) | st.sampled_from(["-1", "9" * 25, "csv", "xlsx", "\x00"]),
            max_size=3,
        )
        return {
            "webhook": Door(
                st.binary(max_size=300) | mutated() | _VALUES.map(_written),
                self._webhook,
            ),
            "api body": Door(st.tuples(paths, st.data()), self._body),
            "api query": Door(st.tuples(st.sampled_from(self.lists), queries), self._query),
            "import": Door(
                st.tuples(st.sampled_from(["leads", "deals"]), st.booleans(), FILES), self._import
            ),
            "invoice": Door(
                st.dictionaries(
                    st.sampled_from(["invoice_number", "document", "media_type", "x"]),
                    _MEMBERS | st.binary(max_size=60).map(lambda b: base64.b64encode(b).decode()),
                    max_size=4,
                ),
                self._invoice,
            ),
            "page": Door(
                st.tuples(
                    st.sampled_from(self.pages),
                    st.dictionaries(st.sampled_from(FIELDS),
                                    st.text(max_size=20), max_size=5),
                    st.none() | FILES,
                ),
                self._page,
            ),
        }  # fmt: skip

    def _webhook(self, body: Any) -> int:
        status = self.world.site.post(body).status_code
        assert status in (200, 400, 413)
        return status

    def _body(self, case: tuple[str, Any]) -> int:
        path, data = case
        body = dict(self.bodies[path])
        for name in data.draw(st.lists(st.sampled_from(sorted(body)), max_size=3)):
            body[name] = data.draw(_MEMBERS)
        method = data.draw(st.sampled_from(["POST", "PATCH"]))
        place = path if method == "POST" else f"{path}/{data.draw(st.text(min_size=1, max_size=9))}"
        return self.api.client.open(
            f"/api/v1{_quoted(place)}", method=method, json=body,
            headers={"Authorization": f"Bearer {self.api.key}", "If-Match": "*"},
        ).status_code  # fmt: skip

    def _query(self, case: tuple[str, dict[str, str]]) -> int:
        path, query = case
        answer = self.api.client.get(
            f"/api/v1{path}", query_string=query,
            headers={"Authorization": f"Bearer {self.api.key}"},
        )  # fmt: skip
        answer.get_data()  # a file is made while it is read
        return answer.status_code

    def _import(self, case: tuple[str, bool, bytes]) -> int:
        kind, dry, body = case
        return self.api.client.post(
            f"/api/v1/{kind}/import", data=body, content_type="text/csv",
            query_string={"dry_run": str(dry).lower()},
            headers={"Authorization": f"Bearer {self.api.key}"},
        ).status_code  # fmt: skip

    def _invoice(self, body: dict[str, Any]) -> int:
        return self.api.client.post(
            f"/api/v1/payouts/{self.payout}/invoice", json=body,
            headers={"Authorization": f"Bearer {self.api.key}"},
        ).status_code  # fmt: skip

    def _page(self, case: tuple[str, dict[str, str], bytes | None]) -> int:
        rule, form, file = case
        sent: dict[str, Any] = {name or "x": value for name, value in form.items()}
        if file is not None:
            sent["file"] = (BytesIO(file), "leads.csv")
        path = "/leads/import" if file is not None else reachable(rule)
        return self.person.post(path, token=self.token, **sent).status_code

    def unhandled(self) -> int:
        """Drain everything; how many events failed by it."""
        self.world.drain()
        with Session(self.engine) as session:
            failed = ReceivedEvent.state.in_((PENDING, DEAD))
            return session.scalar(select(func.count()).where(failed)) or 0


def _quoted(place: str) -> str:
    return quote(place.encode("utf-8", "surrogatepass"))


def attack(door: Door, cases: int, seed: int) -> Counter[int]:
    """Send so many cases; the answers by status. Raises AssertionError with the smallest 5xx."""
    found: Counter[int] = Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
    )
    @hypothesis.given(door.cases)
    def one(case: Any) -> None:
        status = door.send(case)
        found[status] += 1
        assert status < 500, (status, case)

    one()
    return found


def run(target: Target, cases: int, seed: int) -> dict[str, Counter[int]]:
    """Share the cases among the doors."""
    doors = target.doors()
    each = -(-cases // len(doors))
    found = {}
    for name, door in doors.items():
        counted = attack(door, each, seed)
        while counted.total() < each:  # what hypothesis thinks it has seen enough of
            seed += 1
            counted += attack(door, each - counted.total(), seed)
        found[name] = counted
    assert target.unhandled() == 0
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    memory = Path("/dev/shm")  # noqa: S108 - thousands of commits wait for no disk there
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        url = f"sqlite:///{Path(folder) / 'rewards.db'}"
        upgrade(url)
        settings = replace(prepared(settings_for(url)), argon2_memory_kib=64,
                           base_url="https://rewards.example.com")  # fmt: skip
        app, engine = create_app(settings), create_engine(url)
        found = run(Target(app, engine, settings), given.cases, given.seed)
        engine.dispose()
    for name, counted in found.items():
        print(f"{name:<10} {counted.total():>7,}  {dict(sorted(counted.items()))}")
    total = sum(one.total() for one in found.values())
    print(f"{total:,} cases, seed {given.seed}: no 5xx, no failed event")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
