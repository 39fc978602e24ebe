"""For which events Chargebee is asked before money follows: a choice of each integration."""

from collections.abc import Mapping
from typing import Any

from rewards_service.integrations.models import Integration
from rewards_service.kit.errors import Unprocessable
from rewards_service.kit.refusals import invalid_member

OFF, ABOVE = "off", "above"


class VerificationRequires(Unprocessable):
    code = "verification_requires"
    title = "Events cannot be verified like that."


def put(integration: Integration, wanted: Mapping[str, Any]) -> None:
    """Change what `verification` of `wanted` gives: `mode`, `above_minor` by currency.

    Raises VerificationRequires for a choice that would have events wait for ever.
    """
    given = wanted.get("verification", {})
    integration.verify = given.get("mode", integration.verify or OFF)
    integration.verify_above_minor = given.get("above_minor", integration.verify_above_minor)
    if integration.verify != OFF and integration.api_key_encrypted is None:
        raise invalid_member(
            "api_key" if "api_key" in wanted else "verification/mode",
            "Asking Chargebee takes an API key: set one, or switch verification off.",
            VerificationRequires,
        )
    if integration.verify == ABOVE and not integration.verify_above_minor:
        raise invalid_member(
            "verification/above_minor",
            "Name the amount above which to ask, of one currency at least. "
            "Currencies that are not named are always asked about.",
            VerificationRequires,
        )


def facts(integration: Integration) -> dict[str, Any]:
    """The choice as the audit log keeps it."""
    return {
        "verify": integration.verify or OFF,
        "verify_above_minor": integration.verify_above_minor,
    }
