"""A plain HTTP load: keep-alive connections that post one body with changing ids, or get a page."""

import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

SAMPLE = Path(__file__).parent.parent / "tests/payloads/chargebee/events"
MARK = b"EVENT-ID-PLACEHOLDER"


def sample_body() -> bytes:
    """A real-sized payment (2.7 kB, no card data) whose event id is to be filled in."""
    payment = json.loads((SAMPLE / "made_pc2_payment_succeeded_card_excluded.json").read_bytes())
    payment["id"] = MARK.decode()
    return json.dumps(payment, separators=(",", ":")).encode()


def run(port: int, path: str, headers: str, seconds: float, connections: int, tag: str) -> int:
    """Post for some seconds over `connections` connections; how many were answered 200."""
    with multiprocessing.Pool(1) as pool:
        return sum(pool.starmap(_client, [(port, path, headers, seconds, connections, tag)]))


def get(port: int, path: str, headers: str, seconds: float, connections: int) -> int:
    """As `run`, asking for one address again and again."""
    return run(port, path, headers, seconds, connections, "")


def _client(port: int, path: str, headers: str, seconds: float, connections: int, tag: str) -> int:
    """Without a tag nothing is posted: then it asks."""
    before, _, after = sample_body().partition(MARK)
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()
    counts = [0] * connections
    until = time.monotonic() + seconds

    def post(number: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.monotonic() < until:
                event_id = f"ev_{tag}_{number}_{counts[number]}".ljust(40, "x").encode()
                body = before + event_id + after
                head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"
                head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                link.sendall(head.encode() + body if tag else asked)
                if not _answered(link.recv):
                    raise RuntimeError("An answer other than 200")
                counts[number] += 1

    threads = [threading.Thread(target=post, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _answered(receive: Callable[[int], bytes]) -> bool:
    """Read one whole answer; whether it was 200."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(65536)
    head, _, rest = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(rest) < length:
        rest += receive(65536)
    return head.startswith(b"HTTP/1.1 200")
