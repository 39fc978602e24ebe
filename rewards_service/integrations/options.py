"""The three switches of a Chargebee integration and which sets of them are lawful (pure)."""

from typing import NamedTuple

MODES = ("live", "observe", "off")
HIERARCHIES = ("invoice", "root")
VERIFY_MODES = ("off", "above", "always")
CONFLICT_POLICIES = ("hold", "first_wins")


class Options(NamedTuple):
    """What an integration does with a payment, as in force when an event was received (M13)."""

    convert_lead: bool
    associate_deal: bool
    create_transaction: bool
    mode: str = "live"
    hierarchy: str = "invoice"
    conflict: str = "hold"

    @property
    def all_off(self) -> bool:
        switches = (self.convert_lead, self.associate_deal, self.create_transaction)
        return self.mode == "off" or not any(switches)

    @property
    def is_lawful(self) -> bool:
        """A transaction needs a customer, and only the other two options find one (M12)."""
        return not self.create_transaction or self.convert_lead or self.associate_deal
