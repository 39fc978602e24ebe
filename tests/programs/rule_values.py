"""Rules as the service gets them, keeps them and shows them."""

from types import SimpleNamespace
from typing import Any

import orjson

from rewards_service.programs import terms
from rewards_service.programs.rule_schemas import TermsSchema
from tests.builders.api import Json

PERCENT: Json = {"kind": "percent", "rate": "0.20"}
FIVE: Json = {"kind": "flat", "amounts": {"USD": 500}}


def rule(**body: Any) -> dict[str, Any]:
    """The rule of an API body, as the service gets it."""
    return terms.complete(TermsSchema().load(body))


def kept_row(members: terms.Rule) -> Any:
    """What the database gives back of a rule."""
    kept = orjson.loads(orjson.dumps(terms.stored(members)))
    return SimpleNamespace(
        **{**members, "terms": kept, "rate_millionths": terms.kept_rate(members)}
    )


def shown(members: terms.Rule) -> Json:
    found: Json = TermsSchema().dump(terms.members_of(kept_row(members)))
    return found
