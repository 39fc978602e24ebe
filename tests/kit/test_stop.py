import os
import signal
import subprocess
import sys
import threading
import time

from rewards_service.kit.stop import Stop

_WAITING = """
from rewards_service.kit.stop import Stop
stop = Stop()
stop.on_signals()
print("ready", flush=True)
raise SystemExit(0 if stop.wait(30) else 1)
"""
_OTHER_SIGNAL = """
import signal, time
from rewards_service.kit.stop import Stop
stop = Stop()
stop.on_signals()
signal.signal(signal.SIGALRM, lambda number, frame: None)
signal.setitimer(signal.ITIMER_REAL, 0.05)
start = time.process_time()
raise SystemExit(stop.wait(0.5) or time.process_time() - start > 0.2)
"""


class TestStop:
    def test_waits_its_time_without_a_wish(self) -> None:
        assert not Stop().wait(0.01)
        assert not Stop().wait(-1)

    def test_a_wish_from_another_thread_ends_the_wait(self) -> None:
        stop = Stop()
        threading.Timer(0.05, stop.request).start()
        start = time.monotonic()
        assert stop.wait(30)
        assert time.monotonic() - start < 10

    def test_a_wish_holds_for_good_and_may_be_repeated(self) -> None:
        stop = Stop()
        for _ in range(100_000):  # more than a pipe holds
            stop.request()
        assert stop.wait(30)
        assert stop.wait(30)

    def test_signals_make_the_wish(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with subprocess.Popen(
                [sys.executable, "-c", _WAITING], stdout=subprocess.PIPE
            ) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
                os.kill(process.pid, number)
                assert process.wait(60) == 0

    def test_another_signal_is_no_wish_and_costs_no_spinning(self) -> None:
        subprocess.run([sys.executable, "-c", _OTHER_SIGNAL], check=True)
