"""Webhook endpoints: at most five, on the ports that Chargebee calls (pure)."""

from urllib.parse import urlsplit

from rewards_service.simulator.errors import ApiError, duplicate, wrong_value
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import Params

MOST = 5
PORTS = (80, 443, 8080, 8443)
SCHEMAS = ("items", "plans_addons", "compat")
_SECRETS = ("basic_auth_username", "basic_auth_password")
_USUAL_PORTS = {"http": 80, "https": 443}


def create(site: Site, params: Params, any_port: bool) -> Row:
    """Keep a new endpoint. any_port: also take addresses on ports that Chargebee would not."""
    rows = site.tables["webhook_endpoint"].rows
    alive = [row for row in rows.values() if not row.get("deleted")]
    if len(alive) >= MOST:
        raise ApiError(
            400, "resource_limit_exhausted", f"A site has at most {MOST} webhook endpoints."
        )
    row: Row = {
        "id": site.new_id("whv2"), "name": params.required("name", 50),
        "url": _address(params, any_port), "send_card_resource": False, "disabled": False,
        "primary_url": False, "api_version": "v2", "chargebee_response_schema_type": "items",
        "object": "webhook_endpoint",
    }  # fmt: skip
    if any(row["url"] == other["url"] for other in alive):
        raise duplicate("url", row["url"])
    _write(row, params)
    if (schema := params.choice("chargebee_response_schema_type", SCHEMAS)) is not None:
        row["chargebee_response_schema_type"] = schema  # chosen once: an update has no such field
    row["primary_url"] = row["primary_url"] or not alive
    return _keep_one_primary(site, site.add("webhook_endpoint", row))


def _keep_one_primary(site: Site, row: Row) -> Row:
    """The newest that was named the primary one is it."""
    for other in site.tables["webhook_endpoint"].rows.values() if row["primary_url"] else ():
        other["primary_url"] = other is row
    return row


def _address(params: Params, any_port: bool) -> str:
    url = params.required("url", 512)
    parts = urlsplit(url)
    try:
        port = parts.port or _USUAL_PORTS.get(parts.scheme)
    except ValueError:
        port = None
    if parts.scheme not in _USUAL_PORTS or not parts.hostname:
        raise wrong_value("url", "must be an http or https address")
    if port not in PORTS and not any_port:
        raise wrong_value("url", f"must use one of the ports {', '.join(map(str, PORTS))}")
    return url


def _write(row: Row, params: Params) -> None:
    for name in ("send_card_resource", "disabled", "primary_url"):
        if (flag := params.flag(name)) is not None:
            row[name] = flag
    if (version := params.choice("api_version", ("v1", "v2"))) is not None:
        row["api_version"] = version
    if (wanted := params.words("enabled_events")) is not None:
        row["enabled_events"] = [word for word in wanted if word]
    for name in _SECRETS:
        if (secret := params.text(name)) is not None:
            row[name] = secret


def update(site: Site, key: str, params: Params, any_port: bool) -> Row:
    row = site.find("webhook_endpoint", key)
    if params.has("name"):
        row["name"] = params.required("name", 50)
    if params.has("url"):
        row["url"] = _address(params, any_port)
    _write(row, params)
    site.touch("webhook_endpoint", row)
    return _keep_one_primary(site, row)


def delete(site: Site, key: str) -> Row:
    """The endpoint gets nothing more; calls that were planned for it are dropped."""
    row = site.find("webhook_endpoint", key)
    row["deleted"] = True
    site.outbox = {
        number: call for number, call in site.outbox.items() if call["endpoint_id"] != key
    }
    return row


def shown(row: Row) -> Row:
    """An endpoint as the API answers with it: its credentials are never told again."""
    return {name: value for name, value in row.items() if name not in (*_SECRETS, "deleted")}
