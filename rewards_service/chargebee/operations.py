"""What the service asks of Chargebee: the kinds of objects, and what can be done with each."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from rewards_service.chargebee.client import ChargebeeClient
from rewards_service.chargebee.errors import Garbled
from rewards_service.chargebee.forms import Filter
from rewards_service.chargebee.idempotency import IdempotencyKey
from rewards_service.chargebee.paging import MAX_PAGE, Page, pages, read_page
from rewards_service.chargebee.wire import Payload


class Collection:
    """The objects of one kind at a site: `path` in the API, `kind` in its answers.

    has_deleted: the list shows deleted objects when asked to; others it just leaves out.
    """

    def __init__(
        self, client: ChargebeeClient, path: str, kind: str, has_deleted: bool = False
    ) -> None:
        self.kind = kind
        self._client = client
        self._path = path
        self._has_deleted = has_deleted

    def retrieve(self, object_id: str) -> Payload:
        """One object. Raises NotThere, and what `ChargebeeClient.get` raises."""
        answer = self._client.get(f"get one of the {self._path}", (self._path, object_id))
        return self._only(answer)

    def pages(
        self,
        where: Sequence[Filter] = (),
        *,
        oldest_first: str | None = None,
        include_deleted: bool = False,
        size: int = MAX_PAGE,
        offset: str | None = None,
    ) -> Iterator[Page]:
        """The list, page by page, each asked for when it is wanted.

        oldest_first: the time to sort by (`occurred_at`, `updated_at`); otherwise Chargebee's own
        order. A filter of `updated_at` leaves out what never changed: for all, send none. size: 1
        to 100. offset: the `next_offset` of a page, to go on after it, with the same filters.
        """
        query = [("limit", str(size))]
        if oldest_first is not None:
            query.append(("sort_by[asc]", oldest_first))
        if include_deleted and self._has_deleted:
            query.append(("include_deleted", "true"))

        def fetch(at: str | None) -> Page:
            here = query if at is None else [*query, ("offset", at)]
            answer = self._client.get(f"list {self._path}", (self._path,), where, here)
            return read_page(answer, self.kind)

        return pages(fetch, offset)

    def each(
        self,
        where: Sequence[Filter] = (),
        *,
        oldest_first: str | None = None,
        include_deleted: bool = False,
    ) -> Iterator[Payload]:
        """The list, object by object; see `pages`."""
        found = self.pages(where, oldest_first=oldest_first, include_deleted=include_deleted)
        for page in found:
            yield from page.rows

    def _only(self, answer: Payload) -> Payload:
        found = answer.get(self.kind)
        if not isinstance(found, dict):
            raise Garbled(f"Chargebee's answer holds no {self.kind}.")
        return found


class WritableCollection(Collection):
    """Objects that can be made, changed and deleted. key: see `ChargebeeClient.post`."""

    def create(self, fields: Mapping[str, Any], key: IdempotencyKey | None = None) -> Payload:
        """Make one. With an `id` of ours in `fields`, a second one raises AlreadyThere."""
        name = f"make one of the {self._path}"
        return self._only(self._client.post(name, (self._path,), fields, key))

    def update(
        self, object_id: str, fields: Mapping[str, Any], key: IdempotencyKey | None = None
    ) -> Payload:
        """Change what `fields` names; the rest stays."""
        name = f"change one of the {self._path}"
        return self._only(self._client.post(name, (self._path, object_id), fields, key))

    def delete(self, object_id: str, key: IdempotencyKey | None = None) -> Payload:
        """Delete one; its last state. Raises NotThere when it is gone."""
        name = f"delete one of the {self._path}"
        return self._only(self._client.post(name, (self._path, object_id, "delete"), None, key))


class Chargebee:
    """A connected site. Plans and addons exist on sites of Product Catalog 1.0 only."""

    def __init__(self, client: ChargebeeClient) -> None:
        self._client = client
        self.customers = WritableCollection(client, "customers", "customer", has_deleted=True)
        self.item_families = WritableCollection(client, "item_families", "item_family")
        self.items = WritableCollection(client, "items", "item")
        self.item_prices = WritableCollection(client, "item_prices", "item_price")
        self.plans = Collection(client, "plans", "plan", has_deleted=True)
        self.addons = Collection(client, "addons", "addon", has_deleted=True)
        self.subscriptions = Collection(client, "subscriptions", "subscription", has_deleted=True)
        self.invoices = Collection(client, "invoices", "invoice", has_deleted=True)
        self.credit_notes = Collection(client, "credit_notes", "credit_note", has_deleted=True)
        self.transactions = Collection(client, "transactions", "transaction", has_deleted=True)
        self.events = Collection(client, "events", "event")
        self.webhook_endpoints = WritableCollection(client, "webhook_endpoints", "webhook_endpoint")

    @property
    def clock_ahead(self) -> timedelta | None:
        """How far our clock is ahead of Chargebee's, to a second or two; None before an answer."""
        return self._client.clock_ahead

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
