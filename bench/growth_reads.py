"""Lists and reports at two sizes in turns: in SQL, over HTTP, and what plans read in full."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event

from bench import scale
from bench.growth_sides import Side
from bench.scale_client import PREFIX

LISTS = (
    "/rewards", "/rewards?partner_id={partner}", "/rewards?status=pending",
    "/rewards?status=paid&currency=JPY", "/rewards?created_at[gte]={late}", "/transactions",
    "/transactions?partner_id={partner}", "/events", "/events?event_type=payment_succeeded",
    "/customers", "/leads?status=converted", "/payouts", "/payouts?partner_id={partner}",
)  # fmt: skip
STATEMENT = "/reports/partners/{partner}/statement?month=2025-06&limit=50"
MONTHS = "/reports/rewards?group_by=partner&month[gte]=2025-06&month[lt]=2025-07&limit=200"
TOP = "/reports/partners/leaderboard?limit=20"
# Group, address, the most that ten times the data may cost.
REPORTS = (
    ("statement", STATEMENT, 1.3),
    ("statement as of a day", STATEMENT + "&as_of={late}", 1.5),
    ("month totals of all partners", MONTHS, 1.5),
    ("totals by partner and month", "/reports/rewards?group_by=partner,month&limit=200", 1.5),
    ("top 20 partners, all time", TOP, 1.5),
    ("top 20 partners, one month", TOP + "&period=2025-06", 1.5),
    ("what is owed", "/reports/liability", 1.5),
)
LIST_AIM = 1.3
PLACES = ("first", "middle")
FEW = 20_000  # rows that may be read from one end to the other
ROLL_UP = "reward_months"  # as long as there are partners and months, whatever there is of rewards


@dataclass
class Read:
    """One question at both sizes: milliseconds, by round and side."""

    name: str
    aim: float
    addresses: list[list[str]]  # by side
    http: list[list[list[float]]] = field(default_factory=list)
    sql: list[list[list[float]]] = field(default_factory=list)

    def ratios(self, kind: str) -> list[float]:
        """How much slower the large side was, round by round."""
        rounds: list[list[list[float]]] = getattr(self, kind)
        return [statistics.median(large) / statistics.median(small) for small, large in rounds]

    def of(self, kind: str, side: int) -> list[float]:
        return sorted(value for one in getattr(self, kind) for value in one[side])


class Scan(NamedTuple):
    """A large table that a question has read from one end to the other."""

    name: str
    table: str
    statement: str


def reads(sides: Sequence[Side]) -> list[Read]:
    """Every question that is asked, with its addresses on each side."""
    found = []
    clients = [side.client() for side in sides]
    for path in LISTS:
        places = [
            dict(scale._places(side.app, client, path.format(**side.things)))
            for side, client in zip(sides, clients, strict=True)
        ]
        for place in PLACES:
            if all(place in one for one in places):
                found.append(Read(f"{path}, {place}", LIST_AIM, [one[place] for one in places]))
    for name, path, aim in REPORTS:
        found.append(Read(name, aim, [[path.format(**side.things)] for side in sides]))
    return found


def time_http(sides: Sequence[Side], some: Sequence[Read], rounds: int, requests: int) -> None:
    clients = [side.client() for side in sides]

    def ask(side: int, address: str) -> float:
        began = time.perf_counter()
        clients[side].ask("GET", address)
        return (time.perf_counter() - began) * 1_000

    for one in some:
        one.http = [_in_turns(one, ask, number, requests) for number in range(rounds + 1)][1:]


def time_sql(sides: Sequence[Side], some: Sequence[Read], rounds: int, requests: int) -> list[Scan]:
    """Time in the database alone; and what the large side's plans read in full."""
    clients = [side.app.test_client() for side in sides]
    scans = []
    with _listening() as heard:

        def ask(side: int, address: str) -> float:
            heard.clear()
            headers = {"Authorization": f"Bearer {sides[side].key}"}
            answer = clients[side].get(PREFIX + address, headers=headers)
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code} {answer.text}")
            return sum(seconds for *_, seconds in heard) * 1_000

        for one in some:
            one.sql = [_in_turns(one, ask, number, requests) for number in range(rounds + 1)][1:]
            ask(-1, one.addresses[-1][0])
            asked = [(statement, parameters) for statement, parameters, _ in heard]
            scans += [Scan(one.name, *found) for found in _scans(sides[-1].engine, asked)]
    return scans


def _in_turns(one: Read, ask: Any, number: int, requests: int) -> list[list[float]]:
    """A round: small, large, large, small ..."""
    took: list[list[float]] = [[] for _ in one.addresses]
    for count in range(requests):
        order = range(len(took)) if (count + number) % 2 == 0 else reversed(range(len(took)))
        for side in order:
            addresses = one.addresses[side]
            took[side].append(ask(side, addresses[count % len(addresses)]))
    return took


@contextmanager
def _listening() -> Iterator[list[tuple[str, Any, float]]]:
    """What is asked of databases meanwhile: statements, parameters, seconds."""
    heard: list[tuple[str, Any, float]] = []

    def before(connection: Connection, *_: Any) -> None:
        connection.info["began"] = time.perf_counter()

    def after(connection: Connection, _: Any, statement: str, parameters: Any, *_more: Any) -> None:
        heard.append((statement, parameters, time.perf_counter() - connection.info["began"]))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


def _scans(engine: Engine, asked: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """(table, statement) of each large table that a plan reads in full."""
    with engine.connect() as connection:
        query = "SELECT relname, reltuples FROM pg_class WHERE relkind IN ('r', 'p')"
        rows = {name: size for name, size in connection.exec_driver_sql(query)}  # noqa: C416
        for statement, parameters in asked:
            if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
                continue
            explain = f"EXPLAIN (FORMAT JSON) {statement}"
            plan = connection.exec_driver_sql(explain, parameters or None).scalar_one()
            for table in sorted(set(_read_in_full(plan[0]["Plan"]))):
                if rows.get(table, 0) > FEW and table != ROLL_UP:
                    yield table, statement


def _read_in_full(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _read_in_full(child)
