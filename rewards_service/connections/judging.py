"""What is wrong with a connected site, from what was seen of it (pure)."""

from datetime import timedelta

from rewards_service.chargebee.wire import Payload
from rewards_service.connections.checks import Check, Report
from rewards_service.connections.endpoint import (
    MOST_ENDPOINTS,
    SCHEMA_MEMBER,
    address_checks,
    faults,
    host_of,
)
from rewards_service.connections.mending import Seen
from rewards_service.connections.service import Target

# Answers tell whole seconds and are on their way for a while; polling overlaps by minutes.
MOST_CLOCK_AHEAD = timedelta(seconds=60)


def judge(target: Target, seen: Seen, is_sandbox: bool) -> Report:
    """What is wrong, and of the webhook also that nothing is."""
    mend = (
        f"Run: rewards connect repair --integration {target.public_id} (or POST "
        f"/api/v1/integrations/{target.public_id}/connect)."
    )
    well = Check("webhook", True, "Chargebee has the webhook as it should be.")
    checks = [
        *address_checks(target.wanted.url, is_sandbox),
        *(_webhook(target, seen, mend) or [well]),
        *_surroundings(target, seen),
    ]
    ours = {row.get("id") for row in seen.ours}
    return Report(checks, [_shown(row, row.get("id") in ours) for row in seen.rows])


def _webhook(target: Target, seen: Seen, mend: str) -> list[Check]:
    if not seen.ours:
        full = len(seen.rows) >= MOST_ENDPOINTS
        room = f" All {MOST_ENDPOINTS} that a site may have are taken: delete one first."
        detail = "No webhook of the site leads to this integration: nothing arrives."
        return [Check("endpoint_missing", False, detail, mend + (room if full else ""))]
    checks = faults(seen.ours[0], target.wanted, mend)
    if len(seen.ours) > 1:
        detail = f"{len(seen.ours)} webhooks lead to this integration: every event comes often."
        checks.append(Check("duplicate_endpoints", True, detail, mend, warning=True))
    if seen.undelivered:
        detail = (
            f"Chargebee could not deliver {seen.undelivered} or more events to the webhook since "
            "the last that came."
        )
        remedy = f"See that {host_of(seen.ours[0])} can be reached from the internet. Then: {mend}"
        checks.append(Check("undelivered", False, detail, remedy))
    if target.has_untold:
        detail = "A new webhook password was made, and Chargebee is not known to have it."
        checks.append(Check("password_untold", True, detail, mend, warning=True))
    return checks


def _surroundings(target: Target, seen: Seen) -> list[Check]:
    checks = []
    beside = [str(row.get("id")) for row in seen.rows if target.wanted.is_beside(row)]
    if beside:
        detail = f"Other webhooks lead to this service, too: {', '.join(beside)}."
        remedy = (
            "Delete those whose integration is no more in Chargebee (Settings, Configure "
            "Chargebee, Webhooks)."
        )
        checks.append(Check("stray_endpoints", True, detail, remedy, warning=True))
    ahead = seen.clock_ahead
    if ahead is not None and abs(ahead) > MOST_CLOCK_AHEAD:
        detail = f"This machine's clock differs from Chargebee's by {ahead.total_seconds():+.0f} s."
        remedy = "Let this machine follow a time server (NTP)."
        checks.append(Check("chargebee_clock", False, detail, remedy))
    return checks


def _shown(row: Payload, is_ours: bool) -> dict[str, object]:
    """A webhook as people may see it: the address of another one can be its owner's secret."""
    events = row.get("enabled_events")
    return {
        "id": row.get("id"), "name": row.get("name"), "is_ours": is_ours,
        "url": row.get("url") if is_ours else host_of(row),
        "api_version": row.get("api_version"), "disabled": row.get("disabled"),
        "schema_type": row.get(SCHEMA_MEMBER),
        "enabled_events": events if is_ours else None,
    }  # fmt: skip
