"""What every page has: navigation, icons, theme, and money, numbers and times as people read."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_currency, format_decimal
from flask import Blueprint, Flask, current_app, g, request, url_for
from markupsafe import Markup

from rewards_service.accounts import permissions
from rewards_service.admin.pages import may, permission_of, role
from rewards_service.kit.clock import rfc3339
from rewards_service.kit.money import exponent

PLACE = Path(__file__).resolve().parent
ICONS = PLACE / "static/vendor/icons/icons/outline"
THEMES = ("system", "light", "dark")
THEME_COOKIE = "theme"
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
assets = Blueprint(
    "admin",
    __name__,
    static_folder="static",
    static_url_path="/static",
    template_folder="templates",
)


class Item(NamedTuple):
    """One line of the navigation; shown when its page exists and may be opened."""

    title: str
    endpoint: str
    icon: str


# Headline -> its lines. A page that does not exist yet may stand here: it is left out.
NAVIGATION: tuple[tuple[str | None, tuple[Item, ...]], ...] = (
    (None, (
        Item("Overview", "overview.show_overview", "home"),
        Item("Rewards", "rewards_pages.list_rewards", "coin"),
        Item("Payouts", "payouts_pages.list_payouts", "cash"),
    )),
    ("Business", (
        Item("Partners", "partners_pages.list_partners", "users"),
        Item("Programmes", "programs_pages.list_programs", "stack-2"),
        Item("Leads", "leads_pages.list_leads", "address-book"),
        Item("Deals", "deals_pages.list_deals", "briefcase"),
        Item("Customers", "customers_pages.list_customers", "building-store"),
        Item("Transactions", "transactions_pages.list_transactions", "receipt"),
        Item("Reports", "reports_pages.list_reports", "chart-bar"),
    )),
    ("Manage", (
        Item("Set-up", "setup.show_setup", "rocket"),
        Item("Integrations", "integrations_pages.list_integrations", "plug"),
        Item("Events", "events_pages.list_events", "webhook"),
        Item("Unmatched", "unmatched_pages.list_unmatched", "link-off"),
        Item("Queue", "queue_pages.show_queue", "bolt"),
        Item("Audit log", "audit_pages.list_entries", "history"),
        Item("API keys", "keys_pages.list_keys", "key"),
        Item("Webhooks", "webhooks_pages.list_endpoints", "send"),
        Item("Users", "users.list_users", "user-plus"),
        Item("Settings", "settings_pages.show_settings", "settings"),
    )),
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Give every template what the layout needs."""
    app.register_blueprint(assets)
    app.jinja_env.globals.update(
        icon=icon, asset=asset, may=may, theme=theme, navigation=navigation, roles=permissions,
        address_of=address_of,
        locale=lambda: str(locale()).replace("_", "-"),
    )  # fmt: skip
    app.jinja_env.filters.update(
        money=money,
        number=number,
        moment=moment,
        day=day,
        month=month,
        wait=waited,
        json_of=_json_of,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def navigation() -> list[tuple[str | None, list[tuple[Item, str, bool]]]]:
    """The lines this person may open: with the address, and whether it is where they are."""
    here = (request.endpoint or "").partition(".")[0]
    found = []
    for headline, items in NAVIGATION:
        lines = [
            (item, url_for(item.endpoint), item.endpoint.partition(".")[0] == here)
            for item in items
            if opens(item.endpoint)
        ]
        if lines:
            found.append((headline, lines))
    return found


def opens(endpoint: str) -> bool:
    """Whether this page exists and this person may open it."""
    if endpoint not in current_app.view_functions:
        return False
    wanted = permission_of(endpoint)
    return wanted is not None and permissions.may(role(), wanted)


def address_of(endpoint: str | None) -> str | None:
    """Where a page is; None while there is none, or where this person may not open it."""
    return url_for(endpoint) if endpoint and opens(endpoint) else None


def theme() -> str:
    """What the person chose: system, light or dark."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]


@cache
def icon(name: str, label: str | None = None) -> Markup:
    """An icon of static/vendor/icons; without a label it is for the eye only."""
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(f"No icon has the name {name!r}.")
    body = (ICONS / f"{name}.svg").read_text()
    told = Markup('role="img" aria-label="{}"').format(label) if label else 'aria-hidden="true"'
    inside = body.replace("<svg", f'<svg {told} focusable="false"', 1)
    return Markup(" ".join(inside.split()))  # noqa: S704 - files of ours


@cache
def asset(name: str) -> str:
    """The address of a file in static/, which changes with its contents."""
    mark = sha256((PLACE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"


def locale() -> Locale:
    """The person's, as the browser says it; English in doubt. The words are English always."""
    if "locale" not in g:
        g.locale = _locale([tag for tag, _ in request.accept_languages])
    found: Locale = g.locale
    return found


def _locale(tags: Sequence[str]) -> Locale:
    for tag in tags[:5]:
        if not _TAG.fullmatch(tag):  # of which browsers' scripts would make nothing
            continue
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


def money(amount_minor: int, currency: str) -> str:
    """`1240050, "EUR"` as €12,400.50 where English is read, 12.400,50 € where German is."""
    value = Decimal(amount_minor).scaleb(-exponent(currency))
    # As many digits as there are: ISO 4217 has more of them than is usual in some places.
    return format_currency(value, currency, locale=locale(), decimal_quantization=False)


def number(value: int) -> str:
    return format_decimal(value, locale=locale())


def moment(at: datetime | None) -> Markup | str:
    """A time: in UTC as it comes, in the person's zone once scripts run, with UTC in the title."""
    if at is None:
        return "never"
    utc = f"{format_datetime(at, 'yyyy-MM-dd HH:mm:ss', locale=locale())} UTC"
    shown = f"{format_datetime(at, 'medium', locale=locale())} UTC"
    text = Markup('<time datetime="{}" title="{}" data-moment>{}</time>')
    return text.format(rfc3339(at), utc, shown)


def day(on: Any) -> str:
    return format_date(on, "medium", locale=locale())


def month(on: Any) -> str:
    """`2026-11-01` as "Nov 2026"."""
    return format_skeleton("yMMM", on, locale=locale())


def waited(seconds: int | float | None) -> str:
    """`4000` as "1 h": one unit is enough to see how bad it is."""
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def _json_of(value: Any) -> str:
    """For an attribute that a script reads: escaped by the template like any text."""
    return str(current_app.json.dumps(value))
