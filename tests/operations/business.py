"""The same small business for every installation: by commands and API, as a user sets it up."""

import json
from http.client import HTTPConnection
from typing import Any

from tests.builders.chargebee import Json, paid, refunded
from tests.operations.fleet import Fleet
from tests.operations.traffic import Made, basic, path_of

LEADS, PAYERS = 20, 25


def events(number: int, first: int = 0) -> list[Json]:
    """Payments and refunds of payers, most of whom are leads; the same for the same numbers."""
    found: list[Json] = []
    for n in range(first, first + number):
        payer = n % PAYERS
        if n % 3 == 2:
            found.append(refunded(f"r{n}", f"txn_{n - 1}", 2_500, 28))
        else:
            found.append(paid(f"{n}", f"cb_{payer}", f"p{payer}@one.example", 10_000, n % 28))
    return found


def lead(number: int, partner_id: str) -> Json:
    return {
        "email": f"p{number}@one.example", "partner_id": partner_id,
        "registered_at": "2025-01-01T00:00:00Z",
    }  # fmt: skip


def set_up(fleet: Fleet, ask: Any = None) -> Made:
    """The sandbox and a key, by the commands of a release."""
    ask = ask or fleet.ask
    made = ask("sandbox")
    key = ask("api-key", "create", "--name", "proof", "--scopes", "admin")
    login = basic(made["webhook_username"], made["webhook_password"])
    return Made(path_of(made["webhook_url"]), login, made["partner_id"], key["key"])


def add_leads(host: str, port: int, made: Made) -> None:
    """The leads, over the API of a running web process."""
    link = HTTPConnection(host, port, timeout=20)
    headers = {"Authorization": f"Bearer {made.key}", "Content-Type": "application/json"}
    for number in range(LEADS):
        body = json.dumps(lead(number, made.partner_id))
        link.request("POST", "/api/v1/leads", body, headers)
        answer = link.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise AssertionError(f"A lead was not made: {answer.status} {text!r}")
    link.close()
