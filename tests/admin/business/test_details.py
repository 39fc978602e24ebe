"""Pages about one thing: the whole way of a payment, and why it earned nothing."""

import re

from rewards_service.admin.business.advice import TO_DO
from rewards_service.rewards import reasons
from tests.admin.business.books import HOSTILE, Books
from tests.admin.visitor import Visitor
from tests.builders.chargebee import paid
from tests.builders.world import World


def text_of(page: str) -> str:
    """What a page says, without its navigation."""
    inside = page.partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", inside).split())


class TestTransaction:
    def test_it_tells_what_it_earned_and_what_was_taken_back(
        self, owner: Visitor, company: Books
    ) -> None:
        page = owner.get(f"/transactions/{company.earned}", **{"Accept-Language": "en"}).text
        said = text_of(page)

        assert "Payment of $124.00 partially refunded" in said
        assert "It earned a reward." in said
        assert "Refund back_a" in said
        assert "Taken back $62.00 Left $62.00" in said
        assert "$12.40" in said
        assert 'href="https://acme-test.chargebee.com/admin-console/transactions/txn_a"' in page
        assert 'href="https://acme-test.chargebee.com/admin-console/invoices/inv_a"' in page
        assert 'href="https://acme-test.chargebee.com/admin-console/customers/cb_eve"' in page
        assert f'href="/customers/{company.customer}"' in page
        assert f'href="/leads/{company.lead}"' in page

    def test_one_without_a_reward_says_why_and_where_to_mend_it(
        self, owner: Visitor, company: Books
    ) -> None:
        page = owner.get(f"/transactions/{company.nothing}").text

        assert "Why no reward" in page
        assert "Its customer has no source partner." in page
        assert f'href="/customers/{company.stranger}/source"' in page

    def test_each_rule_that_does_not_count_says_why(self, owner: Visitor, world: World) -> None:
        world.lead("low@buyer.example", world.partner("Ann"))
        world.add_version(world.rule, 2, 200_000, min_amount_minor={"USD": 50_000})
        world.add_rule(None, amounts={"EUR": 500})
        world.receive(paid("low", "cb_low", "low@buyer.example", 1_000, 1))
        found = re.search(r"/transactions/(txn_\w+)", owner.get("/transactions").text)
        assert found is not None
        said = text_of(owner.get(f"/transactions/{found.group(1)}").text)

        assert "less than the rule&#39;s minimum" in said
        assert "names no amount for the invoice&#39;s currency" in said


class TestAdvice:
    def test_every_reason_has_something_to_do(self) -> None:
        assert set(TO_DO) == set(reasons.OF_PAYMENTS)


class TestCustomer:
    def test_it_tells_who_brought_it_its_addresses_and_relatives(
        self, owner: Visitor, company: Books
    ) -> None:
        said = text_of(owner.get(f"/customers/{company.customer}").text)

        assert "first lead" in said
        assert "the first wins" in said
        assert "Eve@Buyer.Example" in said
        assert "Parent account" in said
        assert "cb_dan" in said


class TestForeignText:
    """events-invalid 24, 25 and 28 as data."""

    def test_it_is_shown_as_text_that_moves_nothing(self, owner: Visitor, company: Books) -> None:
        for path in ("/deals", f"/deals/{company.open_deal}", f"/leads/{company.open_lead}"):
            page = owner.get(path).text
            assert "<script>alert" not in page
            assert re.search(r"<bdi>&lt;script&gt;[^<]*\u202egpj.exe</bdi>", page), path
        assert HOSTILE not in owner.get(f"/deals/{company.open_deal}/edit").text
