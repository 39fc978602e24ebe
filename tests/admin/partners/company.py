"""A company with all that these pages show: levels, rules of many kinds, rewards."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.partners.payout_details import change_details
from rewards_service.partners.service import change_partner, get_partner
from rewards_service.programs import levels, service
from rewards_service.programs.schemas import RuleSchema
from rewards_service.settings import Settings
from tests.builders.chargebee import START, paid
from tests.builders.world import World

HOSTILE = "<b>Ann</b> \u202e& Söhne =1+1"
IBAN = "DE89370400440532013000"
# Everything that a rule can say, as the API takes it.
RICH: dict[str, Any] = {
    "name": "Volume", "kind": "percent", "base": "gross", "rounding": "half_up", "hold_days": 14,
    "tiers": {
        "mode": "graduated", "metric": "base_amount", "window": "month",
        "steps": [{"up_to": {"USD": 100_000, "JPY": 90_000}, "rate": "0.05"},
                  {"up_to": None, "rate": "0.075"}],
    },
    "first_months": 12, "first_payments": 20, "annual": "prorate",
    "min_amount_minor": {"USD": 1_000}, "max_reward_minor": {"USD": 50_000},
    "caps": [{"scope": "customer", "window": "lifetime", "amounts": {"USD": 500_000}},
             {"scope": "partner", "window": "month", "amounts": {"USD": 900_000}}],
    "item_filter": {"include": ["pro*"], "exclude": ["pro-old"],
                    "entity_types": ["plan_item_price", "addon_item_price"]},
    "conditions": {"countries": ["DE", "AT"], "excluded_customer_ids": ["cb9"]},
    "trigger": "transaction", "stack_group": "volume", "priority": 3,
    "rate_lock": "at_attribution", "refund_allocation": "by_line",
}  # fmt: skip


@dataclass
class Company:
    """Keys of what is there."""

    world: World
    ann: int
    gold: int
    rich: int

    @property
    def partner(self) -> str:
        return f"/partners/{ids.encode('par', self.ann)}"

    @property
    def program(self) -> str:
        return f"/programs/{ids.encode('prg', self.world.program)}"

    def rule(self, key: int | None = None) -> str:
        return f"/rules/{ids.encode('rul', key or self.world.rule)}"


def found(world: World, settings: Settings) -> Company:
    """A partner with two customers who paid in the last weeks; rules with versions."""
    ann = world.partner("Ann")
    today = (utc_now() - START).days
    for number in range(1, 4):
        email = f"c{number % 2}@customer.example"
        if number < 3:
            world.lead(email, ann)
        world.site.accept(paid(str(number), f"cb{number % 2}", email, 10_000 * number,
                               today - 10 * number))  # fmt: skip
    world.deal("c9@customer.example", ann)
    world.drain()
    with transaction(world.engine) as session:
        gold = levels.create_level(session, world.program, "Gold", "cli").id
        rich = make_rule(session, world.program, RICH, gold)
        service.change_rule(session, rich, {"first_months": 6, "priority": 4}, "cli")
        service.change_rule(session, world.rule, {"hold_days": 30, "name": "Standard"}, "cli")
        change_partner(session, ann, {"name": HOSTILE, "payout_currency": "USD"}, "cli")
        details = {"iban": IBAN, "account_name": "Ann Example"}
        change_details(session, settings, get_partner(session, ann), details, "cli")
    return Company(world, ann, gold, rich)


def make_rule(session: Session, program: int, body: dict[str, Any], level: int | None) -> int:
    """A rule as the API makes it; its key."""
    said = RuleSchema(exclude=("program_id", "level_id")).load(body)
    wanted = {**said, "program_id": program, "level_id": level}
    return service.create_rule(session, wanted, "cli").id
