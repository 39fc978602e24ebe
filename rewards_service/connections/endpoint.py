"""The webhook that a site should have, and what is wrong with one that it has (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from rewards_service.chargebee.event_types import ENDPOINT_EVENTS
from rewards_service.chargebee.wire import Payload
from rewards_service.connections.checks import Check

PORTS = (80, 443, 8080, 8443)  # the only ones Chargebee posts to
MOST_ENDPOINTS = 5
LONGEST_URL = 512
NAME = "Rewards service"
SCHEMA_MEMBER, SCHEMA_TYPE = "chargebee_response_schema_type", "items"
_SHOWN_EVENTS = 4
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A webhook that posts to `url`, whose path names the integration, whatever its host."""

    url: str

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def leads_here(self, row: Payload) -> bool:
        """Whether a webhook of the site leads to this integration, at whatever host."""
        return address_of(row).path == self.path

    def is_beside(self, row: Payload) -> bool:
        """Whether it leads to this service, but to an integration that is no more."""
        base = self.url.removesuffix(self.path.rpartition("/")[2])
        return str(row.get("url")).startswith(base) and not self.leads_here(row)

    def fields(self) -> dict[str, Any]:
        """What a new webhook is made of, but for its credentials."""
        return {
            "name": NAME, "url": self.url, "api_version": "v2", "send_card_resource": False,
            SCHEMA_MEMBER: SCHEMA_TYPE, "disabled": False,
            "enabled_events": list(ENDPOINT_EVENTS),
        }  # fmt: skip

    def corrections(self, row: Payload) -> dict[str, Any]:
        """What to change of a webhook; its schema type cannot be changed, see `wrong_schema`."""
        wanted = {
            "url": self.url, "api_version": "v2", "send_card_resource": False, "disabled": False,
        }  # fmt: skip
        changes = {name: value for name, value in wanted.items() if row.get(name, value) != value}
        if missing_events(row):
            changes["enabled_events"] = list(ENDPOINT_EVENTS)
        return changes


def missing_events(row: Payload) -> list[str]:
    """The events it should get and does not; a webhook that names none gets all."""
    enabled = row.get("enabled_events") or []
    return [name for name in ENDPOINT_EVENTS if enabled and name not in enabled]


def wrong_schema(row: Payload) -> bool:
    """Sites of one catalogue only do not tell a schema type, and need none."""
    return (row.get(SCHEMA_MEMBER) or SCHEMA_TYPE) != SCHEMA_TYPE


def best_first(rows: Sequence[Payload], known_id: str | None) -> list[Payload]:
    """The one to keep first: it need not be made anew, is known, is the same whoever looks."""

    def rank(row: Payload) -> tuple[bool, bool, str]:
        return wrong_schema(row), row.get("id") != known_id, str(row.get("id"))

    return sorted(rows, key=rank)


def address_checks(url: str, is_sandbox: bool) -> list[Check]:
    """What keeps Chargebee from posting to our address. A sandbox reaches every port of ours."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _USUAL_PORTS.get(parts.scheme)
    found = []
    if port not in PORTS:
        detail = f"The webhook's address has port {port}."
        ports = ", ".join(map(str, PORTS))
        remedy = f"Chargebee posts to the ports {ports} only: set BASE_URL to an address on one."
        found.append(Check("port", is_sandbox, detail, remedy, warning=is_sandbox))
    if _is_private(host) and not is_sandbox:
        detail = f"The webhook's address is {host}, which only this network can reach."
        remedy = "Set BASE_URL to the public address of the service."
        found.append(Check("address_private", False, detail, remedy))
    if len(url) > LONGEST_URL:
        detail = f"The webhook's address has {len(url)} characters."
        remedy = f"Chargebee takes {LONGEST_URL}: set BASE_URL to a shorter address."
        found.append(Check("address_too_long", False, detail, remedy))
    return found


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def faults(row: Payload, wanted: Wanted, mend: str) -> list[Check]:
    """What is wrong with a webhook of ours. mend: what to do, in words."""
    found = [
        (
            "disabled", bool(row.get("disabled")),
            "The webhook is switched off: nothing arrives.",
        ),
        (
            "wrong_address", row.get("url") != wanted.url,
            f"The webhook posts to another address at {host_of(row)}, not to {wanted.url}.",
        ),
        (
            "api_version", row.get("api_version", "v2") != "v2",
            "The webhook sends API version 1, whose events are quarantined.",
        ),
        ("events_missing", bool(missing_events(row)), _missing(row)),
    ]  # fmt: skip
    checks = [Check(name, False, detail, mend) for name, is_wrong, detail in found if is_wrong]
    if wrong_schema(row):
        kind = row[SCHEMA_MEMBER]
        detail = (
            f"The webhook's schema type is {kind}, and not {SCHEMA_TYPE}: it is to be made anew."
        )
        checks.append(Check("schema_type", True, detail, mend, warning=True))
    if row.get("send_card_resource"):
        detail = "The webhook sends card data, which nothing here needs or keeps."
        checks.append(Check("card_data", True, detail, mend, warning=True))
    return checks


def address_of(row: Payload) -> SplitResult:
    """The parts of a webhook's address; all empty when it is none."""
    try:
        return urlsplit(str(row.get("url")))
    except ValueError:
        return urlsplit("")


def host_of(row: Payload) -> str:
    """Scheme, host and port of a webhook's address: the rest of it can be somebody's secret."""
    parts = address_of(row)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _missing(row: Payload) -> str:
    names = missing_events(row)
    more = f" and {len(names) - _SHOWN_EVENTS} more" if len(names) > _SHOWN_EVENTS else ""
    return f"The webhook leaves out {', '.join(names[:_SHOWN_EVENTS])}{more}."
