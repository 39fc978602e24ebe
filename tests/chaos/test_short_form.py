"""The short form of the chaos run: real processes are killed, and the books are as without."""

import json
from pathlib import Path

import pytest

from chaos.run import main
from tests.postgres_server import UNAVAILABLE, find_binaries


@pytest.mark.skipif(find_binaries() is None, reason=UNAVAILABLE)
class TestShortForm:
    def test_kills_crash_points_and_a_wiped_redis_leave_no_trace_on_postgresql(
        self, tmp_path: Path
    ) -> None:
        """DOMAIN V9: what was answered 200 has its effect, and has it once."""
        status = main(["--short", "--events", "120", "--kills", "4", "--report", str(tmp_path)])
        report = json.loads((tmp_path / "report.json").read_text())
        runs = {run["name"]: run["figures"] for run in report["runs"]}

        assert (status, report["ok"]) == (0, True), (tmp_path / "report.txt").read_text()
        assert all((run["lost"], run["doubled"]) == (0, 0) for run in runs.values())
        assert runs["10 Redis is wiped with 500 queued"]["queued"] >= 500
        assert runs["kill storm"]["crash_points"]["crashes"] >= 3
        assert report["recovery"]["kills"] >= 6  # crashes among them
