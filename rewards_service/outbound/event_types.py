"""What is told to those who asked for it (pure). See docs/outbound.md for each of them."""

REWARD = (
    "reward.created", "reward.approved", "reward.declined", "reward.held", "reward.released",
    "reward.adjusted", "reward.reversed", "reward.paid",
)  # fmt: skip
PAYOUT = (
    "payout.created", "payout.submitted", "payout.ready", "payout.paid", "payout.cancelled",
)  # fmt: skip
CUSTOMER = ("customer.converted",)
TRANSACTION = ("transaction.created", "transaction.updated", "transaction.withdrawn")
TEST = "webhook.test"  # only ever sent because somebody asked for it
ALL = "*"
EVENT_TYPES = (*REWARD, *PAYOUT, *CUSTOMER, *TRANSACTION)
