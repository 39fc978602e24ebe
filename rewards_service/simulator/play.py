"""Business that makes itself up: any number of steps, the same for the same seed (pure).

Every step is a verb that the state allows, or time that passes. What the site refuses counts as a
step in which nothing happened, as in life.
"""

from collections.abc import Callable, Iterator
from typing import Any

from rewards_service.simulator.errors import ApiError
from rewards_service.simulator.people_verbs import EURO, OLD_PLAN, PLAN, YEARLY
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.verbs import say

Step = tuple[str, dict[str, Any]]
LONGEST_WAIT_S = 12 * 3600
_COUNTRIES = ("US", "DE", "FR", "GB", "JP")


def email_of(number: int) -> str:
    """The address of the customer who signed up as number `number`, from 1."""
    return f"payer{number}@customer{number}.example"


def play(site: Site, steps: int) -> Iterator[Step]:
    """Take so many steps; yields each verb with its parameters after it happened."""
    say(site, "stock")
    start = site.counters.get("step", 0)
    for number in range(start + 1, start + steps + 1):
        site.counters["step"] = number
        verb, given = _step(site, number)
        try:
            say(site, verb, **given)
        except ApiError:
            verb, given = "wait", {"seconds": 60}
            say(site, verb, **given)
        yield verb, given


class _Dice:
    """Choices of one step."""

    def __init__(self, site: Site, number: int) -> None:
        self._site = site
        self._number = number
        self._throws = 0

    def below(self, count: int) -> int:
        self._throws += 1
        return int(self._site.chance(f"play:{self._number}:{self._throws}") * count)

    def one(self, rows: list[Any]) -> Any:
        return rows[self.below(len(rows))]


def _step(site: Site, number: int) -> Step:
    dice = _Dice(site, number)
    people = [row for row in site.tables["customer"].rows.values() if not row["deleted"]]
    if len(people) < 3:
        return _sign_up(site, dice)
    point = dice.below(_WHOLE)
    for weight, make in _STEPS:
        point -= weight
        if point < 0:
            return make(site, dice) or _wait(site, dice)
    raise AssertionError(number)


def _rows(site: Site, kind: str, test: Callable[[Row], object]) -> list[Row]:
    rows = site.tables[kind].rows.values()
    return [row for row in rows if not row.get("deleted") and test(row)]


def _wait(_site: Site, dice: _Dice) -> Step:
    return "wait", {"seconds": 60 + dice.below(LONGEST_WAIT_S)}


def _sign_up(site: Site, dice: _Dice) -> Step:
    number = len(site.tables["customer"].rows) + 1
    return "sign_up", {
        "email": email_of(number), "first_name": "Payer", "last_name": str(number),
        "company": f"Customer {number}", "country": dice.one(list(_COUNTRIES)),
        "card": dice.below(4) > 0,
    }  # fmt: skip


def _customer(site: Site, dice: _Dice) -> Row:
    found: Row = dice.one(_rows(site, "customer", lambda _row: True))
    return found


def _subscribe(site: Site, dice: _Dice) -> Step:
    given: dict[str, Any] = {"customer_id": _customer(site, dice)["id"]}
    choice = dice.one([PLAN, PLAN, YEARLY, EURO, OLD_PLAN])
    given["plan_id" if choice == OLD_PLAN else "item_price_id"] = choice
    if dice.below(3) == 0:
        given |= {"discount_percent": 10, "quantity": 1 + dice.below(3)}
    return "subscribe", given


def _bill(site: Site, dice: _Dice) -> Step:
    given = {"customer_id": _customer(site, dice)["id"], "amount": 100 + dice.below(90_000)}
    return "bill", given


def _due(site: Site, dice: _Dice) -> Row | None:
    rows = _rows(
        site, "invoice", lambda row: row["status"] != "voided" and row["amount_to_collect"]
    )
    return dice.one(rows) if rows else None


def _of_due(*verbs: str) -> Callable[[Site, _Dice], Step | None]:
    """One of the verbs on an invoice that waits for money; in part, half of the time."""

    def make(site: Site, dice: _Dice) -> Step | None:
        invoice = _due(site, dice)
        if invoice is None:
            return None
        given: dict[str, Any] = {"invoice_id": invoice["id"]}
        verb = dice.one(list(verbs))
        if verb in ("pay", "pay_offline") and dice.below(2):
            given["amount"] = 1 + dice.below(invoice["amount_to_collect"])
        if verb == "credit":
            given |= {"type": "adjustment", "amount": 1 + dice.below(invoice["amount_to_collect"])}
        return verb, given

    return make


def _of_paid(*verbs: str) -> Callable[[Site, _Dice], Step | None]:
    """One of the verbs on an invoice for which something was paid."""

    def make(site: Site, dice: _Dice) -> Step | None:
        rows = _rows(site, "invoice", lambda row: row["amount_paid"])
        if not rows:
            return None
        invoice, verb = dice.one(rows), dice.one(list(verbs))
        given: dict[str, Any] = {"invoice_id": invoice["id"]}
        if verb == "credit" or (verb != "void_invoice" and dice.below(2)):
            given["amount"] = 1 + dice.below(invoice["amount_paid"])
        return verb, given

    return make


def _of_payment(verb: str, test: Callable[[Row], object]) -> Callable[[Site, _Dice], Step | None]:
    def make(site: Site, dice: _Dice) -> Step | None:
        rows = _rows(site, "transaction", test)
        if not rows:
            return None
        given: dict[str, Any] = {"transaction_id": dice.one(rows)["id"]}
        if verb.startswith("finish_"):
            given["succeeded"] = dice.below(4) > 0
        return verb, given

    return make


def _of_row(kind: str, key: str, *verbs: str) -> Callable[[Site, _Dice], Step | None]:
    def make(site: Site, dice: _Dice) -> Step | None:
        rows = _rows(site, kind, lambda _row: True)
        if not rows:
            return None
        given: dict[str, Any] = {key: dice.one(rows)["id"]}
        verb = dice.one(list(verbs))
        if verb == "resize":
            given["quantity"] = 1 + dice.below(5)
        if verb == "cancel":
            given["prorate"] = dice.below(2) == 0
        return verb, given

    return make


def _excess(site: Site, dice: _Dice) -> Step:
    given = {"customer_id": _customer(site, dice)["id"], "amount": 100 + dice.below(20_000)}
    return "pay_excess", given


def _apply(site: Site, dice: _Dice) -> Step | None:
    spare = _rows(site, "transaction", lambda row: row.get("amount_unused"))
    invoice = _due(site, dice)
    if not spare or invoice is None:
        return None
    return "apply_excess", {"transaction_id": dice.one(spare)["id"], "invoice_id": invoice["id"]}


def _many(site: Site, dice: _Dice) -> Step | None:
    first = _due(site, dice)
    if first is None:
        return None
    rows = _rows(
        site,
        "invoice",
        lambda row: (
            row["customer_id"] == first["customer_id"]
            and row["currency_code"] == first["currency_code"]
            and row["status"] != "voided"
            and row["amount_to_collect"]
        ),
    )
    return "pay_many", {"invoice_ids": [row["id"] for row in rows[:4]]}


def _pair(verb: str, other: str) -> Callable[[Site, _Dice], Step | None]:
    def make(site: Site, dice: _Dice) -> Step | None:
        first, second = _customer(site, dice), _customer(site, dice)
        if first is second or "relationship" in first:
            return None
        return verb, {"customer_id": first["id"], other: second["id"]}

    return make


def _email(site: Site, dice: _Dice) -> Step:
    given = {
        "customer_id": _customer(site, dice)["id"], "email": f"new{dice.below(10**6)}@moved.example"
    }  # fmt: skip
    return "change_email", given


def _is(kind: str, *statuses: str) -> Callable[[Row], bool]:
    return lambda row: row["type"] == kind and row["status"] in statuses


_STEPS: tuple[tuple[int, Callable[[Site, _Dice], Step | None]], ...] = (
    (8, _wait), (8, _sign_up), (12, _subscribe), (12, _bill),
    (14, _of_due("pay", "pay_offline")), (4, _of_due("fail", "start_payment")),
    (3, _of_due("credit", "write_off")), (4, _many), (4, _excess), (5, _apply),
    (9, _of_paid("refund", "start_refund")), (4, _of_paid("credit", "void_invoice")),
    (6, _of_payment("finish_payment", _is("payment", "in_progress"))),
    (6, _of_payment("finish_refund", _is("refund", "in_progress"))),
    (3, _of_payment("chargeback", _is("payment", "success"))),
    (4, _of_payment("win_back", lambda row: row["payment_method"] == "chargeback")),
    (3, _of_payment("late_failure", _is("payment", "success"))),
    (3, _of_payment("delete_offline", lambda row: row["gateway"] == "not_applicable")),
    (2, _of_payment("void_payment", _is("payment", "success"))),
    (2, _of_payment("refund_payment", lambda row: row.get("amount_unused"))),
    (6, _of_row("subscription", "subscription_id", "renew", "resize", "cancel")),
    (3, _of_row("credit_note", "credit_note_id", "void_credit", "refund_credit")),
    (1, _of_row("customer", "customer_id", "delete_customer")),
    (2, _of_row("gift", "gift_id", "claim_gift")),
    (2, _pair("parent", "parent_id")), (2, _pair("gift", "receiver_id")), (2, _email),
)  # fmt: skip
_WHOLE = sum(weight for weight, _ in _STEPS)
