"""The strict JSON of `kit.strict_json`, and what of a body may be kept (pure)."""

from rewards_service.inbox.envelope import card_free
from rewards_service.kit.strict_json import NotJson, parse

__all__ = ["NotJson", "card_free", "parse"]
