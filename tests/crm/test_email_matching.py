"""Which spellings of an e-mail find a lead, from the event to the books."""

from typing import Any

import pytest

from rewards_service.crm.models import Lead
from tests.builders.chargebee import paid
from tests.builders.world import World

ADA = "ada@one.example"


def converted(world: World, lead: int) -> Any:
    """The customer a lead was converted to, by key; None while it is open."""
    return world.get(Lead, lead).customer_id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestEmail:
    @pytest.mark.parametrize(
        ("at_lead", "at_payment"),
        [
            ("ada@one.example", "  ADA@One.Example\u00a0"),
            ("ada@one.example", "ada\uff20one.example"),
            ("ada@one.example", "a\u200bda@one.exa\u00admple"),
            ("kelvin@one.example", "\u212aelvin@one.example"),
            ("ada@m\u00fcller.example", "ada@M\u00dcLLER.example"),
            ("ada@xn--mller-kva.example", "ada@m\u00fcller.example"),
            ("stra\u00dfe@one.example", "strasse@one.example"),
            ('"a@b"@one.example', '"A@B"@one.example'),
        ],
    )
    def test_spellings_of_one_address_find_the_lead(
        self, at_lead: str, at_payment: str, world: World
    ) -> None:
        """DOMAIN E1, E2, E3."""
        lead = world.lead(at_lead, world.partner())
        world.receive(paid("p", "cb_1", at_payment))
        assert converted(world, lead) is not None
        assert world.outcome("ev_p") == "transaction_recorded"

    @pytest.mark.parametrize(
        ("at_lead", "at_payment"),
        [
            ("ada@one.example", "ada+shop@one.example"),
            ("a.da@gmail.com", "ada@gmail.com"),
            ("ada@fass.example", "ada@fa\u00df.example"),
            ("ada@one.example", "\u0430da@one.example"),
            ("i@one.example", "\u0131@one.example"),
            ("ada@one.example", "ada@one.example.net"),
        ],
    )
    def test_addresses_that_only_look_alike_never_move_money(
        self, at_lead: str, at_payment: str, world: World
    ) -> None:
        """DOMAIN E2, E3, E4."""
        lead = world.lead(at_lead, world.partner())
        world.receive(paid("p", "cb_1", at_payment))
        assert converted(world, lead) is None
        assert world.outcome("ev_p") == "unknown_customer"

    @pytest.mark.parametrize("email", [["ada@one.example"], 7, {"a": 1}, "a\x07da@one.example",
                                       "\ud800@one.example"])  # fmt: skip
    def test_what_can_be_no_address_is_quarantined(self, email: object, world: World) -> None:
        """DOMAIN E1."""
        world.lead(ADA, world.partner())
        world.receive(paid("p", "cb_1", email))
        assert world.ended("ev_p") == ("quarantined", "bad_payload")

    def test_the_raw_email_is_kept_beside_the_key(self, world: World) -> None:
        """DOMAIN E1, E5."""
        world.lead(ADA, world.partner())
        world.receive(paid("p", "cb_1", " ADA@One.example"))
        found = world.customer_of("cb_1")
        assert (found.email, found.email_key, found.key_version) == ("ADA@One.example", ADA, 1)
