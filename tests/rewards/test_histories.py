"""Random histories of invoices through the engine, against the reference: ten thousand of them.

The suite plays every fifth; `make proofs` all.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rewards_service.kit.money import split
from rewards_service.programs.rules import RuleVersion
from rewards_service.rewards import figures
from tests.rewards import reference
from tests.rewards.facts import Payment, Rule, State
from tests.rewards.histories import History, shuffled, write_history
from tests.rewards.invoices import judged

HISTORIES = 10_000
PARTS = 10
IN_SUITE = (0, 5)  # each part is every tenth
START = datetime(2026, 1, 1, tzinfo=UTC)


def version_of(rule: Rule) -> RuleVersion:
    kind = "percent" if rule.flat is None else "flat"
    return RuleVersion(1, 1, 1, 1, "rule", kind, rule.rate_millionths, rule.flat, rule.base,
                       rule.rounding, 0, None, "UTC", START)  # fmt: skip


def invoices_of(state: State) -> Iterator[tuple[figures.Invoice, list[figures.Payment]]]:
    """The engine's view of what is known: invoices, each with the payments applied to it."""
    payments = [_payment(state, payment_id) for payment_id in state.payments]
    for one in state.invoices.values():
        untaxed = -1 if one.inclusive else 0
        net = sum(line.amount - line.discount + untaxed * line.tax for line in one.lines)
        notes = [
            figures.Adjustment(n.id, START + timedelta(n.day), n.net + n.tax, n.net, n.net + n.tax)
            for n in state.notes.values()
            if n.invoice == one.id and not n.voided
        ]
        gross = net + sum(line.tax for line in one.lines)
        invoice = figures.Invoice(one.id, "", one.total, one.write_off, net, gross, one.voided,
                                 notes)  # fmt: skip
        yield invoice, [p for p in payments if one.id in p.applied]


def _payment(state: State, payment_id: str) -> figures.Payment:
    one = state.payments[payment_id]
    refunds = [
        figures.Refund(r.id, r.amount, r.notes)
        for r in state.refunds.values()
        if r.payment == one.id and r.status == "success"
    ]
    paid_at = START + timedelta(one.day)
    return figures.Payment(one.id, paid_at, one.status == "success", one.applied, refunds)


def targets_of(history: History, state: State) -> reference.Targets:
    version = version_of(history.rule)
    payees = [figures.Payee(place, share) for place, share in enumerate(history.shares)]
    found = {}
    for invoice, payments in invoices_of(state):
        one = invoice._replace(currency=history.currency)
        for target in judged(version, one, payments, payees).targets:
            if target.amount_minor:
                found[(invoice.invoice_id, target.partner_id)] = target.amount_minor
    return found


def post(history: History, steps: list[int]) -> list[reference.Targets]:
    """Differences posted after so many snapshots each; what each posting added."""
    held: dict[tuple[str, int], int] = defaultdict(int)
    posted = []
    for step in steps:
        wanted = targets_of(history, State.of(history.snapshots[:step]))
        rows = {slot: wanted.get(slot, 0) - held[slot] for slot in held.keys() | wanted.keys()}
        for slot, amount in rows.items():
            held[slot] += amount
        posted.append({slot: amount for slot, amount in rows.items() if amount})
    return posted


def total(posted: list[reference.Targets]) -> reference.Targets:
    sums: dict[tuple[str, int], int] = defaultdict(int)
    for rows in posted:
        for slot, amount in rows.items():
            sums[slot] += amount
    return {slot: amount for slot, amount in sums.items() if amount}


parts = pytest.mark.parametrize(
    "part",
    [pytest.param(n, marks=[] if n in IN_SUITE else pytest.mark.slow) for n in range(PARTS)],
)


@parts
def test_rewards_are_what_the_rules_say_in_whatever_order_facts_become_known(part: int) -> None:
    """DOMAIN A2-A7, A14, V3, V10: target equals reference, sums the same in any order."""
    for number in range(part, HISTORIES, PARTS):
        history = write_history(number, seed=number)
        expected = reference.expected_targets(history, history.end)
        size = len(history.snapshots)
        in_order = post(history, [history.paid_at, (history.paid_at + size) // 2, size])
        otherwise = shuffled(history, seed=number)
        assert total(in_order) == expected, number
        assert total(post(otherwise, [size // 3, 2 * size // 3, size])) == expected, number
        if history.ends_refunded:
            assert total(in_order) == {}, number


@parts
def test_payments_alone_add_up_to_the_reward_of_the_whole(part: int) -> None:
    """DOMAIN A4, A6: full payment is the one-shot reward, no negative row, splits sum up."""
    for number in range(part, HISTORIES, PARTS):
        history = write_history(number, seed=number)
        alone = len(history.shares) == 1
        if not alone and not history.fully_paid:
            continue
        rows = post(history, list(range(1, history.paid_at + 1)))
        if alone:
            assert all(amount > 0 for row in rows for amount in row.values()), number
        if history.fully_paid:
            _assert_one_shot(history, total(rows))


def _assert_one_shot(history: History, found: reference.Targets) -> None:
    state = State.of(history.snapshots[: history.paid_at])
    for invoice in state.invoices.values():
        paid_at_once = State(invoices={invoice.id: invoice})
        paid_at_once.put(Payment("once", 0, invoice.total, {invoice.id: invoice.total}))
        whole = reference.expected_whole(history.rule, history.currency, paid_at_once, invoice)
        parts = [found.get((invoice.id, place), 0) for place in range(len(history.shares))]
        assert sum(parts) == whole, history.number
        assert parts == split(whole, history.shares), history.number
