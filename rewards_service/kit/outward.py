"""POST to an address that somebody else chose, without being made to call our own network.

The name is looked up once, all that it leads to is checked, and the connection goes to what was
checked: a name that leads elsewhere a moment later changes nothing. The certificate must be that of
the name. No redirect is followed, no proxy of the surroundings used, and little of an answer read.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import certifi
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import (
    TimeoutError as UrllibTimeoutError,
)

from rewards_service import __version__
from rewards_service.kit.addresses import HTTPS, Address, Refused, parse_address, why_refused
from rewards_service.kit.deadline import POOLS, within

REFUSED, UNRESOLVED, UNREACHABLE = "address_refused", "unresolved", "unreachable"
TIMED_OUT, BAD_CERTIFICATE, CUT_OFF = "timed_out", "bad_certificate", "cut_off"
NO_ANSWERS = (REFUSED, UNRESOLVED, UNREACHABLE, TIMED_OUT, BAD_CERTIFICATE, CUT_OFF)

Resolver = Callable[[str, int], Sequence[str]]


class NoAnswer(Exception):
    """No answer came. `code` is one of NO_ANSWERS; the text names neither host nor address."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Answer(NamedTuple):
    """What came back: header names in any case, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    beginning: bytes


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver and its time-outs. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


@dataclass(frozen=True, slots=True)
class Outward:
    """How we call addresses of other people. `total_seconds` holds for connecting and answer.

    loopback: this machine may be called, also by http; for development only.
    """

    loopback: bool = False
    resolver: Resolver = resolve
    ca_certs: str = certifi.where()
    connect_seconds: float = 5.0
    total_seconds: float = 15.0
    most_addresses: int = 3  # of a name that has several, tried one after the other
    beginning_bytes: int = 2_048
    clock: Callable[[], float] = time.monotonic

    def check(self, url: str) -> Address:
        """The parts of a URL that may be called as far as can be known without a look-up.

        Raises Refused.
        """
        return parse_address(url, self.loopback)

    def reach(self, address: Address) -> list[str]:
        """What its host leads to right now, all of it checked. Raises Refused; OSError."""
        found = self.resolver(address.host, address.port)
        for one in found:
            why = why_refused(one, address.scheme, self.loopback)
            if why is not None:
                raise Refused(f"It leads to an address that {why}.")
        return list(found)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body and wait for the head of the answer. Raises NoAnswer."""
        try:
            address = self.check(url)
            reached = self.reach(address)
        except Refused as problem:
            raise NoAnswer(REFUSED, str(problem)) from problem
        except (OSError, UnicodeError) as problem:
            raise NoAnswer(UNRESOLVED, "Its host has no address right now.") from problem
        until = self.clock() + self.total_seconds
        sent = {
            "Content-Type": "application/json",
            "User-Agent": f"rewards-service/{__version__}",
            "Accept-Encoding": "identity",
            **headers,
            "Host": address.authority,
        }
        for place, ip in enumerate(reached[: self.most_addresses]):
            try:
                return self._exchange(address, ip, body, sent, until)
            except NoAnswer as problem:
                is_last = place + 1 == min(len(reached), self.most_addresses)
                if problem.code != UNREACHABLE or is_last or self.clock() >= until:
                    raise
        raise NoAnswer(UNRESOLVED, "Its host has no address right now.")

    def _exchange(
        self, address: Address, ip: str, body: bytes, headers: Mapping[str, str], until: float
    ) -> Answer:
        left = until - self.clock()
        pool = POOLS[address.scheme](
            ip, address.port, timeout=Timeout(connect=min(self.connect_seconds, left), read=left),
            retries=False, **self._tls(address),
        )  # fmt: skip
        try:
            with within(lambda: until - self.clock()):
                answer = pool.urlopen(
                    "POST", address.target, body=body, headers=headers, redirect=False,
                    assert_same_host=False, preload_content=False, decode_content=False,
                )  # fmt: skip
                try:
                    return Answer(answer.status, answer.headers, self._beginning(answer))
                finally:
                    answer.close()
        except (HTTPError, OSError) as problem:
            raise _no_answer(problem) from problem
        finally:
            pool.close()

    def _tls(self, address: Address) -> dict[str, Any]:
        if address.scheme != HTTPS:
            return {}
        return {
            "cert_reqs": ssl.CERT_REQUIRED, "ca_certs": self.ca_certs,
            "server_hostname": address.host, "assert_hostname": address.host,
        }  # fmt: skip

    def _beginning(self, answer: BaseHTTPResponse) -> bytes:
        """The head has said all there is to know: what becomes of the rest is nobody's concern."""
        try:
            return answer.read(self.beginning_bytes)
        except (HTTPError, OSError):
            return b""


def _no_answer(problem: Exception) -> NoAnswer:
    if isinstance(problem, SSLError | ssl.SSLError):
        return NoAnswer(BAD_CERTIFICATE, "Its certificate is not good for its name.")
    if isinstance(problem, ConnectTimeoutError | NewConnectionError):
        return NoAnswer(UNREACHABLE, "Nobody answers at its address.")
    if isinstance(problem, UrllibTimeoutError | TimeoutError):
        return NoAnswer(TIMED_OUT, "It took too long to answer.")
    return NoAnswer(CUT_OFF, "The connection ended before there was an answer.")
