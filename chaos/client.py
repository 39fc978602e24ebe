"""Chargebee's side: posts a stream at its own pace, comes again, and keeps its own log of answers.

It runs as a process of its own (`python -m chaos.client ORDER.json`), so that nothing that befalls
the service or its harness slows it. Open loop: each event has its moment, whatever became of those
before it. What was answered other than 200 (or 4xx, which sending again will not mend) is sent
again, as Chargebee does, in seconds instead of hours. Each answer is a line of the log, which is
synced to the disk before anybody reads it.
"""

import heapq
import http.client
import json
import os
import queue
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chaos.stream import Sent, stream

CONNECTIONS = 24
TIMEOUT_SECONDS = 20.0
WAITS = (0.2, 0.5, 1.0, 2.0, 4.0)  # Chargebee: 2 min, 6 min, 30 min, 1 h, 5 h, 1 d, 2 d
REFUSED = (400, 411, 413, 415)
SYNC_SECONDS = 0.1


@dataclass(frozen=True)
class Order:
    """What to send where: `number` events of a stream, `rate` a second.

    give_up_seconds: how long it goes on after the last one's moment.
    """

    port: int
    path: str
    authorization: str
    seed: int
    tag: str
    number: int
    rate: float
    log: str
    give_up_seconds: float = 600.0
    hundredfold: bool = False  # each event a hundred times at once

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))


class Client:
    """One run over a stream."""

    def __init__(self, order: Order, sent: list[Sent]) -> None:
        self._order = order
        self._sent = sent
        self._due: list[tuple[float, int, int]] = []  # moment, place in the stream, try
        self._work: queue.Queue[tuple[float, int, int] | None] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._lock = threading.Condition()
        self._open = len(sent)

    def run(self) -> None:
        begun = time.monotonic() + 0.1
        self._due = [(begun + n / self._order.rate, n, 1) for n in range(len(self._sent))]
        threads = [threading.Thread(target=self._post_all) for _ in range(CONNECTIONS)]
        keeper = threading.Thread(target=self._keep_log)
        for thread in [*threads, keeper]:
            thread.start()
        last = begun + len(self._sent) / self._order.rate
        self._hand_out(last + self._order.give_up_seconds)
        for _ in threads:
            self._work.put(None)
        for thread in threads:
            thread.join()
        self._answers.put(None)
        keeper.join()

    def _hand_out(self, give_up_at: float) -> None:
        with self._lock:
            while self._open and time.monotonic() < give_up_at:
                wait = self._due[0][0] - time.monotonic() if self._due else 1.0
                if wait > 0:
                    self._lock.wait(min(wait, 1.0))
                    continue
                self._work.put(heapq.heappop(self._due))

    def _post_all(self) -> None:
        link: http.client.HTTPConnection | None = None
        while (item := self._work.get()) is not None:
            due, place, attempt = item
            sent_at = time.monotonic()
            status, link = self._post(link, self._sent[place].body)
            done = time.monotonic()
            self._answers.put(
                {
                    "id": self._sent[place].event_id, "place": place, "try": attempt,
                    "status": status, "at": time.time(), "ms": round((done - sent_at) * 1e3, 2),
                    "since_due_ms": round((done - due) * 1e3, 2),
                }
            )  # fmt: skip
            with self._lock:
                if status == 200 or status in REFUSED:
                    self._open -= 1
                else:
                    wait = WAITS[min(attempt - 1, len(WAITS) - 1)]
                    heapq.heappush(self._due, (done + wait, place, attempt + 1))
                self._lock.notify()

    def _post(
        self, link: http.client.HTTPConnection | None, body: bytes
    ) -> tuple[int, http.client.HTTPConnection | None]:
        """The status, 0 when there was none; and the connection, if it is still good."""
        if link is None:
            link = http.client.HTTPConnection(
                "127.0.0.1", self._order.port, timeout=TIMEOUT_SECONDS
            )
        try:
            link.request(
                "POST", self._order.path, body,
                {"Authorization": self._order.authorization, "Content-Type": "application/json"},
            )  # fmt: skip
            answer = link.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            link.close()
            return 0, None
        return answer.status, None if answer.will_close else link

    def _keep_log(self) -> None:
        with Path(self._order.log).open("a") as log:
            while True:
                first = self._answers.get()
                lines = [first] if first else []
                while not self._answers.empty():
                    following = self._answers.get()
                    if following is None:
                        first = None
                        break
                    lines.append(following)
                log.write("".join(f"{json.dumps(line)}\n" for line in lines))
                log.flush()
                os.fsync(log.fileno())
                if first is None:
                    return
                time.sleep(SYNC_SECONDS)


def to_send(order: Order) -> list[Sent]:
    sent = stream(order.seed, order.tag, order.number)
    return [one for one in sent for _ in range(100)] if order.hundredfold else sent


def main() -> None:
    order = Order(**json.loads(Path(sys.argv[1]).read_text()))
    Client(order, to_send(order)).run()


if __name__ == "__main__":
    main()
