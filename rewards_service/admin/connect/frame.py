"""The pages of one connected site: what stands above all of them, and their tabs."""

from typing import Any

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from rewards_service.admin.connect.standing import findings, standing
from rewards_service.admin.layout import opens
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.connections.upkeep import Upkeep
from rewards_service.integrations.routes import shown
from rewards_service.integrations.service import get_integration
from rewards_service.kit import ids
from rewards_service.kit.db import db
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.web import current_session, current_settings, path_key

NAME = "integrations_pages"
READ, WRITE = "integrations:read", "integrations:write"
ONE = "/<integration_id>"
EVENTS = "events_pages.list_events"
TABS = (
    ("Settings", "show_integration"), ("Webhook", "show_webhook"), ("Health", "show_health"),
    ("Properties", "show_properties"), ("API key", "show_api_key"),
    ("Gap-filling", "show_polling"), ("History", "show_history"),
    ("Reconciliation", "list_reconciliations"),
)  # fmt: skip
blueprint = Pages(NAME, url_prefix="/integrations")


def key_of(integration_id: str) -> int:
    """Raises NotFound."""
    return path_key("int", integration_id)


def frame(integration_id: str, tab: str) -> dict[str, Any]:
    """What every page of a site needs: `row`, `one` as the API shows it, tabs. Raises NotFound."""
    row = get_integration(current_session(), key_of(integration_id))
    one = shown([row])[0]
    public_id = ids.encode("int", row.id)
    tabs = [
        (title, url_for(f"{NAME}.{name}", integration_id=public_id), name == tab)
        for title, name in TABS
    ]
    events_url = url_for(EVENTS, integration_id=public_id) if opens(EVENTS) else None
    if events_url:
        tabs.append(("Events", events_url, False))
    return {
        "row": row, "one": one, "public_id": public_id, "tabs": tabs, "standing": standing(one),
        "findings": findings(one), "events_url": events_url,
        "to": lambda name, **more: address(name, public_id, **more),
    }  # fmt: skip


def show_tab(
    template: str, integration_id: str, tab: str, status: int = 200, **values: Any
) -> ResponseReturnValue:
    """A page of a site, from `templates/admin/connect`."""
    return show(f"connect/{template}", status, **frame(integration_id, tab), **values)


def address(name: str, integration_id: str, **more: Any) -> str:
    """Where a page of a site is."""
    return url_for(f"{NAME}.{name}", integration_id=integration_id, **more)


def back_to(name: str, integration_id: str, **more: Any) -> ResponseReturnValue:
    return redirect(address(name, integration_id, **more))


def hold_nothing() -> None:
    """End the transaction of this request: none may be open while Chargebee is asked.

    What comes after begins another one as the request began.
    """
    current_session().rollback()
    g.pop("session")


def upkeep() -> Upkeep:
    """Who looks after webhooks in the name of who is asking; what was read before ends here."""
    found = Upkeep(current_settings(), db.engine, actor())
    hold_nothing()
    return found


def refuse(error: RewardsError) -> None:
    """Tell on the next page why something was not done, also what Chargebee refused."""
    current_session().rollback()
    flash(error.detail, "danger")


def unless_gone(error: RewardsError, tab: str, integration_id: str) -> ResponseReturnValue:
    """Tell what was refused, by us or Chargebee; not that there is no such site."""
    get_integration(current_session(), key_of(integration_id))
    refuse(error)
    return back_to(tab, integration_id)
