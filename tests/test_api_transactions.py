"""One transaction a request: what it writes, when it commits, how often it asks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from rewards_service.app import create_app
from rewards_service.crm.models import Lead
from rewards_service.kit.db import db
from rewards_service.kit.web import current_session
from rewards_service.settings import Settings
from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World

LISTS = (
    "/integrations", "/programs", "/reward-rules", "/partners", "/leads", "/deals", "/customers",
    "/transactions", "/rewards", "/events", "/api-keys",
)  # fmt: skip


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """What is sent to the database by an application meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def leads(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalars(select(func.count()).select_from(Lead)).one()


class TestCommit:
    def test_created_means_committed(self, api: Caller, engine: Engine) -> None:
        api.create("/leads", email="eve@buyer.example")

        assert leads(engine) == 1

    def test_a_refused_change_leaves_nothing(self, api: Caller, engine: Engine) -> None:
        shares = [{"partner_id": "par_4zqsxdqv6b6nn", "basis_points": 10_000}]
        api.refused("POST", "/deals", 422, name="D", shares=shares)

        assert api.get("/deals")["data"] == []

    def test_a_crash_after_the_write_leaves_nothing(
        self, settings: Settings, engine: Engine
    ) -> None:
        def crash() -> str:
            session = current_session()
            session.add(Lead(email="x", status="accepted"))
            session.flush()
            raise RuntimeError

        app = create_app(settings)
        app.add_url_rule("/api/crash", view_func=crash, methods=["POST"])

        assert app.test_client().post("/api/crash").status_code == 500
        assert leads(engine) == 0

    def test_of_many_at_once_one_gets_the_external_id(self, app: Flask, api: Caller) -> None:
        def create(_number: int) -> int:
            headers = {"Authorization": f"Bearer {api.key}"}
            body = {"email": "eve@buyer.example", "external_id": "l-1"}
            return app.test_client().post("/api/v1/leads", json=body, headers=headers).status_code

        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(create, range(8)))

        assert answers == [201] + [409] * 7

    def test_of_many_changes_at_once_none_loses_a_version(self, app: Flask, api: Caller) -> None:
        program = api.create("/programs", name="P")["id"]
        body = {"program_id": program, "name": "R", "kind": "percent", "rate": "0.20"}
        path = f"/reward-rules/{api.create('/reward-rules', **body)['id']}"

        def change(number: int) -> int:
            headers = {"Authorization": f"Bearer {api.key}", "If-Match": "*"}
            answer = app.test_client().patch(
                f"/api/v1{path}", json={"hold_days": number}, headers=headers
            )
            return answer.status_code

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(change, range(1, 9))) == {200}

        assert [item["version"] for item in api.get(path)["versions"]] == list(range(1, 10))


class TestReads:
    @pytest.mark.parametrize("path", LISTS)
    def test_a_read_does_not_wait_for_a_writer(
        self, api: Caller, session: Session, path: str
    ) -> None:
        session.add(Lead(email="x", status="accepted"))
        session.flush()

        assert api.call("GET", path).status_code == 200

    def test_a_longer_list_asks_no_more_often(self, app: Flask, api: Caller, world: World) -> None:
        partner = world.partner()

        def asked() -> dict[str, int]:
            found = {}
            for path in LISTS:
                with statements(app) as sent:
                    api.get(path)
                found[path] = len(sent)
            return found

        def add(name: str) -> None:
            world.connect(f"site-{name}")
            world.add_rule()
            world.partner(name)
            world.lead(f"{name}@buyer.example", partner)
            world.deal(f"{name}@buyer.example")
            world.receive(paid(name, name, f"{name}@buyer.example"))
            api.create("/api-keys", name=name, scopes=["crm:read"])

        add("one")
        asked()
        before = asked()
        for name in ("two", "three", "four"):
            add(name)

        assert asked() == before
        assert max(before.values()) <= 12
