"""Whatever the order in which versions arrive, in whatever batches: one mirror."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.builders.chargebee import Json, at, credit_note, customer, event, invoice, payment
from tests.builders.revenue import item, sold, subscription
from tests.mirror.dump import bodies, dump, tell

DISCOUNT = {"id": "d", "type": "percentage", "percentage": 10.0, "duration_type": "forever"}
SHARE = {"line_item_id": "inv_0", "discount_type": "document_level_discount", "discount_amount": 5}


def same_version(day: float) -> Json:
    """Another body of a version that is told already: the time decides, and then the body."""
    return subscription("s", "c", 3, mrr=int(day * 100), subscription_items=[])


HISTORY: list[Json] = [
    event("e0", "item_created", 0, item=sold("item", "pro", 0, type="plan")),
    event("e1", "item_price_created", 0,
          item_price=sold("item_price", "pro-USD", 0, price=100, tiers=[{"starting_unit": 1}])),
    event("e2", "subscription_created", 1, subscription=subscription("s", "c", 1),
          customer=customer("c", "a@x.example", 1), invoice=invoice("inv", "c", 100, 1)),
    event("e3", "subscription_changed", 3, customer=customer("c", "b@x.example", 3),
          subscription=subscription("s", "c", 3, discounts=[DISCOUNT],
                                    subscription_items=[item("pro-USD", 90), item("x-USD", 9)]),
          invoice=invoice("inv", "c", 100, 3, line_item_discounts=[SHARE], lines=[60, 40])),
    event("e4", "mrr_updated", 3, subscription=same_version(3)),
    event("e5", "subscription_renewed", 4, subscription=same_version(4)),
    # Out of date when it was sent: the subscription inside is older than those before.
    event("e6", "payment_succeeded", 5, subscription=subscription("s", "c", 2),
          transaction=payment("t", "c", 100, {"inv": 100}, 5),
          customer=customer("c", "a@x.example", 2), invoice=invoice("inv", "c", 100, 2)),
    event("e7", "item_price_updated", 6, item_price=sold("item_price", "pro-USD", 6, price=120)),
    event("e8", "item_price_deleted", 7, item_price=sold("item_price", "pro-USD", 6, price=120)),
    # After the deletion of a price, and of a version that is higher.
    event("e9", "item_price_updated", 8, item_price=sold("item_price", "pro-USD", 8, price=130)),
    event("e10", "credit_note_created", 8,
          credit_note=credit_note("n", "inv", 10, 8, taxes=[{"name": "VAT", "amount": 1}])),
    event("e11", "credit_note_updated", 9, credit_note=credit_note("n", "inv", 10, 9,
                                                                   status="voided")),
    event("e12", "customer_deleted", 10, customer=customer("c", "b@x.example", 9),
          subscriptions=[subscription("s", "c", 9, deleted=True)]),
    event("e14", "subscription_created", 2, subscription=subscription("s2", "c2", 2),
          invoice=invoice("inv2", "c2", 70, 2)),
    event("e13", "plan_updated", 10, plan=sold("plan", "gold", 10, status="deleted")),
]  # fmt: skip
IN_ORDER = list(range(len(HISTORY)))
sites = count(1)


def play(session: Session, order: list[int], size: int) -> int:
    site = next(sites)
    for start in range(0, len(order), size):
        tell(session, site, *(HISTORY[number] for number in order[start : start + size]))
    return site


class TestOneMirror:
    """DOMAIN V10 and "Which Chargebee events matter"."""

    def test_in_any_order_with_repetitions_in_any_batches(self, session: Session) -> None:
        in_order = play(session, IN_ORDER, 1)
        expected = dump(session, in_order), bodies(session, in_order)

        @settings(max_examples=25)
        @given(
            st.permutations(IN_ORDER),
            st.lists(st.sampled_from(IN_ORDER), max_size=5),
            st.integers(1, 20),
        )
        def check(order: list[int], again: list[int], size: int) -> None:
            found = play(session, [*order, *again], size)
            assert (dump(session, found), bodies(session, found)) == expected

        check()

    def test_in_the_end_it_is_what_was_told_last(self, session: Session) -> None:
        """What all orders agree on is right: by hand, of the history above."""
        found = dump(session, play(session, IN_ORDER, 3))
        gone, other = sorted(found["chargebee_subscriptions"], key=lambda one: one["external_id"])
        (price,) = found["chargebee_item_prices"]
        (owner,), (plan,) = found["chargebee_customers"], found["chargebee_plans"]

        assert (gone["deleted"], gone["deleted_at"]) == (True, at(10))
        assert (other["deleted"], other["deleted_at"]) == (False, None)
        assert (price["deleted_at"], price["price_minor"]) == (at(7), 120)
        assert (owner["deleted_at"], owner["email"]) == (at(10), "b@x.example")
        assert plan["deleted_at"] == at(10)
        assert {row["amount_minor"] for row in found["chargebee_invoice_lines"]} == {40, 60, 70}
        assert [row["level"] for row in found["chargebee_discounts"]] == ["line"]
        assert found["chargebee_price_tiers"] == []
        assert found["chargebee_credit_notes"][0]["status"] == "voided"
        assert found["chargebee_credit_note_lines"] == found["chargebee_taxes"] == []
