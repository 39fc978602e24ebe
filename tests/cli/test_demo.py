"""`rewards demo`: its company on both databases, and the whole of it as a user starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import psutil
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.cli.demo_company import PARTNERS, SITE, make_company, summary
from rewards_service.cli.main import Refused, main
from rewards_service.crm.models import Deal, Lead
from rewards_service.integrations.service import create_integration
from rewards_service.partners.models import Partner
from rewards_service.programs.models import Program, RewardRule
from rewards_service.settings import Settings
from rewards_service.simulator.month import PEOPLE
from tests.cli.test_run import ROOT, folder, free_port

__all__ = ["folder"]
SECONDS, MOST_CPU_SECONDS = 240.0, 60.0


def cpu_seconds(process: psutil.Process) -> float:
    """What it worked: an idle machine takes no longer, a busy one much."""
    times = process.cpu_times()
    return times.user + times.system


class TestMakeCompany:
    def test_it_makes_two_programmes_with_partners_leads_and_deals(
        self, session: Session, settings: Settings
    ) -> None:
        make_company(session, settings)
        tables = (Program, RewardRule, Partner, Lead, Deal)
        counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
        brought = [person.found_as for person in PEOPLE.values()]

        assert counts == [2, 3, len(PARTNERS), brought.count("lead"), brought.count("deal")]

    def test_made_twice_it_is_there_once(self, session: Session, settings: Settings) -> None:
        first, before = make_company(session, settings)
        second, after = make_company(session, settings)

        assert (first.id, before) == (second.id, after)
        assert session.scalar(select(func.count()).select_from(Partner)) == len(PARTNERS)

    def test_a_database_that_serves_others_is_left_alone(
        self, session: Session, settings: Settings
    ) -> None:
        create_integration(session, settings, {"site": "acme", "name": "Acme"}, "test")

        with pytest.raises(Refused, match="acme"):
            make_company(session, settings)

    def test_before_the_month_the_summary_counts_nothing(
        self, session: Session, settings: Settings
    ) -> None:
        make_company(session, settings)

        assert summary(session)[0].endswith("0 events, 0 customers, 0 payments, 0 rewards.")


class TestDemo:
    def test_a_port_that_others_use_is_refused(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = CliRunner().invoke(main, ["demo", "--simulator-port", str(port)])

        assert result.exit_code == 2
        assert "SIMULATOR_PORT=" in result.output

    def test_it_shows_a_month_of_business_within_a_minute(self, folder: Path) -> None:
        port, simulator = free_port(), free_port()
        environ = {
            **os.environ, "PORT": str(port), "VAR_DIR": str(folder / "var"),
            "PYTHONPATH": str(ROOT), "WORKERS": "1", "WEB_WORKERS": "1",
        }  # fmt: skip
        program = [sys.executable, "-m", "rewards_service"]
        output = folder / "output.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*program, "demo", "--simulator-port", str(simulator)],
                env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            self.wait(process, output, "A month of business was played")
            family = psutil.Process(process.pid).children(recursive=True)
            took = sum(cpu_seconds(one) for one in (psutil.Process(process.pid), *family))
            checked = subprocess.run(
                [*program, "check", "--json"], env=environ, cwd=folder, capture_output=True,
                check=False, timeout=SECONDS,
            )  # fmt: skip
            compared = subprocess.run(
                [*program, "reconcile", "--integration", SITE, "--json"], env=environ, cwd=folder,
                capture_output=True, check=False, timeout=SECONDS,
            )  # fmt: skip
        finally:
            process.send_signal(signal.SIGINT)
            status = process.wait(SECONDS)
        _, alive = psutil.wait_procs(family, timeout=20)

        assert (took < MOST_CPU_SECONDS, status, alive) == (True, 0, [])
        assert json.loads(checked.stdout)["ok"] is True
        report = json.loads(compared.stdout)
        assert (compared.returncode, report["ok"], report["differences"]) == (0, True, [])
        assert report["counts"]["equal"] > 20
        assert all(name in output.read_text() for name in PARTNERS.values())
        assert SITE in output.read_text()

    def wait(self, process: "subprocess.Popen[bytes]", output: Path, text: str) -> None:
        deadline, pause = time.monotonic() + SECONDS, Event()
        while text not in output.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"It did not say {text!r}:\n{output.read_text()}")
            pause.wait(0.1)
