"""The client against a mock of the description of Chargebee's API (Catalog 2.0 and shared parts).

The mock refuses requests that the description does not allow, with 422: an answer is a proof that
paths, parameters and forms are as described.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rewards_service.chargebee import errors
from rewards_service.chargebee.connecting import connected
from rewards_service.chargebee.forms import Filter, between, one_of
from rewards_service.chargebee.operations import Chargebee, Collection, WritableCollection
from rewards_service.kit.http import Patience
from rewards_service.settings import load_settings
from tests.chargebee.talking import NOON
from tests.peers.fake_time import FakeTime
from tests.peers.prism import Prism

KINDS = [
    "customers", "item_families", "items", "item_prices", "subscriptions", "invoices",
    "credit_notes", "transactions", "events", "webhook_endpoints",
]  # fmt: skip
ONE_ATTEMPT = Patience(attempts=1)


@contextmanager
def site_of(prism: Prism, folder: Path, code: int | None = None) -> Iterator[Chargebee]:
    """A site of the mock; with `code` it answers that, whatever it is asked."""
    names = {
        "VAR_DIR": str(folder),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CHARGEBEE_API_BASE": prism.url,
        "CHARGEBEE_REQUESTS_PER_MINUTE": "0",
    }
    headers = {} if code is None else {"Prefer": f"code={code}"}
    time = FakeTime()
    with connected(
        load_settings(names),
        "acme-test",
        "test_key",
        patience=ONE_ATTEMPT,
        headers=headers,
        clock=time.clock,
        sleep=time.sleep,
    ) as site:
        yield site


@pytest.fixture
def site(prism: Prism, tmp_path: Path) -> Iterator[Chargebee]:
    with site_of(prism, tmp_path) as site:
        yield site


class TestReading:
    @pytest.mark.parametrize("kind", KINDS)
    def test_lists_and_objects_are_where_the_client_looks(self, site: Chargebee, kind: str) -> None:
        collection: Collection = getattr(site, kind)
        page = next(collection.pages(include_deleted=True))

        assert [row["id"] for row in page.rows]
        assert isinstance(page.next_offset, str)
        assert collection.retrieve("an id/1")["id"]

    def test_events_are_found_by_time_type_and_order(self, site: Chargebee) -> None:
        where = [
            between("occurred_at", NOON, NOON),
            one_of("event_type", ["payment_succeeded", "payment_refunded"]),
        ]
        (page,) = [next(site.events.pages(where, oldest_first="occurred_at"))]

        assert page.rows[0]["event_type"]

    @pytest.mark.parametrize(
        ("kind", "wanted"),
        [
            ("customers", Filter("created_at", "after", NOON)),
            ("customers", Filter("email", "is", "a@example.com")),
            ("invoices", Filter("total", "gte", 100)),
            ("invoices", Filter("paid_at", "is_present", True)),
            ("transactions", Filter("status", "not_in", ["failure", "voided"])),
            ("subscriptions", Filter("updated_at", "between", [NOON, NOON])),
        ],
    )
    def test_filters_are_as_described(self, site: Chargebee, kind: str, wanted: Filter) -> None:
        collection: Collection = getattr(site, kind)

        assert next(collection.pages([wanted], size=1)).rows

    def test_a_page_that_is_too_large_is_refused(self, site: Chargebee) -> None:
        with pytest.raises(errors.ChargebeeError) as refused:
            next(site.customers.pages(size=500))

        assert refused.value.http_status == 422

    def test_what_the_description_does_not_have_is_not_there(self, site: Chargebee) -> None:
        with pytest.raises(errors.NotThere):
            site.plans.retrieve("basic")


class TestWriting:
    def test_webhook_endpoints_are_made_changed_and_deleted(self, site: Chargebee) -> None:
        fields = {
            "name": "rewards",
            "url": "https://rewards.example.com/webhooks/chargebee/k",
            "api_version": "v2",
            "chargebee_response_schema_type": "items",
            "send_card_resource": False,
            "basic_auth_username": "u",
            "basic_auth_password": "p",
            "enabled_events": ["payment_succeeded", "payment_refunded"],
        }

        assert site.webhook_endpoints.create(fields)["id"]
        assert site.webhook_endpoints.update("we_1", {"disabled": True})["id"]
        assert site.webhook_endpoints.delete("we_1")["id"]

    def test_an_endpoint_without_address_is_refused(self, site: Chargebee) -> None:
        with pytest.raises(errors.ChargebeeError):
            site.webhook_endpoints.create({"name": "rewards"})

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("customers", {"id": "c1", "billing_address": {"city": "Köln"}, "meta_data": {"a": 1}}),
            ("item_families", {"id": "f1", "name": "F"}),
            ("items", {"id": "i1", "name": "I", "type": "plan", "item_family_id": "f1"}),
            (
                "item_prices",
                {
                    "id": "p1", "name": "P", "item_id": "i1", "currency_code": "USD",
                    "tiers": [
                        {"starting_unit": 1, "ending_unit": 10, "price": 500},
                        {"starting_unit": 11, "price": 400},
                    ],
                },
            ),
        ],
    )  # fmt: skip
    def test_forms_are_as_described(
        self, site: Chargebee, kind: str, fields: dict[str, object]
    ) -> None:
        collection: WritableCollection = getattr(site, kind)

        assert collection.create(fields)["id"]


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "error"),
        [
            (400, errors.ChargebeeError),
            (401, errors.KeyRefused),
            (403, errors.NotAllowed),
            (404, errors.ChargebeeError),
            (405, errors.ChargebeeError),
            (409, errors.ChargebeeError),
            (422, errors.ChargebeeError),
            (429, errors.ChargebeeError),
            (500, errors.Unavailable),
            (503, errors.Unavailable),
        ],
    )
    def test_each_answer_has_its_error(
        self, prism: Prism, tmp_path: Path, code: int, error: type[errors.ChargebeeError]
    ) -> None:
        with site_of(prism, tmp_path, code) as site, pytest.raises(error) as raised:
            site.customers.retrieve("c1")

        assert raised.value.http_status == code
        assert raised.value.api_error_code
        assert raised.value.message
