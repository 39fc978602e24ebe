"""Which errors an operation can answer with, beyond those that all of its kind can (tables).

A new error of a service is entered here under the operations that can raise it; tests call every
operation, and fail when one answers what its description does not say.
"""

_PAYOUT_MOVES = ("payout_wrong_status", "payout_disagrees_with_ledger")
_WEBHOOK = ("api_key_missing", "webhook_address_unusable", "webhook_limit")
_FILES = (*_PAYOUT_MOVES, "payout_details_missing", "payer_missing", "sepa_refused")

# 409: what `code` can be, besides `conflict`.
CONFLICTS: dict[str, tuple[str, ...]] = {
    "create_integration": ("site_taken",),
    "change_integration": ("site_taken",),
    "rotate_secret": _WEBHOOK,
    "connect_webhook": _WEBHOOK,
    "examine_webhook": ("api_key_missing",),
    "remove_webhook": ("api_key_missing",),
    "poll_integration": ("api_key_missing", "poll_running"),
    "begin_backfill": ("api_key_missing", "integration_not_live"),
    "preview_past_rewards": ("history_incomplete", "integration_not_live"),
    "post_past_rewards": ("history_incomplete", "integration_not_live"),
    "reconcile": ("api_key_missing",),
    "change_program": ("timezone_in_use",),
    "create_level": ("level_name_taken",),
    "change_level": ("level_name_taken",),
    "delete_level": ("level_in_use",),
    "create_partner": ("external_id_taken",),
    "change_partner": ("external_id_taken",),
    "create_lead": ("external_id_taken",),
    "change_lead": ("external_id_taken", "lead_converted"),
    "import_leads": ("external_id_taken",),
    "import_deals": ("external_id_taken",),
    "create_deal": ("external_id_taken",),
    "change_deal": ("external_id_taken", "deal_associated"),
    "attach_event": (
        "customer_has_chargebee_id", "deal_associated", "event_pending", "lead_converted",
        "not_a_payment", "payer_known",
    ),
    "replay_event": ("body_purged", "event_pending"),
    "verify_event": ("event_not_refused", "api_key_missing"),
    "resolve_conflict": ("conflict_resolved", "conflict_outdated"),
    "approve_reward": ("unlawful_move",),
    "decline_reward": ("unlawful_move",),
    "hold_reward": ("unlawful_move",),
    "release_reward": ("unlawful_move",),
    "adjust_reward": ("unlawful_move",),
    "submit_payout": (*_PAYOUT_MOVES, "rate_missing", "payout_held"),
    "accept_payout": (*_PAYOUT_MOVES, "rate_missing", "payout_held"),
    "mark_payout_paid": (*_PAYOUT_MOVES, "rate_missing", "payout_held"),
    "cancel_payout": _PAYOUT_MOVES,
    "refresh_payout_rate": ("payout_wrong_status", "rate_missing", "payout_held"),
    "attach_invoice": ("payout_wrong_status",),
    "export_payout": _FILES,
    "export_payouts": _FILES,
    "create_export": ("too_many_exports",),
    "get_export_file": ("export_not_ready",),
    "create_webhook_endpoint": ("too_many_webhook_endpoints",),
    "test_webhook_endpoint": ("webhook_endpoint_disabled",),
    "resend_delivery": ("webhook_endpoint_disabled",),
    "resend_delivery_by_its_id": ("webhook_endpoint_disabled",),
}  # fmt: skip

# 404 though the path names nothing: the body or the query does.
LOOKS_UP = ("get_balances", "export_payouts", "create_payouts")

# What is not there yet when the thing was just made: no link leads to it from there.
COMES_LATER = (
    "get_backfill", "pause_backfill", "preview_past_rewards", "post_past_rewards", "get_invoice",
)  # fmt: skip

# The status of a dry run, which makes nothing, where the real thing is answered with 201.
REHEARSED = {"create_payouts": "200"}

# These ask Chargebee: 502, 503 and 504 say what came of it.
ASKS_CHARGEBEE = (
    "rotate_secret", "connect_webhook", "examine_webhook", "remove_webhook", "poll_integration",
)  # fmt: skip
