"""Which addresses of other people a service may call (pure): public ones, in their one spelling.

Who may choose an address that we call could make us call our own network for them. So a URL is
taken in one form only, and every network address behind its name must be of the public internet.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import idna

LONGEST_URL = 2_000
HTTPS, HTTP = "https", "http"
_PORTS = {HTTPS: 443, HTTP: 80}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# What resolvers of other programs take for a number: 127.1, 0x7f000001, 2130706433, 0177.0.0.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Space, control signs, and the backslash that some take for a slash.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")

# IANA's special-purpose registries: not of the public internet, or of no single host.
_SPECIAL_V4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# All else is reserved, local, multicast, or an IPv4 address in disguise (mapped, NAT64).
_GLOBAL_V6 = IPv6Network("2000::/3")
# Of those: Teredo and the like, documentation, 6to4.
_SPECIAL_V6 = tuple(
    ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

IpAddress = IPv4Address | IPv6Address


class Refused(ValueError):
    """This address is not called; the text says why, without naming what it leads to."""


class Address(NamedTuple):
    """A URL taken apart. `host` is a name in ASCII or an IP address without brackets."""

    scheme: str
    host: str
    port: int
    target: str  # path and query, as sent

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_address(url: str, loopback: bool = False) -> Address:
    """The parts of a URL that may be called, but for where its name leads (see `why_refused`).

    loopback: http is allowed, to this machine only. Raises Refused.
    """
    if len(url) > LONGEST_URL:
        raise Refused(f"It is longer than {LONGEST_URL} characters.")
    if _FORBIDDEN.search(url):
        raise Refused("It holds a space, a control character or a backslash.")
    try:
        parts = urlsplit(url)
        given, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise Refused("It is no valid URL.") from problem
    _check_plain(url, parts, port)
    if parts.scheme not in ((HTTPS, HTTP) if loopback else (HTTPS,)):
        raise Refused("It must begin with https://.")
    host = _host(given, "[" in parts.netloc)
    if parts.scheme == HTTP and host != "localhost" and why_refused(host, HTTP, loopback):
        raise Refused("Without https only this machine is called.")
    target = _ascii(parts.path or "/") + (f"?{_ascii(parts.query)}" if parts.query else "")
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], target)


def _check_plain(url: str, parts: SplitResult, port: int | None) -> None:
    """Nothing in it that another program might take for the host."""
    if "@" in parts.netloc:
        raise Refused("It must not hold a user name or password.")
    if "#" in url:
        raise Refused("It must not have a fragment (#).")
    if port == 0 or parts.netloc.endswith(":"):
        raise Refused("Its port is no port.")


def _ascii(text: str) -> str:
    if not text.isascii():
        raise Refused("Its path or query holds characters that must be percent-encoded.")
    return text


def _host(host: str, bracketed: bool) -> str:
    if bracketed:
        try:
            return str(IPv6Address(host.replace("%", "?")))  # none of the internet has a scope
        except ValueError as problem:
            raise Refused("Its host is no IPv6 address.") from problem
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError as problem:
        raise Refused("Its host is no valid name.") from problem
    name = name.lower()
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("Its host is no valid name; it must not end with a dot.")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(name))
        except ValueError as problem:
            raise Refused("Its host is a number in an unusual spelling.") from problem
    return name


def why_refused(text: str, scheme: str = HTTPS, loopback: bool = False) -> str | None:
    """Why an IP address is not called; None for one of the public internet, by https.

    loopback: this machine is allowed, also by http.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return "is no address of the internet"
    if address.is_loopback:
        return None if loopback else "belongs to this machine"
    if scheme != HTTPS:
        return "is not of this machine, and only that may be called without https"
    return None if _is_public(address) else "is not of the public internet"


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)
