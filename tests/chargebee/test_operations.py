from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from rewards_service.chargebee import errors
from rewards_service.chargebee.forms import between, one_of
from rewards_service.chargebee.operations import Collection
from rewards_service.chargebee.paging import Page
from tests.chargebee.talking import NOON, talking
from tests.peers.misbehaving import answer

LISTED = ("limit", "100")


def listed(kind: str, *ids: str, following: str | None = None) -> Any:
    """A page of a list as Chargebee gives it."""
    body: dict[str, Any] = {"list": [{kind: {"id": one}, "card": {"id": "x"}} for one in ids]}
    if following is not None:
        body["next_offset"] = following
    return answer(200, body)


class TestEach:
    def test_a_list_is_read_to_its_end(self) -> None:
        behaviours = (
            listed("customer", "1", "2", following='["1","2"]'),
            answer(503, "<html>"),
            listed("customer", "3"),
        )
        with talking(*behaviours) as talk:
            found = list(talk.site.customers.each())

        assert found == [{"id": "1"}, {"id": "2"}, {"id": "3"}]
        queries = [seen.query for seen in talk.server.seen]
        assert queries == [[LISTED], *[[LISTED, ("offset", '["1","2"]')]] * 2]

    def test_events_are_asked_for_by_time_oldest_first(self) -> None:
        where = [
            between("occurred_at", NOON, NOON + timedelta(minutes=5)),
            one_of("event_type", ["payment_succeeded", "payment_refunded"]),
        ]
        with talking(listed("event", "ev_1")) as talk:
            found = list(talk.site.events.each(where, oldest_first="occurred_at"))

        assert found == [{"id": "ev_1"}]
        (seen,) = talk.server.seen
        assert seen.path == "/api/v2/events"
        assert seen.query == [
            LISTED,
            ("sort_by[asc]", "occurred_at"),
            ("occurred_at[between]", "[1773144000,1773144300]"),
            ("event_type[in]", '["payment_succeeded","payment_refunded"]'),
        ]

    def test_deleted_objects_are_asked_for_where_there_are_any(self) -> None:
        with talking(listed("invoice")) as talk:
            list(talk.site.invoices.each(include_deleted=True))
        assert ("include_deleted", "true") in talk.server.seen[0].query

        with talking(listed("item")) as talk:
            list(talk.site.items.each(include_deleted=True))
        assert talk.server.seen[0].query == [LISTED]

    def test_a_cursor_without_end_ends(self) -> None:
        with (
            talking(listed("invoice", "1", following="again")) as talk,
            pytest.raises(errors.Garbled),
        ):
            list(talk.site.invoices.each())

        assert len(talk.server.seen) <= 3

    def test_a_list_that_is_none_is_refused(self) -> None:
        with talking(answer(200, {"list": [{}]})) as talk, pytest.raises(errors.Garbled):
            list(talk.site.invoices.each())


class TestPages:
    def test_a_list_goes_on_from_the_offset_that_was_kept(self) -> None:
        with talking(listed("transaction", "9")) as talk:
            found = list(talk.site.transactions.pages(offset="kept", size=50))

        assert found == [Page([{"id": "9"}], None)]
        assert talk.server.seen[0].query == [("limit", "50"), ("offset", "kept")]


class TestRetrieve:
    def test_every_kind_has_its_place(self) -> None:
        kinds = {
            "customers": "customer", "item_families": "item_family", "items": "item",
            "item_prices": "item_price", "plans": "plan", "addons": "addon",
            "subscriptions": "subscription", "invoices": "invoice",
            "credit_notes": "credit_note", "transactions": "transaction", "events": "event",
            "webhook_endpoints": "webhook_endpoint",
        }  # fmt: skip
        number = count()
        for path, kind in kinds.items():
            with talking(answer(200, {kind: {"id": "a/1"}, "card": {}})) as talk:
                collection: Collection = getattr(talk.site, path)
                assert collection.retrieve("a/1") == {"id": "a/1"}
                assert talk.server.seen[0].path == f"/api/v2/{path}/a%2F1"
            next(number)

        assert next(number) == len(vars(talk.site)) - 1  # all but the client itself

    def test_what_is_not_there_is_named(self) -> None:
        gone = answer(404, {"api_error_code": "resource_not_found", "param": "customer_id"})
        with talking(gone) as talk, pytest.raises(errors.NotThere) as raised:
            talk.site.customers.retrieve("c1")

        assert raised.value.parameter == "customer_id"

    def test_an_answer_about_something_else_is_refused(self) -> None:
        with talking(answer(200, {"card": {}})) as talk, pytest.raises(errors.Garbled):
            talk.site.customers.retrieve("c1")


class TestWebhookEndpoints:
    def test_they_are_made_changed_and_deleted(self) -> None:
        made = answer(200, {"webhook_endpoint": {"id": "we_1"}})
        fields = {"name": "rewards", "url": "https://r.example.com/x", "enabled_events": ["a", "b"]}
        with talking(made) as talk:
            endpoints = talk.site.webhook_endpoints
            assert endpoints.create(fields)["id"] == "we_1"
            endpoints.update("we_1", {"disabled": False})
            endpoints.delete("we_1")

        sent = [(seen.method, seen.path, seen.form) for seen in talk.server.seen]
        assert sent == [
            (
                "POST",
                "/api/v2/webhook_endpoints",
                [
                    ("name", "rewards"),
                    ("url", "https://r.example.com/x"),
                    ("enabled_events[0]", "a"),
                    ("enabled_events[1]", "b"),
                ],
            ),
            ("POST", "/api/v2/webhook_endpoints/we_1", [("disabled", "false")]),
            ("POST", "/api/v2/webhook_endpoints/we_1/delete", []),
        ]
