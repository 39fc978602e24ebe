"""The properties that turning on a Chargebee integration adds (pure)."""

from typing import NamedTuple


class StandardProperty(NamedTuple):
    key: str
    subject: str
    label: str
    is_unique: bool


CUSTOMER_ID = "chargebee_customer_id"
TRANSACTION_ID = "chargebee_transaction_id"
INVOICE_ID = "chargebee_invoice_id"

CHARGEBEE_PROPERTIES = (
    StandardProperty(CUSTOMER_ID, "customer", "ChargeBee Customer ID", True),
    StandardProperty(TRANSACTION_ID, "transaction", "Chargebee Transaction ID", True),
    StandardProperty(INVOICE_ID, "transaction", "Chargebee Invoice ID", False),
)
