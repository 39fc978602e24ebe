"""A short play: what a small shop sees in its first days."""

from tests.reports.books import Books, payment, refund

ADA, BOB = "ada@customer-one.example", "bob@two.example"
EVENTS = 7


def play(books: Books) -> None:
    """Two partners, a converted and a superseded lead, a deal; payments, one of nobody's, refunds,
    one of a payment that nobody knows, and an event that cannot be read: `EVENTS` in all."""
    first, second = books.add_partner("First"), books.add_partner("Second")
    books.add_lead(first, ADA)
    books.add_lead(first, ADA)
    books.add_deal(second, BOB)
    books.play(
        [
            payment(1),
            payment(2, 9000, invoices={"inv2": 4000, "inv3": 5000}, day=3),
            payment(3, 1999, email=BOB, customer="c2", day=1),
            payment(5, 500, email="eve@three.example", customer="c3", day=2),
            refund(1, 1500, of=1),
            refund(3, 100, of=99, day=12),
            {**payment(6), "id": "ev_bad", "content": {"transaction": None}},
        ]
    )
