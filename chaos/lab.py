"""Where faults are tried: the installation under fire, the same input without, and the load."""

import json
import random
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from chaos.answers import Answer, Taken, accepted, read_log
from chaos.client import REFUSED, Order, to_send
from chaos.evidence import Evidence, Verdict
from chaos.invariants import judge
from chaos.processes import ROOT
from chaos.recovery import Recoveries
from chaos.reference import Reference
from chaos.stack import READY_SECONDS, Stack
from chaos.stream import Sent, add_people
from rewards_service.kit import bells
from tests.builders.chargebee import Json

Figures = dict[str, Any]
GIVE_UP_SECONDS = 900.0
AT_ONCE = 16
MOST_TRIES = 60
TAKEN_BETWEEN = 10  # events between two kills, at least


@dataclass
class Load:
    """A client at work on a stream."""

    order: Order
    process: subprocess.Popen[bytes]

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def answers(self) -> list[Answer]:
        return read_log(Path(self.order.log))


@dataclass
class Lab:
    """What an injector of a fault has in its hands."""

    stack: Stack
    reference: Reference
    seed: int
    chance: random.Random
    scale: float = 1.0
    acknowledged: set[str] = field(default_factory=set)
    _loads: list[Load] = field(default_factory=list)
    _told: list[Sent] = field(default_factory=list)  # not to the reference yet
    _known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.recoveries = Recoveries(self.stack.engine)
        bells.install(lambda _queue: None)  # what is posted to the reference rings nobody
        worlds = (self.stack.world, self.reference.world)
        self.partners = [[world.partner(name) for name in ("Ann", "Ben", "Cy")] for world in worlds]

    # --- load ---

    def order(
        self, tag: str, number: int, rate: float, log_name: str = "", **options: Any
    ) -> Order:
        """What the client is to do. Those who pay are made known, once for each tag."""
        worlds = (self.stack.world, self.reference.world)
        if tag not in self._known:
            self._known.add(tag)
            for world, partners in zip(worlds, self.partners, strict=True):
                add_people(world, partners, tag, number)
        site = self.stack.world.site
        return Order(
            self.stack.settings.port, site.path, site.authorization, self.seed, tag, number, rate,
            str(self.stack.folder / f"answers-{tag}{log_name}.jsonl"), GIVE_UP_SECONDS, **options,
        )  # fmt: skip

    def load(self, tag: str, number: int, rate: float, **options: Any) -> Load:
        """Begin to post `number` different events, `rate` a second."""
        order = self.order(tag, number, rate, **options)
        place = self.stack.folder / f"order-{tag}.json"
        order.write(place)
        process = subprocess.Popen([sys.executable, "-m", "chaos.client", str(place)], cwd=ROOT)
        load = Load(order, process)
        self._loads.append(load)
        return load

    def while_running(self, load: Load, least: float, most: float) -> Iterator[None]:
        """Now and then, as long as the client is at work; the service is looked after meanwhile.

        Not before something was taken since: a slow machine needs longer to start a process.
        """
        taken, before = Taken(Path(load.order.log)), 0
        while load.is_running:
            self.stack.rest(self.chance.uniform(least, most))
            if load.is_running and taken.count() > before + TAKEN_BETWEEN:
                before = taken.count()
                yield

    def finish(self, load: Load) -> list[Answer]:
        """Wait until all was answered, and take down what was."""
        if not self.stack.wait_for(lambda: not load.is_running, GIVE_UP_SECONDS + 60):
            load.process.kill()
        self._loads.remove(load)
        answers = load.answers
        sent = to_send(load.order)
        taken = [sent[place] for place in sorted(accepted(answers))]
        self.acknowledged |= {one.event_id for one in taken if one.event_id is not None}
        self._told += dict.fromkeys(taken)
        return answers

    def send(self, tag: str, number: int, rate: float = 100.0, **options: Any) -> list[Answer]:
        """Post a stream to its end."""
        return self.finish(self.load(tag, number, rate, **options))

    def post_at_once(self, events: Sequence[Sent | Json]) -> list[int]:
        """Post all of these at the same moment, until each is answered; the statuses."""
        sent = [
            one if isinstance(one, Sent) else Sent(one["id"], json.dumps(one).encode())
            for one in events
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = list(pool.map(self._post, sent))
        taken = [one for one, status in zip(sent, statuses, strict=True) if status == 200]
        self.acknowledged |= {one.event_id for one in taken if one.event_id is not None}
        self._told += taken
        return statuses

    def _post(self, one: Sent) -> int:
        site = self.stack.world.site
        headers = {"Authorization": site.authorization, "Content-Type": "application/json"}
        for _ in range(MOST_TRIES):
            link = HTTPConnection("127.0.0.1", self.stack.settings.port, timeout=20)
            try:
                link.request("POST", site.path, one.body, headers)
                status = link.getresponse().status
            except (OSError, HTTPException):
                status = 0
            finally:
                link.close()
            if status == 200 or status in REFUSED:
                return status
            time.sleep(1)
        return status

    @staticmethod
    def basic(username: str, password: str) -> str:
        return "Basic " + b64encode(f"{username}:{password}".encode()).decode()

    def also_tell(self, events: list[Sent]) -> None:
        """The service got these by another way than the client."""
        self._told += events

    # --- faults ---

    def note_kill(self) -> None:
        self.recoveries.note()

    def crash_at(self, point: str, count: int) -> Callable[[], bool]:
        """Let the next process that comes to `point` for the count-th time end there.

        The answer says whether one did.
        """
        name = f"{time.monotonic_ns()}"
        made = self.stack.plan.with_name("crash-plan.new")
        made.write_text(f"{name} {point} {count}")
        made.replace(self.stack.plan)
        note = self.stack.plan.with_name(f"{self.stack.plan.name}.{name}")
        return note.exists

    def disarm(self) -> None:
        self.stack.plan.unlink(missing_ok=True)

    # --- and afterwards ---

    def settle(self, with_replay: bool = False, patience: float = 600.0) -> Verdict:
        """Drain, tell the reference the same, and judge what is there."""
        self.disarm()
        if not self.stack.wait_for(self.stack.is_ready, READY_SECONDS):
            raise RuntimeError(f"The service did not come back; see {self.stack.folder}.")
        seconds = self.stack.drain(patience)
        told, self._told = self._told, []
        self.reference.receive(told)
        evidence = Evidence(self.stack, self.reference, self.acknowledged, seconds, with_replay)
        return judge(evidence)

    def close(self) -> None:
        for load in self._loads:
            load.process.kill()
            load.process.wait()
