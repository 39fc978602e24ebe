"""Outbound webhooks: who is told of what happens, and how that goes."""

from dataclasses import replace
from typing import Any

import orjson
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rewards_service.admin import doing
from rewards_service.admin.activity import activity_of
from rewards_service.admin.lists import ListView
from rewards_service.admin.numbers import webhook_lists
from rewards_service.admin.numbers.webhook_forms import EVENT_GROUPS, EndpointForm, RotateForm
from rewards_service.admin.pages import Pages, actor, may, show
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, current_settings, path_key
from rewards_service.outbound import places, queries, service
from rewards_service.outbound.models import WebhookDelivery, WebhookEndpoint
from rewards_service.outbound.routes import show_deliveries, show_endpoints
from rewards_service.outbound.schemas import WebhookEndpointSchema

# Not below /webhooks/: what is there is for Chargebee, and knows no sessions.
blueprint = Pages("webhooks_pages", url_prefix="/webhook-endpoints")
WRITE = "webhooks:write"
ON = "yes"


@blueprint.page("", permission="webhooks:read")
def list_endpoints() -> ResponseReturnValue:
    """All endpoints, the newest first."""
    new = (("New endpoint", url_for("webhooks_pages.new_endpoint"), "plus"),) if may(WRITE) else ()
    return show("list.html", **replace(webhook_lists.ENDPOINTS, actions=new).values())


@blueprint.page("/new", permission=WRITE)
def new_endpoint() -> ResponseReturnValue:
    """The form for one."""
    return _form_page(EndpointForm(enabled=True))


@blueprint.page("/new", permission=WRITE, methods=("POST",))
def create_endpoint() -> ResponseReturnValue:
    """Have an address told of events; the secret is shown this once."""
    form, who = EndpointForm(), actor()

    def create() -> tuple[WebhookEndpoint, str]:
        keys = current_settings().encryption_keys
        return service.create_endpoint(current_session(), keys, _wanted(form), who)

    made = doing.carry_out(form, create)
    if made is None:
        return _form_page(form, 422)
    return _secret_page(*made, "Take the secret now")


@blueprint.page("/<endpoint_id>", permission="webhooks:read")
def show_endpoint(endpoint_id: str) -> ResponseReturnValue:
    """How it goes, and what was and is to be delivered."""
    return _endpoint_page(_found(endpoint_id))


@blueprint.page("/<endpoint_id>/edit", permission=WRITE)
def edit_endpoint(endpoint_id: str) -> ResponseReturnValue:
    """The form with what it is now."""
    endpoint = _found(endpoint_id)
    return _form_page(EndpointForm(obj=endpoint), endpoint=endpoint)


@blueprint.page("/<endpoint_id>/edit", permission=WRITE, methods=("POST",))
def change_endpoint(endpoint_id: str) -> ResponseReturnValue:
    """Change address, events, description; switch it off or on."""
    form, who, key = EndpointForm(), actor(), _found(endpoint_id).id
    if doing.carry_out(
        form, lambda: service.change_endpoint(current_session(), key, _wanted(form), who)
    ) is None:  # fmt: skip
        return _form_page(form, 422, endpoint=_found(endpoint_id))
    flash("The endpoint is changed.", "success")
    return _back(endpoint_id)


@blueprint.page("/<endpoint_id>/switch", permission=WRITE, methods=("POST",))
def switch_endpoint(endpoint_id: str) -> ResponseReturnValue:
    """On, or off: as the button said, however often it is pressed."""
    endpoint, turned = _found(endpoint_id), request.form.get("enabled")
    wanted = {"enabled": not endpoint.enabled if turned is None else turned == ON}
    said = "It is switched on: what waits is sent at once." if wanted["enabled"] else (
        "Nothing is sent to it until it is switched on again."
    )  # fmt: skip
    doing.attempt(
        lambda: service.change_endpoint(current_session(), endpoint.id, wanted, actor()), said,
        undo=(request.path, {"enabled": ON if endpoint.enabled else "no"}),
    )  # fmt: skip
    return _back(endpoint_id)


@blueprint.page("/<endpoint_id>/test", permission=WRITE, methods=("POST",))
def send_test(endpoint_id: str) -> ResponseReturnValue:
    """An event that means nothing."""
    key = _found(endpoint_id).id
    doing.attempt(
        lambda: service.send_test(current_session(), key, actor()),
        "A test event is on its way: it stands in the list below.",
    )
    return _back(endpoint_id)


@blueprint.page("/<endpoint_id>/rotate", permission=WRITE, methods=("POST",))
def rotate_secret(endpoint_id: str) -> ResponseReturnValue:
    """A new secret, shown this once."""
    form, key = RotateForm(), _found(endpoint_id).id
    made = doing.carry_out(form, lambda: service.rotate_secret(
        current_session(), current_settings().encryption_keys, key, form.grace_hours.data, actor()
    ))  # fmt: skip
    if made is None:
        return _endpoint_page(_found(endpoint_id), 422, form)
    return _secret_page(*made, "Take the new secret now", form.grace_hours.data)


@blueprint.page("/<endpoint_id>/delete", permission=WRITE, methods=("POST",))
def delete_endpoint(endpoint_id: str) -> ResponseReturnValue:
    """Tell it nothing any more."""
    key = _found(endpoint_id).id
    doing.attempt(
        lambda: service.delete_endpoint(current_session(), key, actor()), "The endpoint is deleted."
    )
    return redirect(url_for("webhooks_pages.list_endpoints"))


@blueprint.page("/<endpoint_id>/deliveries/<delivery_id>", permission="webhooks:read")
def show_delivery(endpoint_id: str, delivery_id: str) -> ResponseReturnValue:
    """One event, what was sent, and every answer."""
    endpoint = _found(endpoint_id)
    delivery = _delivery(endpoint, delivery_id)
    body = orjson.dumps(orjson.loads(delivery.body), option=orjson.OPT_INDENT_2).decode()
    return show(
        "webhooks/delivery.html", endpoint=endpoint, endpoint_id=endpoint_id, body=body,
        no_answers=webhook_lists.NO_ANSWERS,
        delivery=show_deliveries([delivery])[0], subject=webhook_lists.subject(delivery),
    )  # fmt: skip


@blueprint.page(
    "/<endpoint_id>/deliveries/<delivery_id>/resend", permission=WRITE, methods=("POST",)
)
def resend_delivery(endpoint_id: str, delivery_id: str) -> ResponseReturnValue:
    """Send it again, with the same id and body."""
    delivery = _delivery(_found(endpoint_id), delivery_id)
    doing.attempt(
        lambda: service.resend(current_session(), delivery.id, actor()),
        "It is sent again, with the same id and body.",
    )
    return _back(endpoint_id)


def _wanted(form: EndpointForm) -> dict[str, Any]:
    """What the form asks for; its address is looked up with nothing held meanwhile."""
    wanted = doing.read_as(WebhookEndpointSchema(), {
        "url": (form.url.data or "").strip(), "events": form.events.data,
    })  # fmt: skip
    wanted |= {"description": form.description.data or "", "enabled": form.enabled.data}
    current_session().rollback()
    return {**wanted, "url": places.check(current_settings(), wanted["url"])}


def _form_page(
    form: EndpointForm, status: int = 200, endpoint: WebhookEndpoint | None = None
) -> ResponseReturnValue:
    back = url_for("webhooks_pages.list_endpoints") if endpoint is None else _address(endpoint)
    return show(
        "webhooks/edit.html", status, form=form, groups=EVENT_GROUPS, endpoint=endpoint, back=back
    )


def _secret_page(
    endpoint: WebhookEndpoint, secret: str, title: str, grace_hours: int = 0
) -> ResponseReturnValue:
    return show(
        "webhooks/secret.html", 201, title=title, secret=secret, grace_hours=grace_hours,
        address=_address(endpoint),
    )  # fmt: skip


def _endpoint_page(
    endpoint: WebhookEndpoint, status: int = 200, rotate: RotateForm | None = None
) -> ResponseReturnValue:
    shown = show_endpoints([endpoint])[0]
    return show(
        "webhooks/endpoint.html", status, endpoint=shown, here=_address(endpoint),
        state=webhook_lists.state_of(endpoint), rotate=rotate or RotateForm(),
        warning=webhook_lists.warning_of(endpoint, current_settings().webhook_disable_after_days),
        activity=activity_of(current_session(), "webhook_endpoint", endpoint.id)
        if may("audit:read") else [],
        **_deliveries_of(endpoint).values(),
    )  # fmt: skip


def _deliveries_of(endpoint: WebhookEndpoint) -> ListView:
    def fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
        page = queries.list_deliveries(session, paging, {**chosen, "endpoint_id": endpoint.id})
        rows: list[WebhookDelivery] = [row[0] for row in page.rows]
        lines: Any = list(zip(rows, show_deliveries(rows), strict=True))
        return Page(lines, page.last)

    def link(line: Any) -> str:
        return f"{_address(endpoint)}/deliveries/{webhook_lists.public('whd', line[0].id)}"

    return replace(
        webhook_lists.DELIVERIES, fetch=fetch, link=link,
        export=f"/files{_address(endpoint)}/deliveries",
    )  # fmt: skip


def _found(endpoint_id: str) -> WebhookEndpoint:
    return queries.get_endpoint(current_session(), path_key("whe", endpoint_id))


def _delivery(endpoint: WebhookEndpoint, delivery_id: str) -> WebhookDelivery:
    found = queries.get_delivery(current_session(), path_key("whd", delivery_id))
    if found.endpoint_id != endpoint.id:
        raise NotFound("This endpoint has no such delivery.")
    return found


def _address(endpoint: WebhookEndpoint) -> str:
    return url_for(
        "webhooks_pages.show_endpoint", endpoint_id=webhook_lists.public("whe", endpoint.id)
    )


def _back(endpoint_id: str) -> ResponseReturnValue:
    return redirect(url_for("webhooks_pages.show_endpoint", endpoint_id=endpoint_id))
