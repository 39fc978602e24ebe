"""The whole service at once: every sample in every order, many callers, and sudden ends."""

import json
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.rewards import jobs as rewards_jobs
from rewards_service.settings import Settings
from rewards_service.transactions.models import RewardDue, Transaction
from rewards_service.webhooks import jobs as events_jobs
from tests.builders.chargebee import Json, event, invoice, paid, refunded
from tests.builders.whole import OwnWorld, Read, read, violations
from tests.builders.world import World
from tests.postgres_copies import PostgresTemplate

PAYLOADS = Path(__file__).resolve().parent / "payloads" / "chargebee"
MANIFEST = json.loads((PAYLOADS / "manifest.json").read_text())
FILES = [
    (PAYLOADS / entry["file"]).read_bytes()
    for entry in [*MANIFEST["events"], *MANIFEST["events_invalid"]]
]
# How many orders by chance; `make proofs` plays the rest of the twenty and four as well.
SEEDS, IN_SUITE = {"sqlite": 20, "postgresql": 4}, {"sqlite": 6, "postgresql": 1}
ADA = "ada@one.example"


def failed_tries(engine: Engine) -> int:
    """Events that were tried alone, and invoices that wait: 0 after an undisturbed run."""
    tried = select(func.coalesce(func.sum(ReceivedEvent.attempts), 0))
    with Session(engine) as session:
        left = session.execute(select(func.count()).select_from(RewardDue)).scalar_one()
        return int(session.execute(tried).scalar_one()) + int(left)


def orders(seeds: int) -> dict[str, list[bytes]]:
    """Name -> the files in some order."""
    found = {"reversed": FILES[::-1], "thrice": FILES * 3}
    for seed in range(seeds):
        found[f"seed {seed}"] = random.Random(seed).sample(FILES, len(FILES))  # noqa: S311 - a fixed choice
    return found


def play(world: World, bodies: Sequence[bytes], step: int) -> Read:
    world.lead("ada@customer-one.example", world.partner())
    for place, raw in enumerate(bodies, 1):
        assert world.site.post(raw).status_code < 500
        if place % step == 0:
            world.drain()
    world.drain()
    assert violations(world.engine) == {}
    assert failed_tries(world.engine) == 0
    return read(world.engine)


def orders_on(database: str) -> list[Any]:
    """The names of all orders, those beyond the suite's marked as slow."""
    suite = {"in order", *orders(IN_SUITE[database])}
    return [
        pytest.param(name, marks=[] if name in suite else pytest.mark.slow)
        for name in ("in order", *orders(SEEDS[database]))
    ]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Read:
    """What the books say after all files in their order, each handled before the next."""
    path = tmp_path_factory.mktemp("expected") / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    with OwnWorld(f"sqlite:///{path}") as world:
        return play(world, FILES, 1)


class TestEveryOrderOfAllSamples:
    """DOMAIN V9, V10, M15-M18: one digest, whatever the order, the repeats and the batches."""

    @pytest.mark.parametrize("order", orders_on("sqlite"))
    def test_on_sqlite(
        self, order: str, expected: Read, tmp_path: Path, sqlite_template: Path
    ) -> None:
        path = tmp_path / "rewards.db"
        path.write_bytes(sqlite_template.read_bytes())
        with OwnWorld(f"sqlite:///{path}") as world:
            assert play(world, *_plan(order)) == expected

    @pytest.mark.parametrize("order", orders_on("postgresql"))
    def test_on_postgresql(
        self, order: str, expected: Read, postgres_template: PostgresTemplate
    ) -> None:
        url = postgres_template.create()
        with OwnWorld(url) as world:
            assert play(world, *_plan(order)) == expected
        postgres_template.release(url)


def _plan(order: str) -> tuple[list[bytes], int]:
    """(bodies, after how many of them everything due is handled)."""
    bodies = {"in order": FILES, **orders(SEEDS["sqlite"])}[order]
    return bodies, random.Random(order).choice([1, 3, 7, 25, 1_000])  # noqa: S311 - a fixed choice


def without_invoice(body: Json) -> Json:
    kept = {name: part for name, part in body["content"].items() if name != "invoice"}
    return {**body, "content": kept}


def at_once(*works: Callable[[], object]) -> None:
    """Run each in a thread of its own; whatever one raises is raised here."""
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class TestManyAtOnce:
    @pytest.fixture
    def world(self, app: Flask, engine: Engine, settings: Settings) -> World:
        """As everywhere, but on the whole application."""
        return World(app, engine, settings)

    def test_the_same_event_a_hundred_times_is_one_transaction(
        self, world: World, app: Flask
    ) -> None:
        """DOMAIN V9: 100 answers 200, of which one says that it is new."""
        world.lead(ADA, world.partner())
        raw = json.dumps(paid("p", "cb_1", ADA)).encode()
        answers: list[tuple[int, str]] = []

        def post() -> None:
            client = app.test_client()
            headers = {"Authorization": world.site.authorization}
            for _ in range(10):
                answer = client.post(
                    world.site.path, data=raw, headers=headers, content_type="application/json"
                )
                answers.append((answer.status_code, answer.get_json().get("status")))

        at_once(*[post] * 10, *[lambda: events_jobs.drain(world.engine)] * 2)
        world.drain()
        assert sorted(answers) == [(200, "accepted"), *[(200, "duplicate")] * 99]
        assert len(world.all(ReceivedEvent)) == 1
        assert len(world.all(Transaction)) == 1
        assert world.earned() == 2_000

    def test_sixteen_payments_of_a_new_payer_make_one_customer(
        self, world: World, app: Flask
    ) -> None:
        """DOMAIN M3, M10, V9: several workers at once on both queues."""
        world.lead(ADA, world.partner())
        bodies = [json.dumps(paid(str(n), "cb_1", ADA, day=n)).encode() for n in range(16)]

        def post(raw: bytes) -> None:
            answer = app.test_client().post(
                world.site.path, data=raw, content_type="application/json",
                headers={"Authorization": world.site.authorization},
            )  # fmt: skip
            assert answer.status_code == 200
            events_jobs.drain(world.engine, batch=3)
            rewards_jobs.drain(world.engine, batch=2)

        at_once(*[lambda raw=raw: post(raw) for raw in bodies])
        world.drain()
        assert len(world.customers()) == 1
        assert len(world.all(Transaction)) == 16
        assert world.earned() == 32_000
        assert violations(world.engine) == {}

    def test_both_queues_at_once_disturb_each_other_never(self, world: World) -> None:
        """No batch fails because another worker was at the same payments.

        Invoices come after their payments, so that both queues write to the same transactions.
        """
        world.lead(ADA, world.partner())
        names = [str(n) for n in range(40)]
        world.receive(*[paid(names[0], "cb_1", ADA)])
        stop = threading.Event()

        def reward() -> None:
            while not stop.is_set():
                rewards_jobs.drain(world.engine, batch=7)

        def happen() -> None:
            try:
                for step in range(1, 9):
                    new = names[step * 4 : step * 4 + 4]
                    world.accept(*[without_invoice(paid(n, "cb_1", ADA)) for n in new])
                    events_jobs.drain(world.engine, batch=20)
                    world.accept(*[event(f"ev_inv{n}", "invoice_generated", step,
                                         invoice=invoice(f"inv_{n}", "cb_1", 10_000))
                                   for n in new])  # fmt: skip
                    world.accept(*[refunded(f"r{step}_{n}", f"txn_{n}", 100, step)
                                   for n in names[: step * 4]])  # fmt: skip
                    events_jobs.drain(world.engine, batch=20)
            finally:
                stop.set()

        at_once(happen, reward, reward)
        world.drain()
        assert failed_tries(world.engine) == 0
        assert violations(world.engine) == {}
