"""A caller of /api/v1 with a key, and bodies that each resource accepts."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from rewards_service.accounts.service import create_key
from rewards_service.kit import ids
from rewards_service.kit.db import db, transaction
from rewards_service.settings import Settings
from tests.openapi.conformance import check

Json = dict[str, Any]
PREFIX = "/api/v1"
PROBLEM = "application/problem+json"


class Caller:
    """Calls the API of an application with one key."""

    def __init__(self, app: Flask, settings: Settings, scopes: Sequence[str] = ("admin",)) -> None:
        self._app, self._settings = app, settings
        self.client = app.test_client()
        self.key = self.make_key(scopes)

    def make_key(self, scopes: Sequence[str], partner: str | None = None) -> str:
        """The text of a fresh key with these scopes, bound to a partner if one is named."""
        partner_id = None if partner is None else ids.decode("par", partner)
        with self._app.app_context(), transaction(db.engine) as session:
            _, text = create_key(
                session, "test", scopes, secret_key=self._settings.secret_key, actor="test",
                partner_id=partner_id,
            )  # fmt: skip
        return text

    def call(self, method: str, path: str, key: str | None = None, **kwargs: Any) -> TestResponse:
        """Call a path below /api/v1, with `key` or the caller's own; a change takes it as it is."""
        headers = {"Authorization": f"Bearer {key or self.key}", **kwargs.pop("headers", {})}
        if method == "PATCH":
            headers.setdefault("If-Match", "*")
        answer = self.client.open(PREFIX + path, method=method, headers=headers, **kwargs)
        check(answer)
        return answer

    def get(self, path: str, /, **query: Any) -> Json:
        answer = self.call("GET", path, query_string=query)
        assert answer.status_code == 200, answer.text
        found: Json = answer.get_json()
        return found

    def create(self, path: str, /, **body: Any) -> Json:
        answer = self.call("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        found: Json = answer.get_json()
        return found

    def change(self, path: str, /, **body: Any) -> Json:
        answer = self.call("PATCH", path, json=body)
        assert answer.status_code == 200, answer.text
        found: Json = answer.get_json()
        return found

    def refused(self, method: str, path: str, status: int, /, **body: Any) -> Json:
        """The problem that a call is refused with."""
        answer = self.call(method, path, json=body)
        assert (answer.status_code, answer.mimetype) == (status, PROBLEM), answer.text
        found: Json = answer.get_json()
        return found

    def pointers(self, method: str, path: str, /, **body: Any) -> list[str]:
        """Which members a call is refused for, with 422."""
        return sorted(
            error["pointer"] for error in self.refused(method, path, 422, **body)["errors"]
        )


def operations(app: Flask) -> Iterator[tuple[str, str, str | None]]:
    """(method, path with an id that does not exist, scope) of every operation below /api/v1."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(f"{PREFIX}/"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                path = re.sub(r"<[^>]+>", "none", rule.rule).removeprefix(PREFIX)
                yield method, path, getattr(app.view_functions[rule.endpoint], "scope", None)


def sample_bodies(api: Caller) -> dict[str, Json]:
    """For each collection that can be written to, a body it accepts (once)."""
    program = api.create("/programs", name="Partners")["id"]
    level = api.create(f"/programs/{program}/levels", name="Gold")["id"]
    partner = api.create("/partners", name="Ann", email="ann@partner.example")["id"]
    return {
        "/integrations": {
            "kind": "chargebee", "site": "sample-test", "name": "Sample", "mode": "live",
            "api_key": "live_x", "requests_per_minute": 150,
            "options": {"convert_lead": True, "conflict": "hold"},
        },
        "/programs": {
            "name": "Agencies", "timezone": "Europe/Berlin", "description": "For all",
            "approval": "auto", "inactive_partners": "skip",
        },
        "/reward-rules": {
            "program_id": program, "name": "20 %", "kind": "percent", "rate": "0.20",
            "amounts": None, "base": "net", "rounding": "half_even", "hold_days": 30,
            "effective_from": "2026-01-01", "level_id": level, "first_months": 12,
            "caps": [{"scope": "partner", "window": "month", "amounts": {"USD": 1}}],
        },
        "/partners": {
            "name": "Bob", "email": "bob@partner.example", "status": "active",
            "enrolments": [{"program_id": program, "level_id": level, "from_on": "2026-01-01"}],
            "payout_currency": "USD", "external_id": "p-1",
            "payout_details": {"iban": "DE89370400440532013000", "account_name": "Bob"},
        },
        "/leads": {
            "email": "eve@buyer.example", "first_name": "Eve", "last_name": "B", "company": "C",
            "status": "accepted", "partner_id": partner, "registered_at": "2026-01-01T00:00:00Z",
            "external_id": "l-1",
        },
        "/deals": {
            "name": "Deal", "contact_email": "eve@buyer.example", "amount_minor": 100,
            "currency": "USD", "stage": "open", "partner_id": partner,
            "shares": [{"partner_id": partner, "basis_points": 10000}],
            "registered_at": "2026-01-01T00:00:00Z", "external_id": "d-1",
        },
        "/customers": {
            "name": "Customer", "email": "eve@buyer.example", "source_partner_id": partner,
        },
        "/payout-schedules": {
            "kind": "monthly", "day": 1, "program_id": program, "thresholds": {"USD": 5_000},
            "enabled": True,
        },
        "/exchange-rates": {
            "from_currency": "USD", "to_currency": "EUR", "rate_on": "2026-01-01",
            "rate": "0.92", "source": "ECB",
        },
        "/webhook-endpoints": {
            "url": "https://8.8.8.8/hooks", "events": ["reward.paid"], "description": "Books",
            "enabled": True,
        },
        "/api-keys": {"name": "key", "scopes": ["crm:read"], "expires_at": "2150-01-01T00:00:00Z"},
    }  # fmt: skip
