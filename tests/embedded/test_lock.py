import subprocess
import sys
from pathlib import Path

import pytest

from rewards_service.embedded.lock import AlreadyRunning, run_lock

_HOLD = """
import sys
from pathlib import Path
from rewards_service.embedded.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestRunLock:
    def test_refuses_a_second_run_and_names_the_first(self, tmp_path: Path) -> None:
        holder = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        message = rf"already running in .*process {holder.pid}\)"
        with pytest.raises(AlreadyRunning, match=message), run_lock(tmp_path):
            pass
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
        with run_lock(tmp_path):
            pass

    def test_can_be_taken_again_after_it_was_let_go(self, tmp_path: Path) -> None:
        for _ in range(2):
            with run_lock(tmp_path / "var"):
                assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
