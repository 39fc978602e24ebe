"""Values for examples: one company, its partners and a payment of 100 USD (tables)."""

from typing import Any

from rewards_service.kit import ids

# By the name of a member, wherever it stands.
BY_NAME: dict[str, Any] = {
    "Currency": "USD", "Country": "DE",
    "action": "partner.changed", "actor": "key:1", "amount_minor": 2_000, "amounts": {"USD": 500},
    "api_version": "v2", "asked_by": "cli", "at": "2026-03-14T09:26:53Z",
    "attempts": 1, "bic": "COBADEFFXXX", "chargebee_customer_id": "cus_acme",
    "chargebee_id": "txn_AzZhrhUsJ0001", "chargebee_invoice_id": "INV-1042",
    "chargebee_transaction_id": "txn_AzZhrhUsJ0001", "chargebee_ids": None,
    "code": None, "company": "Acme Inc.", "conversion": None, "contact_email": "eve@acme.example",
    "currency": "USD", "current_minor": 2_000, "decision": None,
    "description": "For agencies that resell the product.", "detail": "20 % of 100.00 USD",
    "difference_minor": 500, "draft_minor": 2_500, "email": "eve@acme.example",
    "error": None, "event_type": "payment_succeeded", "exact_minor": "2000",
    "exchange_rate": None, "expires_at": "2030-01-01T00:00:00Z", "external_id": "crm-1042",
    "file_name": "payouts-2026-03-usd.csv", "first_name": "Eve", "from_currency": "EUR",
    "hold_reason": None, "iban": "DE89370400440532013000", "invoice_number": "2026-007",
    "key": "rk_4zqsxdqv6b6nn_0c1f3b4a6d8f8f0a4f7a3c9f11", "label": "Rate", "last_name": "Jones",
    "ledger_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "max_reward_minor": {"USD": 50_000}, "min_amount_minor": {"USD": 1_000}, "name": "Acme Inc.",
    "note": None, "outcome": "transaction_recorded", "part": 1, "parts": 1,
    "pay_amount_minor": 2_000, "pay_currency": "USD", "pay_total_minor": 2_000,
    "paypal_email": "ann@partner.example", "wise_email": "ann@partner.example",
    "account_name": "Ann Partner", "priority": 0, "problem": None, "rate": "0.20",
    "rate_on": "2026-03-31", "rate_source": "ECB", "reason": None, "remedy": None,
    "reference": "SEPA-2026-03", "resolved_at": None, "resolved_by": None, "revoked_at": None,
    "scopes": ["rewards:read", "payouts:read"], "scope": "rewards:read", "seq": 1,
    "silent_since": None, "site": "acme-test", "source": "ECB", "subject_kind": "partner",
    "subject": ids.encode("cus", 1), "subject_id": ids.encode("par", 1),
    "rule_id": ids.encode("rul", 1),
    "text": "20 % of 100.00 USD is 20.00 USD.", "thresholds": {"USD": 5_000},
    "threshold_minor": 5_000, "timezone": "Europe/Berlin", "to_currency": "USD",
    "total_minor": 2_000, "until_at": None, "value_minor": 2_000, "version": 1,
    "webhook_password": "9QhT6m1o-kept-by-nobody", "webhook_username": "rewards",
    "webhook_url": "https://rewards.example.com/webhooks/chargebee/k3J9", "year": 2026,
    "reward_count": 1, "last_run_on": None, "next_run_on": "2026-04-01", "rule_version": 1,
    "basis_points": 10_000, "cut_off": "2026-03-31", "paid_on": "2026-04-02", "hold_until_on": None,
}  # fmt: skip

# Members that an example does better without: they exclude others, or say nothing there.
LEFT_OUT: dict[str, tuple[str, ...]] = {
    "AttachInput": ("deal_id", "customer_id"),
    "Attach": ("deal_id", "customer_id"),
    "BulkInput": ("until",), "Bulk": ("until",),
    "PartnerInput": ("enrolments",), "PartnerChange": ("enrolments", "status"),
    "Resolve": ("customer_id",),
    "Invoice": ("document", "media_type"),
    "ExportRequest": ("report",), "ExportRequestInput": ("report",),
    "Trial": ("webhook_username", "webhook_password"),
}  # fmt: skip

# Members that depend on each other: by the name of the component.
TOGETHER: dict[str, dict[str, Any]] = {
    name: {
        "kind": "percent", "rate": "0.20", "amounts": None, "base": "net",
        "rounding": "half_even", "hold_days": 30, "trigger": "transaction", "stack_group": None,
        "rate_lock": "at_payment", "first_payments": None, "first_months": 12, "annual": "full",
        "min_amount_minor": None, "max_reward_minor": None, "caps": [], "tiers": None,
        "rate_steps": [], "item_filter": None, "conditions": None, "flat_refund": None,
        "flat_refund_threshold": None, "refund_allocation": "pro_rata", "level_id": None,
        "effective_from": None,
    }
    for name in ("Rule", "RuleVersion")
} | {
    name: {"rate": "1.0842"} for name in ("ExchangeRate", "ExchangeRateInput", "UsedRate", "Line")
}  # fmt: skip

_ANN = {"name": "Ann", "email": "ann@partner.example", "status": "active"}
_DEAL = {"name": "Acme, 50 seats", "amount_minor": 1_200_000}
TOGETHER |= {
    "ApiKey": {"name": "Reporting"},
    "ApiKeyInput": {"name": "Reporting"},
    "Deal": {**_DEAL, "stage": "won"},
    "DealChange": {**_DEAL, "stage": "won"},
    "DealInput": {**_DEAL, "stage": "open"},
    "Export": {
        "resource": "rewards", "report": None, "format": "csv", "filters": {"status": "approved"},
        "state": "done", "rows": 1, "size": 245, "file_name": "rewards-2026-03-31.csv",
        "file": f"/api/v1/exports/{ids.encode('exp', 1)}/file", "error": None,
    },
    "ExportRequest": {
        "resource": "rewards", "format": "csv", "filters": {"status": "approved"},
    },
    "Event": {"state": "done"},
    "EventWithBody": {"state": "done", "body": {"id": "ev_AzZhrhUsJ0002", "content": {}}},
    "Lead": {"status": "converted"},
    "LeadChange": {"status": "accepted"},
    "LeadInput": {"status": "accepted"},
    "Level": {"name": "Gold"},
    "LevelInput": {"name": "Gold"},
    "Partner": _ANN,
    "PartnerChange": _ANN,
    "PartnerInput": _ANN,
    "Payout": {
        "status": "draft", "paid_on": None, "paid_at": None, "ready_at": None, "reference": None,
        "invoice_number": None, "exports": [],
    },
    "Program": {"name": "Agencies"},
    "ProgramChange": {"name": "Agencies"},
    "ProgramInput": {"name": "Agencies"},
    "Reward": {"status": "approved"},
}  # fmt: skip

_CONVERTED: dict[str, Any] = {
    "convert_to": None,
    "convert_on": None,
    "rates": [],
    "missing_rates": [],
}
_MARCH = {"from": "2026-03-01T00:00:00Z", "before": "2026-04-01T00:00:00Z"}
_OWED = {
    "pending_minor": 500,
    "held_minor": 0,
    "approved_minor": 2_000,
    "in_payout_minor": 0,
    "owed_back_minor": 0,
    "total_minor": 2_500,
}
_EARNED = {
    "amount_minor": 2_000,
    "earned_minor": 2_500,
    "reversed_minor": -500,
    "adjusted_minor": 0,
    "declined_minor": 0,
    "paid_minor": 0,
    "rewards": 1,
    "entries": 2,
    "status": "approved",
}
_CONVERSION = {
    "registered": 4,
    "converted": 2,
    "paid": 1,
    "conversion_rate": "0.50",
    "payment_rate": "0.25",
    "median_days_to_conversion": "12",
    "median_days_to_payment": "14",
}
_ENDPOINT = {
    "url": "https://books.example.com/hooks/rewards",
    "events": ["reward.approved", "payout.paid"],
    "description": "Books",
    "enabled": True,
    "disabled_reason": None,
    "disabled_at": None,
    "previous_secret_expires_at": None,
    "warnings": [],
}
_DELIVERY = {
    "message_id": "msg_5f0c3b0e9d1f4a53a6a1c2d7b8e90f12",
    "event_type": "reward.approved",
    "subject": ids.encode("rew", 1),
    "state": "delivered",
    "next_attempt_at": None,
}
_SECRET = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
TOGETHER |= {
    "Attempt": {"number": 1, "duration_ms": 85, "status": 204, "detail": None, "excerpt": None},
    "Delivery": _DELIVERY,
    "OneDelivery": {
        **_DELIVERY,
        "body": {"type": "reward.approved", "timestamp": "2026-03-14T09:26:53Z", "data": {}},
    },
    "EndpointHealth": {
        "pending": 0, "oldest_pending_at": None, "last_failure_at": None, "failing_since": None,
        "paused_until": None,
    },
    "WebhookEndpoint": _ENDPOINT,
    "WebhookEndpointInput": _ENDPOINT,
    "WebhookEndpointChange": _ENDPOINT,
    "NewWebhookEndpoint": {**_ENDPOINT, **_SECRET},
    "LeadImport": {"created": 1, "updated": 0, "unchanged": 0, "dry_run": False},
    "DealImport": {"created": 1, "updated": 0, "unchanged": 0, "dry_run": False},
    "LeadImported": {"line": 2}, "DealImported": {"line": 2},
    "Statement": {**_MARCH, "month": "2026-03", "timezone": "UTC", "as_of": None},
    "StatementBalance": {**_EARNED, "opening_minor": 0, "closing_minor": 2_000},
    "StatementLine": {"effect": "earned"},
    "RewardsRow": _EARNED, "SeriesRow": {**_EARNED, "period": "2026-03-01"},
    "Leader": {"rank": 1, "partner_name": "Ann", "amount_minor": 2_000, "count": None},
    "Owed": _OWED, "OwedTo": _OWED, "PartnerTotal": _OWED,
    "ConversionTotal": _CONVERSION, "ConversionRow": _CONVERSION,
    "Liability": {**_CONVERTED, "as_of": None},
    "ConversionReport": {**_MARCH, "kind": None},
    "RewardsReport": {**_CONVERTED, "group_by": ["partner", "month"]},
    "Series": {**_CONVERTED, **_MARCH, "interval": "month"},
    "Leaderboard": {**_CONVERTED, "metric": "net", "from": None, "before": None},
}  # fmt: skip

# Bodies that say no more than is needed: by the name of the component.
WHOLE: dict[str, Any] = {
    "RuleInput": {
        "program_id": ids.encode("prg", 1), "name": "20 % for a year", "kind": "percent",
        "rate": "0.20", "base": "net", "hold_days": 30, "first_months": 12,
        "effective_from": "2026-01-01",
    },
    "RuleChange": {"rate": "0.25", "effective_from": "2026-04-01"},
    "RulePreviewChange": {"rate": "0.25", "from_on": "2026-01-01", "until_on": "2026-03-31"},
}  # fmt: skip
