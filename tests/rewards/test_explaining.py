import json
import re
from fractions import Fraction
from typing import Any

import pytest

from rewards_service.kit import ids
from rewards_service.kit.money import exponent, round_amount
from rewards_service.rewards.evidence import stored_explanation
from rewards_service.rewards.explaining import render
from rewards_service.rewards.figures import Payee
from tests.rewards.histories import History, write_history
from tests.rewards.invoices import judged
from tests.rewards.test_histories import invoices_of, version_of

NUMBER = r"-?\d+(?:\.\d+)?(?:/\d+)?"


def stored_of(history: History) -> list[dict[str, Any]]:
    """What the service stores for each reward of a history, as it comes back from the database."""
    version, found = version_of(history.rule), []
    payees = [Payee(place, share) for place, share in enumerate(history.shares)]
    for invoice, payments in invoices_of(history.end):
        one = invoice._replace(currency=history.currency)
        verdict = judged(version, one, payments, payees)
        for target in verdict.targets:
            found.append(json.loads(json.dumps(stored_explanation(verdict, target))))
    return found


def explained(**changes: Any) -> dict[str, Any]:
    """Invoice 1001 of T1 after the first of three payments; 12.5 %."""
    stored = {
        "currency": "USD", "invoice_id": "1001", "total_minor": 12_000, "write_off_minor": 0,
        "voided": False, "eligible_minor": 10_000, "adjusted_minor": 0, "payable_minor": 12_000,
        "kept": "4000", "base": "10000/3", "whole_minor": 417, "basis_points": 10_000,
        "target_minor": 417, "earlier_minor": 0, "inconsistent": False, "skipped": [],
        "barred": [], "payments": [payment()],
        "rule": {
            "rule_id": 7, "name": "Standard", "version": 3, "kind": "percent",
            "rate_millionths": 125_000, "amounts": None, "base": "net", "rounding": "half_even",
        },
    }  # fmt: skip
    rule = {**stored["rule"], **changes.pop("rule", {})}  # type: ignore[dict-item]
    return render({**stored, **changes, "rule": rule})


def payment(**changes: Any) -> dict[str, Any]:
    return {
        "transaction_id": "txn_1", "paid_at": "2026-01-31T08:30:00+00:00", "applied_minor": 4_000,
        "stands": True, "taken_back": "0", "kept": "4000", **changes,
    }  # fmt: skip


def minor(text: str, currency: str) -> Fraction:
    return Fraction(text) * Fraction(10 ** exponent(currency))


def redone(text: str, currency: str) -> int:
    """The whole reward, worked out again from nothing but the words."""
    if "gives nothing" in text:
        return 0
    rate = Fraction(re.findall(r"gives ([\d.]+) % of it", text)[0]) / 100
    product = re.search(
        rf"The base is ({NUMBER}) {currency} x ({NUMBER}) / ({NUMBER}) = ({NUMBER})", text
    )
    if product:
        counted, kept, payable, base = (minor(part, currency) for part in product.groups())
        assert counted * kept / payable == base
    else:
        base = minor(re.findall(rf"the base is ({NUMBER})", text)[0], currency)
    return round_amount(base * rate, "half_up" if "half up" in text else "half_even")


class TestRender:
    def test_the_words_lead_to_the_amount(self) -> None:
        """DOMAIN A1: exact in every currency, also of JPY and KWD."""
        checked = 0
        for number in range(600):
            history = write_history(number, seed=number)
            for stored in stored_of(history) if history.rule.flat is None else ():
                text = render(stored)["text"]
                assert redone(text, history.currency) == stored["whole_minor"], text
                checked += stored["whole_minor"] != 0
        assert checked > 500

    def test_the_payments_in_the_words_add_up_to_what_is_kept(self) -> None:
        for number in range(200):
            history = write_history(number, seed=number)
            for stored in stored_of(history):
                steps = render(stored)["steps"]
                parts = [s["value_minor"] for s in steps if s["label"] == "payment"]
                kept = next(s["value_minor"] for s in steps if s["label"] == "kept")
                if kept is not None and None not in parts:
                    assert min(sum(parts), max(stored["payable_minor"], 0)) == kept

    def test_a_partner_can_redo_the_first_third_of_t1(self) -> None:
        """DOMAIN T1."""
        assert explained()["text"] == (
            "Invoice 1001 is over 120.00 USD: 100.00 USD of it count, the lines after discounts, "
            "without tax. Payable are 120.00 USD. Payment txn_1 of 2026-01-31 brought 40.00 USD, "
            "all of it kept. Kept are 40.00 USD of 120.00 USD payable. The base is 100.00 USD x "
            '40.00 / 120.00 = 100/3 USD (about 33.33 USD). Rule "Standard", version 3, gives '
            "12.5 % of it: 25/6 USD (about 4.17 USD), rounded, half to even: 4.17 USD."
        )

    def test_names_the_rule_and_those_that_did_not_pay_by_their_public_ids(self) -> None:
        found = explained(skipped=[[9, "rule_not_effective"]])

        assert found["rule"] == {"id": ids.encode("rul", 7), "version": 3}
        assert found["skipped_rules"] == [
            {"rule_id": ids.encode("rul", 9), "reason": "rule_not_effective"}
        ]

    def test_steps_hold_whole_minor_units_or_none(self) -> None:
        values = {step["label"]: step["value_minor"] for step in explained()["steps"]}

        assert values == {"eligible": 10_000, "payable": 12_000, "payment": 4_000, "kept": 4_000,
                          "base": None, "reward": 417}  # fmt: skip

    def test_says_what_a_refund_took_back(self) -> None:
        """DOMAIN V3."""
        part = payment(taken_back="1000/3", kept="11000/3")

        text = explained(payments=[part], kept="11000/3", base="27500/9", whole_minor=382)["text"]

        assert "brought 40.00 USD, less 10/3 USD (about 3.33 USD) taken back: 110/3 USD" in text
        assert redone(text, "USD") == 382

    def test_says_which_payment_did_not_stand(self) -> None:
        part = payment(stands=False, taken_back="4000", kept="0")

        found = explained(payments=[part], kept="0", base="0", whole_minor=0, target_minor=0)

        assert "did not stand" in found["text"]
        assert found["text"].endswith(
            'So the base is 0. Rule "Standard", version 3, gives nothing.'
        )

    def test_says_that_an_invoice_was_voided(self) -> None:
        """DOMAIN A14."""
        part = payment(taken_back="4000", kept="0")
        changes = {"payments": [part], "kept": "0", "base": "0", "whole_minor": 0}

        assert "the invoice was voided" in explained(voided=True, **changes)["text"]

    def test_says_what_credits_and_write_offs_lower(self) -> None:
        """DOMAIN A3."""
        text = explained(
            write_off_minor=500, adjusted_minor=1_000, payable_minor=10_300, base="360000/103",
            whole_minor=437,
        )["text"]  # fmt: skip

        assert "Payable are 103.00 USD: 120.00 USD less 5.00 USD written off and 12.00 USD" in text
        assert "Credit notes lower them by 10.00 USD to 90.00 USD." in text
        assert redone(text, "USD") == 437

    def test_says_that_a_person_must_look_at_an_inconsistent_invoice(self) -> None:
        assert "until a person has looked" in explained(inconsistent=True)["text"]

    def test_says_which_payments_do_not_count(self) -> None:
        """DOMAIN M16."""
        text = explained(barred=[["txn_0", "before_attribution"]])["text"]

        assert "Payment txn_0 does not count: before_attribution." in text

    def test_more_than_payable_counts_only_up_to_it(self) -> None:
        part = payment(applied_minor=13_000, kept="13000")

        text = explained(payments=[part], kept="12000", base="10000", whole_minor=1_250)["text"]

        assert (
            "Kept are 120.00 USD of 120.00 USD payable, the most that can count of 130.00" in text
        )
        assert "All is kept, so the base is 100.00 USD." in text
        assert redone(text, "USD") == 1_250

    def test_a_flat_rule_gives_its_amount(self) -> None:
        """DOMAIN A7."""
        rule = {"kind": "flat", "rate_millionths": None, "amounts": {"USD": 500}}

        text = explained(rule=rule, whole_minor=500)["text"]

        assert text.endswith("version 3, gives 5.00 USD, as long as some of the base is left.")

    def test_a_flat_rule_without_the_currency_says_so(self) -> None:
        """DOMAIN A7."""
        rule = {"kind": "flat", "rate_millionths": None, "amounts": {"EUR": 500}}

        assert "names no amount in USD" in explained(rule=rule, whole_minor=0)["text"]

    def test_a_share_is_shown_on_the_whole_reward(self) -> None:
        """DOMAIN A6, T7."""
        text = explained(basis_points=3_334, whole_minor=100, target_minor=34)["text"]

        assert text.endswith(
            "The partner's share is 33.34 % of it: 0.3334 USD, and 0.34 USD after what is left "
            "over is given out by largest remainder."
        )

    def test_what_earlier_rewards_hold_is_taken_off(self) -> None:
        """DOMAIN A4."""
        text = explained(earlier_minor=1_250)["text"]

        assert text.endswith("hold 12.50 USD; this one is the difference: -8.33 USD.")

    @pytest.mark.parametrize(
        ("currency", "shown"), [("JPY", "4000 JPY"), ("KWD", "4.000 KWD"), ("USD", "40.00 USD")]
    )
    def test_amounts_have_the_digits_of_their_currency(self, currency: str, shown: str) -> None:
        """DOMAIN A1."""
        assert f"brought {shown}, all" in explained(currency=currency)["text"]

    def test_a_reward_of_which_nothing_is_due_says_what_it_takes_back(self) -> None:
        found = render({"takes_back": 5})

        assert ids.encode("rew", 5) in found["text"]
        assert (found["rule"], found["skipped_rules"]) == (None, [])

    def test_holds_no_binary_fraction(self) -> None:
        def refuse(text: str) -> None:
            raise AssertionError(text)

        json.loads(json.dumps(explained()), parse_float=refuse)
