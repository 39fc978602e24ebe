from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee.lines import read_lines, sums
from rewards_service.chargebee.wire import BadPayload
from rewards_service.kit.money import MAX_AMOUNT

amounts = st.integers(0, MAX_AMOUNT) | st.integers(0, 100)


def read(price_type: str, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    return read_lines({"line_items": list(lines)}, price_type, "/invoice")


class TestReadLines:
    def test_tax_and_discounts_do_not_count(self) -> None:
        """DOMAIN A2: amount - discounts, without tax."""
        line = {"amount": 10_000, "discount_amount": 1_000, "tax_amount": 1_800}

        assert read("tax_exclusive", line)[0]["net_minor"] == 9_000

    def test_tax_is_taken_out_of_prices_that_hold_it(self) -> None:
        """DOMAIN A2: price_type tax_inclusive."""
        line = {"amount": 12_000, "discount_amount": 0, "tax_amount": 2_000}

        assert read("tax_inclusive", line)[0]["net_minor"] == 10_000

    def test_a_discount_of_the_item_is_part_of_the_whole_discount(self) -> None:
        """DOMAIN A2: item and invoice discounts, each once."""
        both = {"amount": 1_000, "item_level_discount_amount": 100, "discount_amount": 300}
        alone = {"amount": 1_000, "item_level_discount_amount": 100}

        found = read("tax_exclusive", both, alone)

        assert [line["net_minor"] for line in found] == [700, 900]

    def test_both_product_catalogues_are_read(self) -> None:
        old = {"id": "li_1", "entity_type": "plan", "entity_id": "basic", "amount": 1}
        new = {"id": "li_2", "entity_type": "plan_item_price", "entity_id": "basic-USD",
               "amount": 1, "subscription_id": "s", "customer_id": "c"}  # fmt: skip

        found = read("tax_exclusive", old, new)

        assert [(line["position"], line["line_id"], line["entity_type"]) for line in found] == [
            (0, "li_1", "plan"), (1, "li_2", "plan_item_price"),
        ]  # fmt: skip

    @pytest.mark.parametrize("value", ["100", -1, 1.0, True, None, 2**63])
    def test_an_amount_that_is_none_names_its_line(self, value: object) -> None:
        with pytest.raises(BadPayload, match=r"^/invoice/line_items/1/amount"):
            read("tax_exclusive", {"amount": 1}, {"amount": value})

    @given(st.lists(st.tuples(amounts, amounts, amounts), max_size=3))
    def test_what_no_column_can_hold_is_refused(self, lines: list[tuple[int, int, int]]) -> None:
        """DOMAIN "Outcome of an event": quarantined, never an error of the database."""
        payload = [{"amount": a, "discount_amount": d, "tax_amount": t} for a, d, t in lines]
        try:
            found = read("tax_inclusive", *payload)
            net, gross = sums(found, "/invoice")
        except BadPayload:
            return
        assert all(abs(line["net_minor"]) <= MAX_AMOUNT for line in found)
        assert 0 <= net <= MAX_AMOUNT
        assert 0 <= gross <= MAX_AMOUNT


class TestSums:
    @pytest.mark.parametrize(
        ("price_type", "net"), [("tax_exclusive", 300), ("tax_inclusive", 240)]
    )
    def test_gross_is_net_and_tax(self, price_type: str, net: int) -> None:
        lines = read(price_type, {"amount": 100, "tax_amount": 20},
                     {"amount": 200, "tax_amount": 40})  # fmt: skip

        assert sums(lines, "") == (net, net + 60)

    def test_no_lines_are_nothing(self) -> None:
        assert sums([], "") == (0, 0)

    def test_a_sum_below_nothing_is_nothing(self) -> None:
        lines = read("tax_exclusive", {"amount": 100, "discount_amount": 150})

        assert sums(lines, "") == (0, 0)

    def test_a_sum_beyond_any_amount_is_refused(self) -> None:
        lines = read("tax_exclusive", {"amount": MAX_AMOUNT}, {"amount": 1})

        with pytest.raises(BadPayload):
            sums(lines, "/invoice")
