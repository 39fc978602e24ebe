"""`rewards simulate chargebee` as a user starts it: a real process on a real port."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from rewards_service.cli.main import main
from rewards_service.simulator.api import KEY
from tests.cli.test_run import ROOT, free_port

SECONDS = 120.0


class Simulation:
    """One process; `wait` until it printed a text."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output.txt"
        command = [sys.executable, "-m", "rewards_service", "simulate", "chargebee"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *options],
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait(self, text: str) -> None:
        deadline, pause = time.monotonic() + SECONDS, Event()
        while text not in self.output.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"It did not say {text!r}:\n{self.output.read_text()}")
            pause.wait(0.05)

    def get(self, path: str) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{self.url}{path}", auth=(KEY, ""), timeout=SECONDS)
        assert answer.status_code == 200
        return answer.json()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


@pytest.fixture
def started() -> Iterator[list[Simulation]]:
    running: list[Simulation] = []
    yield running
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


class TestChargebee:
    def test_it_answers_until_it_is_stopped_and_writes_its_state(
        self, started: list[Simulation], tmp_path: Path
    ) -> None:
        state = tmp_path / "site.json"
        one = Simulation(tmp_path, "--history", "30", "--state", str(state), "--seed", "4")
        started.append(one)
        one.wait("Make things happen")
        listed = one.get("/api/v2/invoices?limit=100")["list"]

        assert len(listed) == 30
        assert one.stop() == 0
        assert json.loads(state.read_bytes())["seed"] == 4

    def test_it_plays_a_month_that_ends_now(
        self, started: list[Simulation], tmp_path: Path
    ) -> None:
        one = Simulation(tmp_path, "--month")
        started.append(one)
        one.wait("A month was played")
        found = one.get("/simulator/progress")

        assert found["month"] is True
        assert abs(found["now"] - time.time()) < 60
        assert one.get("/simulator/check")["ok"] is True

    def test_a_port_in_use_is_refused(self, started: list[Simulation], tmp_path: Path) -> None:
        one = Simulation(tmp_path)
        started.append(one)
        one.wait("Make things happen")
        second = subprocess.run(
            [*one.process.args[:5], "--port", str(one.port)],  # type: ignore[index]
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

        assert second.returncode == 2
        assert f"Port {one.port} cannot be used" in second.stderr

    def test_a_file_that_holds_no_site_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "site.json"
        path.write_text("{}")
        options = ["--port", "0", "--state", str(path)]
        result = CliRunner().invoke(main, ["simulate", "chargebee", *options])

        assert result.exit_code == 2
        assert "no saved site" in result.output
