"""What revenue is made of, as Chargebee's webhooks carry it: subscriptions and what is sold."""

from typing import Any

from tests.builders.chargebee import Json, epoch


def subscription(name: str, owner: str = "c", day: float = 0, **members: Any) -> Json:
    """An active subscription of Product Catalog 2.0 with one item."""
    return {
        "id": name, "object": "subscription", "customer_id": owner, "status": "active",
        "currency_code": "USD", "deleted": False, "mrr": 4_500,
        "resource_version": epoch(day) * 1000, "updated_at": epoch(day),
        "subscription_items": [item("pro-USD", 4_500)],
        **members,
    }  # fmt: skip


def item(price: str, amount: int, quantity: int = 1, **members: Any) -> Json:
    """An item of a subscription."""
    return {
        "item_price_id": price, "item_type": "plan", "quantity": quantity, "amount": amount,
        "unit_price": amount // quantity, "object": "subscription_item", **members,
    }  # fmt: skip


def sold(kind: str, name: str, day: float = 0, **members: Any) -> Json:
    """An item family, item, item price, plan or addon."""
    return {
        "id": name, "object": kind, "name": name.title(), "status": "active",
        "resource_version": epoch(day) * 1000, "updated_at": epoch(day), **members,
    }  # fmt: skip
