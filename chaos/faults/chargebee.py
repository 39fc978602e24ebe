"""A simulated Chargebee sells: its webhooks get lost, its API fails, and processes are killed."""

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any

from chaos.faults.web import size
from chaos.lab import Figures, Lab
from chaos.processes import ROOT, Program, python
from chaos.proxy import free_port
from chaos.storm import kill_web_worker
from rewards_service.integrations import service as integrations
from rewards_service.kit.db import transaction
from rewards_service.simulator.api import KEY
from rewards_service.simulator.play import email_of
from tests.builders.site import Site
from tests.builders.world import World

Knobs = Mapping[str, float]
BEGUN = "2026-01-05"  # the simulated site's first day
REGISTERED = datetime(2025, 1, 1, tzinfo=UTC)  # before it
PEOPLE = 60  # more than sign up
STEPS_AT_ONCE = 10
READY_SECONDS = 60.0
MOST_READINGS = 12
LOSSES = {
    "drop": 0.1,
    "duplicate": 0.2,
    "reorder": 0.5,
    "reorder_s": 86_400,
    "wrong_password": 0.05,
}
FAILURES = {"limited": 0.1, "retry_after_s": 1, "locked": 0.1, "unavailable": 0.1, "failed": 0.1,
            "unavailable_html": 0.05, "cut": 0.1, "garbage": 0.05, "slow": 0.1}  # fmt: skip


def losing(lab: Lab) -> Figures:
    """Webhooks are dropped, doubled and mixed, and meet processes that are killed."""
    return _sell(lab, "losing", LOSSES, {})


def failing(lab: Lab) -> Figures:
    """No webhook arrives at all, and about half of all calls to the API fail."""
    return _sell(lab, "failing", {"drop": 1.0}, FAILURES)


def _sell(lab: Lab, name: str, losses: Knobs, failures: Knobs) -> Figures:
    """A site sells and loses webhooks; then its log is read. Nothing may differ from it."""
    worlds = (lab.stack.world, lab.reference.world)
    ours, theirs = (_connect(world, name) for world in worlds)
    for world, partners in zip(worlds, lab.partners, strict=True):
        _know_people(world, partners)
    with _simulated(lab, ours) as site:
        site.post("/faults", losses)
        kills = 0
        for _ in range(size(lab, 300) // STEPS_AT_ONCE):
            kills += _kill_one(lab)
            site.post("/play", {"steps": STEPS_AT_ONCE})
            site.post("/deliver", {})
        lab.stack.wait_for(lab.stack.is_ready, READY_SECONDS)
        lab.acknowledged |= (delivered := site.delivered())
        site.post("/faults", {**dict.fromkeys(losses, 0), **failures})
        readings = _read_log(lab, name)
        site.post("/faults", dict.fromkeys(failures, 0))
        events = site.events()
        lab.stack.drain()
        differing = _differing(lab, name)
    theirs.accept(*(json.dumps(event).encode() for event in events))
    lab.reference.world.drain()
    assert differing == [], f"These differ from Chargebee: {differing[:5]}"
    return {"kills": kills, "told": len(events), "delivered": len(delivered),
            "readings": readings}  # fmt: skip


def _connect(world: World, name: str) -> Site:
    site = world.connect(name)
    with transaction(world.engine) as session:
        integrations.change_integration(
            session, world._settings, site.id, {"api_key": KEY}, "chaos"
        )
    return site


def _know_people(world: World, partners: Sequence[int]) -> None:
    """Two of three payers were brought, as leads or by deals."""
    for number in range(1, PEOPLE):
        if number % 3 == 0:
            world.lead(email_of(number), partners[0], REGISTERED)
        elif number % 3 == 1:
            world.deal(email_of(number), partners[1], REGISTERED)


def _kill_one(lab: Lab) -> int:
    """Now and then something that receives or handles events."""
    throw = lab.chance.random()
    if throw < 0.3:
        kill_web_worker(lab.stack, lab.chance)
    elif throw < 0.6:
        lab.chance.choice(lab.stack.workers).kill()
        lab.note_kill()
    elif throw < 0.7:
        lab.stack.web.kill()
    else:
        return 0
    lab.stack.tend()
    return 1


@dataclass
class Simulated:
    """The controls and the API of a simulated site."""

    port: int

    def post(self, path: str, members: Mapping[str, Any]) -> Any:
        return self._ask("POST", f"/simulator{path}", json.dumps(dict(members)))

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def is_there(self) -> bool:
        try:
            return bool(self.get("/simulator/progress"))
        except (OSError, HTTPException, ValueError):
            return False

    def delivered(self) -> set[str]:
        """Ids of the events whose webhooks were answered 200."""
        calls = self.get("/simulator/deliveries")["list"]
        return {one["event_id"] for one in calls if one["status"] == 200 and not one["dropped"]}

    def events(self) -> list[dict[str, Any]]:
        """The whole log, the oldest first."""
        found: list[dict[str, Any]] = []
        offset = ""
        while True:
            page = self.get(f"/api/v2/events?limit=100&sort_by[asc]=occurred_at{offset}")
            found += [one["event"] for one in page["list"]]
            if "next_offset" not in page:
                return found
            offset = f"&offset={page['next_offset']}"

    def _ask(self, method: str, path: str, body: str = "") -> Any:
        link = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            headers = {"Content-Type": "application/json", "Authorization": Lab.basic(KEY, "")}
            link.request(method, path, body or None, headers)
            return json.loads(link.getresponse().read())
        finally:
            link.close()


@contextmanager
def _simulated(lab: Lab, ours: Site) -> Iterator[Simulated]:
    """A simulated site that posts to ours, in a process of its own; the service asks its API."""
    port, stack = free_port(), lab.stack
    login = b64decode(ours.authorization.partition(" ")[2]).decode()
    username, _, password = login.partition(":")
    address = f"http://127.0.0.1:{stack.settings.port}{ours.path}"
    options = {"port": port, "speed": 0, "seed": lab.seed, "start-at": BEGUN, "webhook": address}
    chosen = [f"--{option}={value}" for option, value in options.items()]
    command = python("rewards_service", "simulate", "chargebee", *chosen)
    environ = {"REWARDS_WEBHOOK_USERNAME": username, "REWARDS_WEBHOOK_PASSWORD": password}
    program = Program("simulator", command, environ, stack.folder / "simulator.log")
    program.start()
    site = Simulated(port)
    try:
        if not stack.wait_for(site.is_there, READY_SECONDS):
            raise RuntimeError(f"The simulator did not start; see {stack.folder}.")
        stack.restart(CHARGEBEE_API_BASE=f"http://127.0.0.1:{port}")
        yield site
    finally:
        program.stop()
        stack.restart(CHARGEBEE_API_BASE="")


def _read_log(lab: Lab, name: str) -> int:
    """Read the log as `rewards poll` does, again where Chargebee breaks off; how often."""
    for number in range(1, MOST_READINGS + 1):
        if _command(lab, "poll", "--integration", name).returncode == 0:
            return number
    raise AssertionError(f"The log could not be read in {MOST_READINGS} tries.")


def _differing(lab: Lab, name: str) -> list[Any]:
    ended = _command(lab, "reconcile", "--integration", name, "--json")
    report = json.loads(ended.stdout)
    return [] if report["ok"] else list(report["differences"])


def _command(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environ = {**os.environ, **lab.stack.web.environ}
    command = python("rewards_service", *arguments)
    return subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, check=False)
