"""Outbound webhooks as pages."""

import re

import pytest
from sqlalchemy import Engine, select

from rewards_service.admin.numbers import webhook_lists
from rewards_service.admin.numbers.webhook_forms import _WORDS
from rewards_service.kit import outward
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.outbound.event_types import ALL, EVENT_TYPES
from rewards_service.outbound.models import (
    DISABLED_REASONS,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.admin.visitor import Visitor

URL = "https://93.184.216.34/hooks"


def create(owner: Visitor, description: str = "") -> tuple[str, str]:
    """The page of a new endpoint, and its secret."""
    answer = owner.post(
        "/webhook-endpoints/new", url=URL, events=["*"], enabled="y", description=description
    )
    place = re.search(r'href="(/webhook-endpoints/whe_\w+)"', answer.text)
    secret = re.search(r'id="secret" value="(whsec_[^"]+)"', answer.text)
    assert (answer.status_code, place is not None, secret is not None) == (201, True, True)
    assert place is not None
    assert secret is not None
    return place.group(1), secret.group(1)


class TestEndpoints:
    def test_its_secret_is_shown_once_and_a_new_one_once(self, owner: Visitor) -> None:
        place, secret = create(owner, description="<i>ERP</i>")
        rotated = owner.post(f"{place}/rotate", grace_hours="2")
        pages = [owner.get(path).text for path in ("/webhook-endpoints", place, f"{place}/edit")]

        assert "whsec_" in rotated.text
        assert secret not in rotated.text
        assert "For 2 hours both" in rotated.text
        assert not any("whsec_" in page for page in pages)
        assert "&lt;i&gt;ERP" in pages[1]

    def test_a_test_event_is_listed_shown_and_sent_again(
        self, owner: Visitor, engine: Engine
    ) -> None:
        place, _ = create(owner)
        owner.post(f"{place}/test")
        page = owner.get(place).text
        link = re.search(rf'href="({place}/deliveries/whd_\w+)"', page)
        assert link is not None
        one = owner.get(link.group(1)).text
        again = owner.post(f"{link.group(1)}/resend")

        assert "webhook.test" in page
        assert "not tried yet" in page
        assert "What is sent" in one
        assert again.status_code == 302
        with transaction(engine) as session:
            assert len(session.scalars(select(WebhookDelivery)).all()) == 1

    def test_why_nothing_arrives_is_said_in_words(self, owner: Visitor, engine: Engine) -> None:
        place, _ = create(owner)
        owner.post(f"{place}/test")
        with transaction(engine) as session:
            endpoint = session.scalars(select(WebhookEndpoint)).one()
            endpoint.failing_since_at = utc_now()
            delivery = session.scalars(select(WebhookDelivery)).one()
            session.add(WebhookAttempt(
                delivery_id=delivery.id, number=1, at=utc_now(), duration_ms=7,
                error=outward.UNRESOLVED, detail="Its host has no address right now.",
            ))  # fmt: skip
        page = owner.get(place).text
        link = re.search(rf'href="({place}/deliveries/whd_\w+)"', page)
        assert link is not None
        one = owner.get(link.group(1)).text

        assert re.search("Every try since <time[^>]+>[^<]+</time> failed", page)
        assert "failing_since" not in page
        assert "host not found" in page
        assert "1. no answer: host not found in 7 ms" in one

    def test_every_reason_has_its_words(self) -> None:
        assert set(webhook_lists.NO_ANSWERS) == set(outward.NO_ANSWERS)
        assert {*DISABLED_REASONS, None} == set(webhook_lists._WARNINGS)

    def test_it_is_switched_off_and_on_changed_and_deleted(
        self, owner: Visitor, engine: Engine
    ) -> None:
        place, _ = create(owner)
        for _ in range(2):  # pressed twice, it does not switch it on again
            owner.post(f"{place}/switch", enabled="no")
        off = owner.get(place).text
        refused = owner.post(f"{place}/test")
        owner.post(f"{place}/edit", url=URL, events=["reward.paid"], enabled="y", description="x")
        with transaction(engine) as session:
            kept = session.scalars(select(WebhookEndpoint)).one()
            assert (kept.events, kept.enabled, kept.description) == (["reward.paid"], True, "x")
        owner.post(f"{place}/delete")

        assert "switched off" in off
        assert 'class="undo"' in off
        assert refused.status_code == 302
        assert owner.get(place).status_code == 404
        assert "Nobody is told yet" in owner.get("/webhook-endpoints").text

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1/x", "ftp://example.com", "https://10.0.0.1/"]
    )
    def test_an_address_that_is_not_called_is_refused_at_its_field(
        self, owner: Visitor, engine: Engine, url: str
    ) -> None:
        page = owner.post("/webhook-endpoints/new", url=url, events=["*"])

        assert page.status_code == 422
        assert 'id="url-error"' in page.text
        assert f'value="{url}"' in page.text
        with transaction(engine) as session:
            assert session.scalars(select(WebhookEndpoint)).all() == []

    def test_every_event_is_explained(self) -> None:
        assert set(_WORDS) == {ALL, *EVENT_TYPES}
