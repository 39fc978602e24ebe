"""What can be told to happen: verbs in words, each with named parameters (pure)."""

from collections.abc import Callable, Mapping
from typing import Any

from rewards_service.simulator import money_verbs as money
from rewards_service.simulator import people_verbs as people
from rewards_service.simulator.errors import no_such_page
from rewards_service.simulator.site import Site
from rewards_service.simulator.wire import Params

Verb = Callable[[Site, Params], dict[str, Any]]

VERBS: dict[str, Verb] = {
    verb.__name__: verb
    for verb in (
        people.stock, people.sign_up, people.subscribe, people.renew, people.resize,
        people.cancel, people.bill, people.change_email, people.delete_customer, people.parent,
        people.gift, people.claim_gift, people.wait,
        money.pay, money.pay_offline, money.fail, money.start_payment, money.finish_payment,
        money.pay_excess, money.apply_excess, money.pay_many, money.refund,
        money.refund_payment, money.start_refund, money.finish_refund, money.chargeback,
        money.win_back, money.late_failure, money.void_payment, money.delete_offline,
        money.void_invoice, money.delete_invoice, money.write_off, money.credit,
        money.refund_credit, money.use_credit, money.void_credit, money.delete_credit,
    )
}  # fmt: skip
# Who does it, as events say.
_SOURCES = {
    "renew": "scheduled_job", "wait": "scheduled_job", "chargeback": "system",
    "win_back": "system", "late_failure": "system", "finish_payment": "system",
    "finish_refund": "system", "sign_up": "hosted_page", "subscribe": "hosted_page",
    "gift": "hosted_page", "claim_gift": "hosted_page",
}  # fmt: skip


def say(site: Site, verb: str, /, **given: Any) -> dict[str, Any]:
    """Let it happen; returns the ids of what it made.

    Raises ApiError when there is no such verb, a parameter is wrong, or the state forbids it.
    """
    found = VERBS.get(verb)
    if found is None:
        raise no_such_page(f"verbs/{verb}")
    site.source = _SOURCES.get(verb, "admin_console")
    site.user = "clerk@simulator.example" if site.source == "admin_console" else None
    try:
        return found(site, Params(_texts(given)))
    finally:
        site.source, site.user = "system", None


def _texts(given: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values as a form would have sent them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
        if value is not None
    }
