"""Lists: pages that stay true, every filter, deleted ones, and what is not visible yet."""

import json

import pytest

from rewards_service.simulator.faults import Faults
from rewards_service.simulator.filters import values
from rewards_service.simulator.history import make_history
from rewards_service.simulator.play import play
from rewards_service.simulator.site import Site
from rewards_service.simulator.verbs import say
from tests.simulator.site_calls import Caller


@pytest.fixture
def caller() -> Caller:
    return Caller()


def fill(caller: Caller, count: int) -> list[str]:
    for number in range(count):
        caller.tell("/customers", id=f"c{number:03}", email=f"c{number}@x.example")
    return [f"c{number:03}" for number in range(count)]


def pages(caller: Caller, path: str, kind: str, **query: object) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    offset: str | None = None
    while True:
        more: dict[str, str] = {} if offset is None else {"offset": offset}
        status, page = caller.ask(path, **query, **more)
        assert status == 200
        found += [entry[kind]["id"] for entry in page["list"]]
        offset = page.get("next_offset")
        if offset is None:
            return found


class TestPages:
    @pytest.mark.parametrize("limit", [1, 3, 7, 100])
    def test_every_record_is_on_one_page(self, caller: Caller, limit: int) -> None:
        assert pages(caller, "/customers", "customer", limit=limit) == []
        ids = fill(caller, 7)

        assert pages(caller, "/customers", "customer", limit=limit) == ids

    def test_ten_are_usual_and_a_hundred_the_most(self, caller: Caller) -> None:
        fill(caller, 12)
        status, found = caller.ask("/customers", limit=101)

        assert len(caller.listed("/customers", "customer")) == 10
        assert (status, found["param"]) == (400, "limit")

    def test_an_offset_has_two_parts_and_is_opaque(self, caller: Caller) -> None:
        fill(caller, 2)
        offset = caller.ask("/customers", limit=1)[1]["next_offset"]

        assert [part.isdigit() for part in json.loads(offset)] == [True, True]
        assert caller.ask("/customers", offset="nonsense")[0] == 400

    def test_records_made_meanwhile_move_no_page(self, caller: Caller) -> None:
        ids = fill(caller, 4)
        page = caller.ask("/customers", limit=2)[1]
        caller.tell("/customers", id="new")
        rest = caller.listed("/customers", "customer", limit=2, offset=page["next_offset"])

        assert rest == ids[2:]

    def test_sorting_falls_or_rises(self, caller: Caller) -> None:
        ids = fill(caller, 5)
        caller.site.move_to(caller.site.now_ms + 60_000)
        caller.tell("/customers/c001", company="Changed")
        rising = pages(caller, "/customers", "customer", limit=2, sort_by__asc="updated_at")
        falling = pages(caller, "/customers", "customer", limit=2, sort_by__desc="created_at")

        assert rising[-1] == "c001"
        assert falling == ids[::-1]
        assert caller.ask("/customers", sort_by__asc="shoe_size")[0] == 400


class TestFilters:
    @pytest.mark.parametrize("text", ["['a', 'b']", '["a", "b"]', "[a,b]", "[a, b]", "a,b"])
    def test_a_list_may_be_spelled_in_any_way(self, text: str) -> None:
        assert values(text) == ["a", "b"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"id__is": "c001"}, ["c001"]),
            ({"id__is_not": "c001"}, ["c000", "c002"]),
            ({"id__in": "['c000', 'c002']"}, ["c000", "c002"]),
            ({"id__not_in": '["c000","c002"]'}, ["c001"]),
            ({"email__starts_with": "c1"}, ["c001"]),
            ({"company__is_present": "true"}, ["c002"]),
            ({"company__is_present": "false"}, ["c000", "c001"]),
            ({"created_at__after": 1}, ["c000", "c001", "c002"]),
            ({"created_at__before": 1}, []),
            ({"created_at__between": "['1', '4102444800']"}, ["c000", "c001", "c002"]),
            ({"created_at__on": 1_767_225_600}, ["c000", "c001", "c002"]),
            ({"net_term_days__gte": 30}, ["c001"]),
            ({"net_term_days__lt": 30}, ["c000", "c002"]),
            ({"id__in": "[c000,c001]", "net_term_days__gt": 0}, ["c001"]),
        ],
    )
    def test_every_operator_does_what_it_says(
        self, caller: Caller, query: dict[str, object], expected: list[str]
    ) -> None:
        fill(caller, 3)
        caller.site.find("customer", "c001")["net_term_days"] = 30
        caller.tell("/customers/c002", company="Two")

        assert caller.listed("/customers", "customer", **query) == expected

    @pytest.mark.parametrize(
        "query", [{"id__like": "c"}, {"created_at__after": "noon"}, {"created_at__between": "[1]"}]
    )
    def test_what_is_no_filter_is_refused(self, caller: Caller, query: dict[str, object]) -> None:
        assert caller.ask("/customers", **query)[0] == 400

    def test_after_never_returns_rows_without_the_time(self, caller: Caller) -> None:
        fill(caller, 2)
        del caller.site.find("customer", "c000")["updated_at"]

        assert caller.listed("/customers", "customer", updated_at__after=1) == ["c001"]
        assert caller.listed("/customers", "customer") == ["c000", "c001"]


class TestDeleted:
    def test_tombstones_are_listed_only_when_asked_for(self, caller: Caller) -> None:
        fill(caller, 2)
        caller.tell("/customers/c000/delete")

        assert caller.listed("/customers", "customer") == ["c001"]
        assert caller.listed("/customers", "customer", include_deleted="true") == ["c000", "c001"]
        assert caller.ask("/customers/c000")[0] == 404


class TestLag:
    def test_new_records_are_in_lists_a_little_later(self, caller: Caller) -> None:
        caller.simulator.faults = Faults(lag_s=300)
        fill(caller, 1)
        first = caller.listed("/customers", "customer")
        alone = caller.ask("/customers/c000")[0]
        caller.site.move_to(caller.site.now_ms + 301_000)

        assert (first, alone) == ([], 200)
        assert caller.listed("/customers", "customer") == ["c000"]
        assert len(caller.listed("/events", "event")) == 1


class TestNarrowed:
    def test_paths_narrow_a_list_newest_first(self, caller: Caller) -> None:
        say(caller.site, "stock")
        mine, other = (
            say(caller.site, "sign_up", email=email)["customer_id"]
            for email in ("a@b.example", "c@d.example")
        )
        made = [
            say(caller.site, "bill", customer_id=key, amount=100)["invoice_id"]
            for key in (mine, mine, other)
        ]
        paid = say(caller.site, "pay", invoice_id=made[0])["transaction_id"]

        assert caller.listed(f"/customers/{mine}/invoices", "invoice") == made[1::-1]
        assert caller.listed(f"/invoices/{made[0]}/payments", "transaction") == [paid]
        assert caller.listed(f"/customers/{other}/transactions", "transaction") == []
        assert caller.ask("/customers/nobody/invoices")[0] == 404


class TestEveryList:
    def test_every_answer_fits_the_description(self) -> None:
        caller = Caller(seed=6)
        for _ in play(caller.site, 200):
            pass
        kinds = {
            "customers": "customer", "item_families": "item_family", "items": "item",
            "item_prices": "item_price", "subscriptions": "subscription", "invoices": "invoice",
            "credit_notes": "credit_note", "transactions": "transaction", "events": "event",
        }  # fmt: skip

        for path, kind in kinds.items():
            found = pages(caller, f"/{path}", kind, limit=100, include_deleted="true")
            assert len(found) == len(caller.site.tables[kind].rows)
            assert caller.ask(f"/{path}/{found[-1]}")[0] in (200, 404)


class TestHistory:
    def test_years_of_invoices_are_there_without_events(self) -> None:
        site = Site()
        make_history(site, 45)
        invoices = site.tables["invoice"].rows.values()

        assert len(invoices) == len(site.tables["transaction"].rows) == 45
        assert len(site.tables["customer"].rows) == 5
        assert not site.tables["event"].rows
        assert {row["status"] for row in invoices} == {"paid"}
        assert sum("updated_at" not in row for row in invoices) == 3
