"""The queries behind the pages of events, on both databases."""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from rewards_service.admin.inspect.finding import find_events
from rewards_service.inbox import listing
from rewards_service.inbox.models import DEAD, ReceivedEvent
from rewards_service.kit.pages import Paging
from tests.admin.inspect import stories
from tests.admin.inspect.stories import conflict_path, path_of
from tests.admin.visitor import Visitor
from tests.builders.world import World

FOUND = {
    "ev_n": {"ev_n"}, "Ada@ONE.example": {"ev_p"}, "txn_p": {"ev_p", "ev_r"},
    "txn_r": {"ev_p", "ev_r"}, "inv_p": {"ev_p", "ev_r"}, "cb_3": {"ev_n"}, "%": set(),
    "evt_0": set(), "@": set(), "a\x01@b": set(),
}  # fmt: skip


class TestEvents:
    def test_they_are_found_and_shown(self, owner: Visitor, world: World) -> None:
        stories.happen(world)
        names = {row.id: row.event_id for row in world.all(ReceivedEvent)}
        with Session(world.engine) as session:
            found = {text: {names[key] for key in find_events(session, text)} for text in FOUND}
        pages = [
            "/events?q=%00x&event_type=%00", "/events?state=dead",
            "/events?q=txn_p&received_at[gte]=2020-01-01",
            "/unmatched", "/unmatched?outcome=no_email&q=cb_3", "/unmatched/conflicts?state=open",
            "/queue", conflict_path(world), path_of(world, "ev_p"),
            path_of(world, "ev_u", "/attach"),
        ]  # fmt: skip

        assert found == FOUND
        assert {page: owner.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)
        assert owner.post(path_of(world, "ev_u", "/replay")).status_code == 200
        given = owner.post(path_of(world, "ev_u", "/attach"), other="led_0", reason="a\x00b")
        assert given.status_code == 422
        assert "control character" in given.text


class TestRareStates:
    def test_they_come_by_their_index(self, engine: Engine) -> None:
        if engine.dialect.name != "sqlite":
            return  # PostgreSQL's planner goes by how rare they are
        seen: list[tuple[str, Any]] = []

        def note(_one: Any, _two: Any, statement: str, values: Any, *_rest: Any) -> None:
            seen.append((statement, values))

        with Session(engine) as session:
            event.listen(engine, "before_cursor_execute", note)
            listing.list_events(session, Paging(), {"state": DEAD})
            event.remove(engine, "before_cursor_execute", note)
        with engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {seen[-1][0]}", seen[-1][1])
            told = str(plan.all())

        assert "ix_received_events_needs_a_person" in told
