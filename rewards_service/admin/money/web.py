"""Every page about money, in the order in which modules put them on their subjects."""

from rewards_service.admin.money import (
    blueprints,
    payout_files,
    payout_list,
    payout_making,
    payout_routes,
    reward_bulk,
    reward_list,
    reward_routes,
    schedule_routes,
)

MODULES = (
    reward_list, reward_bulk, reward_routes,
    payout_list, payout_making, schedule_routes, payout_routes, payout_files,
)  # fmt: skip
BLUEPRINTS = (blueprints.rewards, blueprints.payouts)
