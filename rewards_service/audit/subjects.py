"""What entries are about, and what the API calls such things."""

from rewards_service.kit import ids

PREFIXES = {
    "api_key": "key", "conflict": "cfl", "customer": "cus", "deal": "dea", "event": "evt",
    "exchange_rate": "fxr", "export": "exp", "integration": "int", "lead": "led", "partner": "par",
    "payout": "pay", "payout_schedule": "sch", "program": "prg", "program_level": "lvl",
    "reward": "rew", "reward_rule": "rul", "transaction": "txn", "user": "usr",
    "webhook_endpoint": "whe",
}  # fmt: skip
OTHER = "sub"


def public_id(kind: str, key: int) -> str:
    """The id by which the API names a subject."""
    return ids.encode(PREFIXES.get(kind, OTHER), key)


def key_of(text: str) -> int | None:
    """The key behind the public id of a subject of any kind; None when it is none."""
    return ids.decode(text.partition("_")[0], text)
