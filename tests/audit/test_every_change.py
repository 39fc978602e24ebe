"""Whatever the API lets people change is in the audit log, with who did it."""

from typing import Any

from flask import Flask
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.audit.models import AuditEntry
from rewards_service.history.models import Backfill
from rewards_service.kit.clock import utc_now
from rewards_service.kit.web import V1
from rewards_service.settings import Settings
from tests.builders.api import Caller, Json
from tests.reports.books import Books, payment

CHANGING = {"POST", "PATCH", "PUT", "DELETE"}
# What answers a question in a body and changes nothing.
EXEMPT = {
    ("POST", "/payouts/export"),  # the file is kept with who asked for it: payout_exports
    ("POST", "/reward-rules/<rule_id>/preview"),
    # Need a Chargebee: see tests/connections.
    ("POST", "/integrations/<integration_id>/connect"),
    ("DELETE", "/integrations/<integration_id>/webhook"),
    # Brings what Chargebee says, as the clock does every five minutes; events name their source.
    ("POST", "/integrations/<integration_id>/poll"),
    ("POST", "/integrations/<integration_id>/reconcile"),  # the report says who asked for it
    ("POST", "/events/<event_id>/verify"),  # its entry is proved in tests/polling
}


class Watcher:
    """Calls the API, and sees to it that each call that changes something is written down."""

    def __init__(self, app: Flask, engine: Engine, api: Caller) -> None:
        self.api = api
        self._engine = engine
        self._urls = app.url_map.bind("localhost")
        self.seen: set[tuple[str, str]] = set()
        with Session(engine) as session:
            newest = select(ApiKey.id).order_by(ApiKey.id.desc()).limit(1)
            self._actor = f"key:{session.scalars(newest).one()}"

    def do(self, method: str, path: str, csv: str | None = None, **body: Any) -> Json:
        before = self._newest()
        json = None if method == "DELETE" or csv else body
        kind = "text/csv" if csv else None
        answer = self.api.call(method, path, json=json, data=csv, content_type=kind)
        assert answer.status_code in (200, 201, 202, 204), (method, path, answer.text)
        endpoint, _ = self._urls.match(V1 + path, method, return_rule=True)
        self.seen.add((method, endpoint.rule.removeprefix(V1)))
        with Session(self._engine) as session:
            actors = session.scalars(select(AuditEntry.actor).where(AuditEntry.id > before)).all()
        assert self._actor in actors, (method, path, actors)
        found: Json = answer.get_json(silent=True) or {}
        return found

    def id_of(self, path: str, **query: Any) -> str:
        found: str = self.api.get(path, **query)["data"][-1]["id"]
        return found

    def fetched(self) -> None:
        """Let backfills have come to their end."""
        with self._engine.begin() as connection:
            connection.execute(update(Backfill).values(fetched_at=utc_now()))

    def _newest(self) -> int:
        with Session(self._engine) as session:
            return session.scalar(select(func.max(AuditEntry.id))) or 0


def set_up(watch: Watcher) -> None:
    """Keys, integrations, programmes with levels and rules, partners."""
    key = watch.do("POST", "/api-keys", name="other", scopes=["crm:read"])["id"]
    watch.do("PATCH", f"/api-keys/{key}", name="another")
    watch.do("DELETE", f"/api-keys/{key}")
    site = watch.do("POST", "/integrations", site="other-test")["id"]
    watch.do("PATCH", f"/integrations/{site}", api_key="key")
    watch.do("POST", f"/integrations/{site}/test-event", wait_seconds=0)
    watch.do("POST", f"/integrations/{site}/backfill")
    watch.do("POST", f"/integrations/{site}/backfill/pause")
    watch.fetched()
    watch.do("POST", f"/integrations/{site}/backfill/rewards")
    watch.do("PATCH", f"/integrations/{site}", mode="off")
    watch.do("POST", f"/integrations/{site}/rotate-secret")
    watch.do("DELETE", f"/integrations/{site}")
    program = watch.do("POST", "/programs", name="Agencies", timezone="UTC")["id"]
    watch.do("PATCH", f"/programs/{program}", approval="auto")
    level = watch.do("POST", f"/programs/{program}/levels", name="Gold")["id"]
    watch.do("PATCH", f"/program-levels/{level}", name="Silver")
    watch.do("DELETE", f"/program-levels/{level}")
    rule = watch.do(
        "POST", "/reward-rules", program_id=program, name="R", kind="percent", rate="0.1"
    )["id"]
    watch.do("PATCH", f"/reward-rules/{rule}", rate="0.2")
    partner = watch.do("POST", "/partners", name="Ann", email="ann@p.example")["id"]
    watch.do("PATCH", f"/partners/{partner}", status="paused")
    watch.do("POST", "/exchange-rates", from_currency="USD", to_currency="EUR",
             rate_on="2026-01-01", rate="0.9", source="bank")  # fmt: skip
    schedule = watch.do("POST", "/payout-schedules", kind="monthly")["id"]
    watch.do("PATCH", f"/payout-schedules/{schedule}", day=5)
    watch.do("DELETE", f"/payout-schedules/{schedule}")
    export = watch.do("POST", "/exports", resource="partners", format="csv")["id"]
    watch.do("DELETE", f"/exports/{export}")
    told = watch.do("POST", "/webhook-endpoints", url="https://8.8.8.8/", events=["*"])["id"]
    watch.do("PATCH", f"/webhook-endpoints/{told}", events=["payout.paid"])
    watch.do("POST", f"/webhook-endpoints/{told}/rotate-secret")
    watch.do("POST", f"/webhook-endpoints/{told}/test")
    delivery = watch.id_of(f"/webhook-endpoints/{told}/deliveries")
    for place in ("", "/webhook-endpoints"):
        watch.do("POST", f"{place}/deliveries/{delivery}/resend")
    watch.do("DELETE", f"/webhook-endpoints/{told}")


def sell(watch: Watcher, books: Books) -> None:
    """Leads, deals and customers; payments attached, replayed, in conflict and given away."""
    partner = watch.id_of("/partners", status="active", sort="id")
    other = watch.do("POST", "/partners", name="Bob", email="bob@p.example")["id"]
    lead = watch.do("POST", "/leads", email="x@y.example", partner_id=partner, status="accepted")
    watch.do("PATCH", f"/leads/{lead['id']}", status="pending")
    watch.do("POST", "/leads/import", "email\nimported@y.example\n")
    watch.do("POST", "/deals/import", "name\nImported\n")
    deal = watch.do("POST", "/deals", name="D", contact_email="z@y.example", stage="open")["id"]
    watch.do("PATCH", f"/deals/{deal}", stage="won")
    customer = watch.do("POST", "/customers", name="C")["id"]
    watch.do("PATCH", f"/customers/{customer}", source_partner_id=other, reason="theirs")
    books.play([payment(20, email="lost@y.example", customer="c20")])
    event = watch.id_of("/events", event_id="ev_pay20")
    watch.do("POST", f"/events/{event}/replay")
    watch.do("POST", f"/events/{event}/attach", lead_id=lead["id"], reason="called us")
    conflict = watch.id_of("/conflicts")
    watch.do("POST", f"/conflicts/{conflict}/resolve", decision="keep", reason="first")


def review(watch: Watcher) -> None:
    """Rewards moved one by one and many at once, and adjusted."""
    rewards = [one["id"] for one in watch.api.get("/rewards", limit=200)["data"]]
    one, two, three, four = rewards[:4]
    watch.do("POST", f"/rewards/{one}/hold", reason="doubt")
    watch.do("POST", f"/rewards/{one}/release")
    watch.do("POST", f"/rewards/{one}/adjust", amount_minor=5, reason="goodwill")
    watch.do("POST", f"/rewards/{one}/approve")
    watch.do("POST", f"/rewards/{four}/decline", reason="fraud")
    watch.do("POST", "/rewards/bulk", ids=[two, three], action="approve", reason="fine")


def pay(watch: Watcher) -> None:
    """A payout paid, one cancelled, one that waits for a rate."""
    wanted = {"currency": "USD", "cut_off": "2026-11-01"}
    first = watch.do("POST", "/payouts", **wanted)["data"][0]
    watch.do("POST", f"/payouts/{first['id']}/cancel", reason="too early")
    watch.do("PATCH", f"/partners/{first['partner_id']}", payout_currency="JPY")
    second = watch.do("POST", "/payouts", **wanted)["data"][0]["id"]
    watch.do("POST", "/exchange-rates", from_currency="USD", to_currency="JPY",
             rate_on="2026-11-01", rate="150", source="bank")  # fmt: skip
    watch.do("POST", f"/payouts/{second}/refresh-rate")
    watch.do("POST", f"/payouts/{second}/submit")
    watch.do("POST", f"/payouts/{second}/invoice", invoice_number="7")
    watch.do("POST", f"/payouts/{second}/accept")
    watch.do("POST", f"/payouts/{second}/mark-paid", paid_on="2026-11-02", reference="r")


class TestEveryChange:
    def test_adds_an_entry_with_the_caller_as_actor(
        self, app: Flask, engine: Engine, settings: Settings, api: Caller
    ) -> None:
        """reliability I17: every change by a person has its row in the audit log."""
        books = Books(engine, settings)
        first, second = books.add_partner("First"), books.add_partner("Second")
        books.add_lead(first, "ada@customer-one.example")
        books.add_lead(second, "ada@customer-one.example")
        watch = Watcher(app, engine, api)
        books.add_lead(first, "bob@two.example")
        books.play([payment(1)])
        books.play([payment(n, email="bob@two.example", customer="c2") for n in range(2, 8)])
        set_up(watch)
        sell(watch, books)
        review(watch)
        pay(watch)
        books.close()

        assert changing(app) - watch.seen - EXEMPT == set()


def changing(app: Flask) -> set[tuple[str, str]]:
    """(method, rule) of all operations that may change something."""
    return {
        (method, rule.rule.removeprefix(V1))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(f"{V1}/")
        for method in (rule.methods or set()) & CHANGING
    }
