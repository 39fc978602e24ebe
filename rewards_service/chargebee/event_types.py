"""Which events the service follows, with the one object that each cannot do without (pure).

Of the others nothing is kept but the event itself. Source: the official list of event types with
what each carries.
"""

from rewards_service.chargebee.catalog import ADDON, GIFT, ITEM, ITEM_FAMILY, ITEM_PRICE, PLAN
from rewards_service.chargebee.resources import CREDIT_NOTE, CUSTOMER, INVOICE, TRANSACTION
from rewards_service.chargebee.subscriptions import SUBSCRIPTION

PAYMENT_SUCCEEDED = "payment_succeeded"

_TYPES = {
    TRANSACTION: (
        PAYMENT_SUCCEEDED, "payment_failed", "payment_refunded", "refund_initiated",
        "payment_initiated", "transaction_created", "transaction_updated", "transaction_deleted",
        "authorization_succeeded", "authorization_voided",
    ),
    INVOICE: (
        "invoice_generated", "invoice_generated_with_backdating", "invoice_updated",
        "invoice_deleted", "pending_invoice_created", "pending_invoice_updated",
        "dunning_updated",
    ),
    CREDIT_NOTE: (
        "credit_note_created", "credit_note_created_with_backdating", "credit_note_updated",
        "credit_note_deleted",
    ),
    CUSTOMER: (
        "customer_created", "customer_changed", "customer_deleted", "customer_moved_in",
        "customer_moved_out", "customer_business_entity_changed", "hierarchy_created",
        "hierarchy_deleted", "promotional_credits_added", "promotional_credits_deducted",
    ),
    SUBSCRIPTION: (
        "mrr_updated", "subscription_activated", "subscription_activated_with_backdating",
        "subscription_business_entity_changed", "subscription_canceled_with_backdating",
        "subscription_cancellation_reminder", "subscription_cancellation_scheduled",
        "subscription_cancelled", "subscription_changed", "subscription_changed_with_backdating",
        "subscription_changes_scheduled", "subscription_created",
        "subscription_created_with_backdating", "subscription_deleted", "subscription_moved_in",
        "subscription_moved_out", "subscription_movement_failed", "subscription_pause_scheduled",
        "subscription_paused", "subscription_reactivated",
        "subscription_reactivated_with_backdating", "subscription_renewal_reminder",
        "subscription_renewed", "subscription_resumed", "subscription_resumption_scheduled",
        "subscription_scheduled_cancellation_removed", "subscription_scheduled_changes_removed",
        "subscription_scheduled_pause_removed", "subscription_scheduled_resumption_removed",
        "subscription_shipping_address_updated", "subscription_started",
        "subscription_trial_end_reminder", "subscription_trial_extended",
    ),
    GIFT: (
        "gift_scheduled", "gift_unclaimed", "gift_claimed", "gift_expired", "gift_cancelled",
        "gift_updated",
    ),
    **{
        kind: tuple(f"{kind}_{what}" for what in ("created", "updated", "deleted"))
        for kind in (ITEM_FAMILY, ITEM, ITEM_PRICE, PLAN, ADDON)
    },
    # Not mirrored itself; what they carry beside it is.
    "tax_withheld": ("tax_withheld_recorded", "tax_withheld_deleted", "tax_withheld_refunded"),
}  # fmt: skip

HANDLED = {name: main for main, names in _TYPES.items() for name in names}
# What a webhook of ours asks for. Chargebee has some 230; one that names none gets all of them.
# The last four tell of nothing that is mirrored yet, but may not be asked for later: they are kept.
ENDPOINT_EVENTS = (
    *HANDLED, "customer_entitlements_updated", "item_price_entitlements_updated",
    "item_price_entitlements_removed", "usage_file_ingested",
)  # fmt: skip
