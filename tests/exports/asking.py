"""Ask for exports, fetch them, and look behind them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.exports.models import Export, ExportChunk
from rewards_service.kit.db import transaction
from tests.builders.api import Caller, Json
from tests.builders.world import World

Work = Callable[[], int]


def ask(api: Caller, key: str | None = None, **body: Any) -> Json:
    wanted = {"resource": "partners", "format": "csv", **body}
    answer = api.call("POST", "/exports", key, json=wanted)
    assert answer.status_code == 202, answer.text
    found: Json = answer.get_json()
    assert answer.headers["Location"].endswith(f"/api/v1/exports/{found['id']}")
    return found


def fetch(api: Caller, export: Json, key: str | None = None) -> bytes:
    answer = api.call("GET", f"/exports/{export['id']}/file", key)
    assert answer.status_code == 200, answer.text
    assert answer.content_length == len(answer.get_data())
    return answer.get_data()


def chunks(world: World) -> int:
    with Session(world.engine) as session:
        return session.scalar(select(func.count()).select_from(ExportChunk)) or 0


def change(world: World, **values: Any) -> None:
    with transaction(world.engine) as session:
        row = session.scalars(select(Export)).one()
        for name, value in values.items():
            setattr(row, name, value)
