"""Webhooks over HTTP, as Chargebee posts them: once, without following redirects."""

import base64
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from rewards_service.simulator.runner import Call

CONNECT_S, READ_S = 20.0, 20.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "User-Agent": "ChargeBee"}


class HttpSender:
    """Keeps its connections; one thread at a time."""

    def __init__(self) -> None:
        self._session = requests.Session()

    def __call__(self, call: Call) -> int | None:
        """Post the call; the answer's status, or None when nothing answered in time."""
        self._session.trust_env = urlsplit(call.url).hostname not in _LOOPBACK
        headers = dict(_HEADERS)
        if call.username is not None:
            pair = f"{call.username}:{call.password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        try:
            response = self._session.post(
                call.url,
                data=_in_two(call) if call.slow_s else call.body,
                headers=headers,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
            )
        except requests.RequestException:
            return None
        return response.status_code

    def close(self) -> None:
        self._session.close()


def _in_two(call: Call) -> Iterator[bytes]:
    """The body in two parts with a pause between."""
    half = len(call.body) // 2
    yield call.body[:half]
    time.sleep(call.slow_s)
    yield call.body[half:]
