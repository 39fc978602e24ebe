"""Look at the webhooks of a site, and put ours right: requests to Chargebee, nothing else.

Each step leaves something that the next look understands: whatever breaks off half-way is taken up
by doing it again, and never ends with two webhooks.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from rewards_service.chargebee.errors import ChargebeeError, NotThere
from rewards_service.chargebee.forms import Filter, one_of
from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.wire import Payload
from rewards_service.connections.endpoint import (
    MOST_ENDPOINTS,
    SCHEMA_MEMBER,
    Wanted,
    best_first,
    wrong_schema,
)
from rewards_service.connections.service import Target
from rewards_service.integrations.service import Credentials
from rewards_service.kit.errors import Conflict

UNDELIVERED = ("failed", "re_scheduled")


class WebhookLimit(Conflict):
    code = "webhook_limit"
    title = "The Chargebee site has all the webhooks it may have."


class Seen(NamedTuple):
    """What Chargebee has: every webhook of the site, ours with the one to keep first."""

    rows: list[Payload]
    ours: list[Payload]
    undelivered: int  # events that ours did not take since it took one for the last time
    clock_ahead: timedelta | None

    @property
    def must_be_made(self) -> bool:
        return not self.ours or wrong_schema(self.ours[0])

    def needs_password(self, target: Target) -> bool:
        """Whether the webhook to keep may have another password than we know, or none."""
        is_known = bool(self.ours) and self.ours[0].get("id") == target.endpoint_id
        doubtful = target.has_untold or self.undelivered > 0
        return self.must_be_made or doubtful or not is_known


def look(site: Chargebee, target: Target, deliveries: bool = True) -> Seen:
    """Raises ChargebeeError and the other errors of `kit.http_errors`."""
    rows = _rows(site, target.endpoint_id)
    here = [row for row in rows if target.wanted.leads_here(row)]
    ours = best_first(here, target.endpoint_id)
    if not ours:  # somebody gave it another address
        ours = [row for row in rows if row.get("id") == target.endpoint_id]
    undelivered = _undelivered(site, target, ours) if deliveries and ours else 0
    return Seen(rows, ours, undelivered, site.clock_ahead)


def _rows(site: Chargebee, known_id: str | None) -> list[Payload]:
    """What the list says; that may be minutes late, so the one we know is asked for by its id."""
    rows = list(site.webhook_endpoints.each())
    if known_id is not None and all(row.get("id") != known_id for row in rows):
        with suppress(NotThere):
            rows.append(site.webhook_endpoints.retrieve(known_id))
    return rows


def _undelivered(site: Chargebee, target: Target, ours: list[Payload]) -> int:
    """By the first page: whether there are any matters more than how many."""
    where = [one_of("webhook_status", UNDELIVERED)]
    if target.heard_at is not None:
        where.append(Filter("occurred_at", "after", target.heard_at))
    keys = {row.get("id") for row in ours}
    events = next(site.events.pages(where)).rows
    return sum(any(_failed(call, keys) for call in event.get("webhooks") or ()) for event in events)


def _failed(call: Any, keys: set[Any]) -> bool:
    return (
        isinstance(call, dict)
        and call.get("id") in keys
        and call.get("webhook_status") in UNDELIVERED
    )


def check_room(seen: Seen) -> None:
    """Raises WebhookLimit when a webhook is to be made and there is no place for it."""
    if not seen.ours and len(seen.rows) >= MOST_ENDPOINTS:
        raise WebhookLimit(
            f"Chargebee allows {MOST_ENDPOINTS} webhooks for a site, and none of them is this "
            "service's. Delete one that nobody needs (Settings, Configure Chargebee, Webhooks)."
        )


def mend(
    site: Chargebee, wanted: Wanted, seen: Seen, credentials: Credentials | None
) -> tuple[str, list[str]]:
    """Make, correct and tidy up; the id of the one webhook, and what was done, in words.

    credentials: to be told; a webhook that has to be made needs them. Raises as `look`.
    """
    done: list[str] = []
    login = {} if credentials is None else _login(credentials)
    if seen.must_be_made:
        kept, others = _made(site, wanted, seen, login, done), seen.ours
        login = {}
    else:
        kept, others = seen.ours[0], seen.ours[1:]
    for row in others:
        _remove(site, row, done)
    changes = {**wanted.corrections(kept), **login}
    if changes:
        site.webhook_endpoints.update(str(kept["id"]), changes)
        done += [f"changed {name}" for name in sorted(changes)]
    return str(kept["id"]), done


def _made(
    site: Chargebee, wanted: Wanted, seen: Seen, login: dict[str, str], done: list[str]
) -> Payload:
    """A new webhook, before the one it takes the place of is deleted: no event falls between.

    Until then it has an address of its own, because two of one address may be refused.
    """
    fields = {**wanted.fields(), **login}
    if seen.ours and len(seen.rows) < MOST_ENDPOINTS:
        fields["url"] = f"{wanted.url}?replaces={seen.ours[0]['id']}"
    for row in seen.ours if len(seen.rows) >= MOST_ENDPOINTS else ():
        _remove(site, row, done)
    made = _create(site, fields)
    done.append(f"made {made.get('id')}")
    return made


def _create(site: Chargebee, fields: dict[str, Any]) -> Payload:
    """A site of one catalogue only need not take a schema type: it has but one."""
    try:
        return site.webhook_endpoints.create(fields)
    except ChargebeeError as error:
        if error.parameter != SCHEMA_MEMBER:
            raise
    others = {name: value for name, value in fields.items() if name != SCHEMA_MEMBER}
    return site.webhook_endpoints.create(others)


def remove(site: Chargebee, seen: Seen) -> list[str]:
    """Delete every webhook of ours; their ids."""
    for row in seen.ours:
        _remove(site, row, [])
    return [str(row["id"]) for row in seen.ours]


def _remove(site: Chargebee, row: Payload, done: list[str]) -> None:
    with suppress(NotThere):
        site.webhook_endpoints.delete(str(row["id"]))
        done.append(f"deleted {row['id']}")


def _login(credentials: Credentials) -> dict[str, str]:
    return {
        "basic_auth_username": credentials.username,
        "basic_auth_password": credentials.password,
    }
