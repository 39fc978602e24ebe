"""Years of paid invoices at once, without events: what a backfill has to fetch (pure)."""

from rewards_service.simulator.billing import one_time
from rewards_service.simulator.payments import pay
from rewards_service.simulator.people_verbs import stock
from rewards_service.simulator.play import email_of
from rewards_service.simulator.site import Site
from rewards_service.simulator.verbs import say
from rewards_service.simulator.wire import Params

PER_CUSTOMER = 10
_BETWEEN_MS = 60_000


def make_history(site: Site, invoices: int) -> None:
    """So many invoices, a minute apart, ten for each customer, each paid by card.

    The clock ends where it stood unless there is not enough time before it: then later. Some
    records get no `updated_at`, as those have that Chargebee last changed before 2016.
    """
    until_ms = site.now_ms
    site.now_ms = max(site.now_ms - invoices * _BETWEEN_MS, 1_262_304_000_000)
    site.unrecorded = True
    try:
        stock(site, Params())
        for number in range(invoices):
            if number % PER_CUSTOMER == 0:
                email = email_of(number // PER_CUSTOMER + 1)
                customer = say(site, "sign_up", email=email)["customer_id"]
            _paid_invoice(site, customer, 1_000 + number % 90_000)
            site.move_to(site.now_ms + _BETWEEN_MS)
        _age(site)
    finally:
        site.unrecorded = False
        site.move_to(until_ms)


def _paid_invoice(site: Site, customer: str, amount: int) -> None:
    charges = {"amount": {"0": str(amount)}, "description": {"0": "Work"}}
    given = {"customer_id": customer, "auto_collection": "off", "charges": charges}
    pay(site, one_time(site, Params(given)))


def _age(site: Site) -> None:
    """Every twentieth invoice and its payment is without `updated_at` and `resource_version`."""
    for number, invoice in enumerate(site.tables["invoice"].rows.values()):
        if number % 20 == 0:
            payment = site.find("transaction", invoice["linked_payments"][0]["txn_id"])
            for row in (invoice, payment):
                row.pop("updated_at", None)
                row.pop("resource_version", None)
    for table in site.tables.values():
        table.orders.clear()
