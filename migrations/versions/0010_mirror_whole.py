"""the mirror, whole: what is sold and subscribed to, and all that documents say"""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from rewards_service.kit.db import UtcDateTime

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TYPES = {"text": sa.String(), "number": KEY, "time": UtcDateTime(), "flag": sa.Boolean()}

OBJECTS = {
    "chargebee_addons": {
        "text": (
            "charge_type unit custom_fields meta_data name status pricing_model currency "
            "price_in_decimal period_unit"
        ),
        "number": "price_minor period",
        "time": "archived_at",
        "flag": "included_in_mrr",
    },
    "chargebee_gifts": {
        "text": (
            "status gifter_customer_id gifter_invoice_id receiver_customer_id "
            "receiver_subscription_id"
        ),
        "time": "scheduled_at",
    },
    "chargebee_item_families": {
        "text": "name status custom_fields meta_data",
    },
    "chargebee_item_prices": {
        "text": (
            "item_id item_family_id item_kind parent_item_id trial_period_unit "
            "free_quantity_in_decimal custom_fields meta_data name status pricing_model "
            "currency price_in_decimal period_unit"
        ),
        "number": "trial_period free_quantity billing_cycles price_minor period",
        "time": "created_at archived_at",
    },
    "chargebee_items": {
        "text": ("item_family_id kind name status unit usage_calculation custom_fields meta_data"),
        "time": "archived_at",
        "flag": "metered included_in_mrr",
    },
    "chargebee_plans": {
        "text": (
            "trial_period_unit free_quantity_in_decimal custom_fields meta_data name "
            "status pricing_model currency price_in_decimal period_unit"
        ),
        "number": ("trial_period free_quantity billing_cycles setup_cost_minor price_minor period"),
        "time": "archived_at",
    },
    "chargebee_subscriptions": {
        "text": (
            "customer_id status currency base_currency exchange_rate billing_period_unit "
            "cancel_reason cancel_reason_code business_entity_id gift_id custom_fields "
            "meta_data"
        ),
        "number": "billing_period remaining_billing_cycles mrr_minor arr_minor setup_fee_minor",
        "time": (
            "start_at trial_start_at trial_end_at created_at started_at activated_at "
            "term_start_at term_end_at next_billing_at pause_at resume_at cancelled_at "
            "cancel_scheduled_at changes_scheduled_at due_since_at"
        ),
        "flag": "has_scheduled_changes decommissioned",
    },
}
PARTS = {
    "chargebee_contract_terms": {
        "text": "term_id status action_at_end",
        "number": (
            "billing_cycles remaining_billing_cycles cutoff_period_days value_minor "
            "value_before_tax_minor"
        ),
        "time": "start_at end_at created_at",
    },
    "chargebee_discounts": {
        "text": "line_id discount_type entity_id coupon_id",
        "number": "amount_minor",
    },
    "chargebee_price_tiers": {
        "text": ("starting_unit_in_decimal ending_unit_in_decimal price_in_decimal pricing_type"),
        "number": "starting_unit ending_unit price_minor package_size",
    },
    "chargebee_subscription_coupons": {
        "text": "coupon_id coupon_code",
        "number": "applied_count",
        "time": "apply_till_at",
    },
    "chargebee_subscription_discounts": {
        "text": (
            "discount_id kind percentage currency duration_type period_unit apply_on "
            "entity_id coupon_id"
        ),
        "number": "amount_minor quantity period item_index applied_count",
        "time": "apply_till_at created_at",
        "flag": "included_in_mrr",
    },
    "chargebee_subscription_items": {
        "text": (
            "entity_type entity_id quantity_in_decimal unit_in_decimal amount_in_decimal "
            "free_quantity_in_decimal metered_quantity billing_period_unit "
            "charge_on_event proration_type"
        ),
        "number": (
            "quantity unit_minor amount_minor free_quantity billing_period billing_cycles "
            "service_period_days"
        ),
        "time": "trial_end_at term_start_at term_end_at next_billing_at",
    },
    "chargebee_subscription_tiers": {
        "text": (
            "entity_id starting_unit_in_decimal ending_unit_in_decimal price_in_decimal "
            "pricing_type"
        ),
        "number": "item_index starting_unit ending_unit price_minor package_size",
    },
    "chargebee_taxes": {
        "text": "line_id name rate jurisdiction_type jurisdiction",
        "number": "amount_minor taxable_minor",
    },
}
ADDED = {
    "chargebee_credit_note_lines": {
        "text": (
            "line_id subscription_id customer_id unit_in_decimal quantity_in_decimal "
            "amount_in_decimal pricing_model proration_mode"
        ),
        "number": "item_discount_minor unit_minor quantity",
        "time": "service_from_at service_to_at",
        "flag": "metered",
    },
    "chargebee_credit_notes": {
        "text": (
            "subscription_id create_reason_code business_entity_id custom_fields "
            "meta_data base_currency exchange_rate exchange_rates local_currency "
            "local_exchange_rate"
        ),
        "number": "allocated_minor refunded_minor available_minor",
        "time": "refunded_at voided_at deleted_at",
    },
    "chargebee_customers": {
        "text": (
            "payment_owner_id invoice_owner_id company business_entity_id custom_fields meta_data"
        ),
        "time": "created_at deleted_at",
    },
    "chargebee_invoice_lines": {
        "text": (
            "unit_in_decimal quantity_in_decimal amount_in_decimal pricing_model "
            "proration_mode reference_line_id"
        ),
        "number": "item_discount_minor unit_minor quantity",
        "flag": "metered",
    },
    "chargebee_invoices": {
        "text": (
            "dunning_status business_entity_id custom_fields meta_data base_currency "
            "exchange_rate exchange_rates local_currency local_exchange_rate"
        ),
        "time": "voided_at deleted_at",
        "flag": "recurring first_invoice has_advance_charges",
    },
    "chargebee_transactions": {
        "time": "deleted_at",
    },
}

# What names the object that a part belongs to, before the integration and the position.
OWNERS = {
    "chargebee_discounts": ("document_id", "kind", "level"),
    "chargebee_taxes": ("document_id", "kind", "level"),
    "chargebee_price_tiers": ("price_id", "kind"),
}
OF_SUBSCRIPTION = ("subscription_id",)
# Of the lines of credit notes, which were never without.
AMOUNTS = ("amount_minor", "discount_minor", "tax_minor")


def upgrade() -> None:
    for table, columns in OBJECTS.items():
        op.create_table(
            table,
            sa.Column("external_id", sa.String(), nullable=False),
            sa.Column("integration_id", KEY, autoincrement=False, nullable=False),
            sa.Column("resource_version", KEY, nullable=False),
            sa.Column("occurred_at", UtcDateTime(), nullable=False),
            sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
            sa.Column("deleted", sa.Boolean(), nullable=False),
            sa.Column("deleted_at", UtcDateTime(), nullable=True),
            *_columns(columns),
            sa.PrimaryKeyConstraint("external_id", "integration_id", name=op.f(f"pk_{table}")),
        )
    op.create_index(
        op.f("ix_chargebee_subscriptions_customer_id_integration_id"),
        "chargebee_subscriptions",
        ["customer_id", "integration_id"],
    )
    for table, columns in PARTS.items():
        owner = OWNERS.get(table, OF_SUBSCRIPTION)
        op.create_table(
            table,
            *(sa.Column(name, sa.String(), nullable=False) for name in owner),
            sa.Column("integration_id", KEY, autoincrement=False, nullable=False),
            sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
            *_columns(columns),
            sa.PrimaryKeyConstraint(*owner, "integration_id", "position", name=op.f(f"pk_{table}")),
        )
    for table, columns in ADDED.items():
        for column in _columns(columns):
            op.add_column(table, column)
    for name in AMOUNTS:
        column = sa.Column(name, KEY, server_default="0", nullable=False)
        op.add_column("chargebee_credit_note_lines", column)


def downgrade() -> None:
    for name in AMOUNTS:
        op.drop_column("chargebee_credit_note_lines", name)
    for table, columns in ADDED.items():
        for column in _columns(columns):
            op.drop_column(table, column.name)
    op.drop_index(
        op.f("ix_chargebee_subscriptions_customer_id_integration_id"),
        table_name="chargebee_subscriptions",
    )
    for table in (*PARTS, *OBJECTS):
        op.drop_table(table)


def _columns(columns: Mapping[str, str]) -> Iterator[sa.Column[Any]]:
    for kind, names in columns.items():
        for name in names.split():
            yield sa.Column(name, TYPES[kind], nullable=True)
