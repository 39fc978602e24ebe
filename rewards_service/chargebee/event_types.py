"""Which of Chargebee's events a webhook of ours asks for (pure).

Those that move rewards, and those that keep the mirror of the site whole. Chargebee has some 230; a
webhook that names none gets all of them.
"""

PAYMENTS = (
    "transaction_created", "transaction_updated", "transaction_deleted", "payment_succeeded",
    "payment_failed", "payment_refunded", "payment_initiated", "refund_initiated",
    "authorization_succeeded", "authorization_voided",
)  # fmt: skip
INVOICES = (
    "pending_invoice_created", "pending_invoice_updated", "invoice_generated",
    "invoice_generated_with_backdating", "invoice_updated", "invoice_deleted",
    "credit_note_created", "credit_note_created_with_backdating", "credit_note_updated",
    "credit_note_deleted",
)  # fmt: skip
CUSTOMERS = (
    "customer_created", "customer_changed", "customer_deleted", "customer_moved_out",
    "customer_moved_in", "hierarchy_created", "hierarchy_deleted",
    "customer_business_entity_changed", "customer_entitlements_updated",
)  # fmt: skip
SUBSCRIPTIONS = (
    "subscription_created", "subscription_created_with_backdating", "subscription_started",
    "subscription_trial_end_reminder", "subscription_activated",
    "subscription_activated_with_backdating", "subscription_changed",
    "subscription_trial_extended", "mrr_updated", "subscription_changed_with_backdating",
    "subscription_cancellation_scheduled", "subscription_cancellation_reminder",
    "subscription_cancelled", "subscription_canceled_with_backdating", "subscription_reactivated",
    "subscription_reactivated_with_backdating", "subscription_renewed",
    "subscription_scheduled_cancellation_removed", "subscription_changes_scheduled",
    "subscription_scheduled_changes_removed", "subscription_shipping_address_updated",
    "subscription_deleted", "subscription_paused", "subscription_pause_scheduled",
    "subscription_scheduled_pause_removed", "subscription_resumed",
    "subscription_resumption_scheduled", "subscription_scheduled_resumption_removed",
    "subscription_renewal_reminder", "subscription_business_entity_changed",
    "subscription_moved_in", "subscription_moved_out", "subscription_movement_failed",
)  # fmt: skip
CATALOGUE = (
    "item_family_created", "item_family_updated", "item_family_deleted", "item_created",
    "item_updated", "item_deleted", "item_price_created", "item_price_updated",
    "item_price_deleted", "item_price_entitlements_updated", "item_price_entitlements_removed",
    "plan_created", "plan_updated", "plan_deleted", "addon_created", "addon_updated",
    "addon_deleted",
)  # fmt: skip
OTHERS = (
    "promotional_credits_added", "promotional_credits_deducted", "dunning_updated",
    "tax_withheld_recorded", "tax_withheld_deleted", "tax_withheld_refunded", "gift_scheduled",
    "gift_unclaimed", "gift_claimed", "gift_expired", "gift_cancelled", "gift_updated",
    "usage_file_ingested",
)  # fmt: skip
ENDPOINT_EVENTS = (*PAYMENTS, *INVOICES, *CUSTOMERS, *SUBSCRIPTIONS, *CATALOGUE, *OTHERS)
