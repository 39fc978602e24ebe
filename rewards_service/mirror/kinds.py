"""The table of each kind of mirrored object, and the tables of its parts."""

from typing import Any

from rewards_service.chargebee.catalog import ADDON, GIFT, ITEM, ITEM_FAMILY, ITEM_PRICE, PLAN
from rewards_service.chargebee.resources import CREDIT_NOTE, CUSTOMER, INVOICE, TRANSACTION
from rewards_service.chargebee.subscriptions import SUBSCRIPTION
from rewards_service.mirror.catalog import (
    ChargebeeAddon,
    ChargebeeGift,
    ChargebeeItem,
    ChargebeeItemFamily,
    ChargebeeItemPrice,
    ChargebeePlan,
    ChargebeePriceTier,
)
from rewards_service.mirror.models import (
    ChargebeeCreditNote,
    ChargebeeCreditNoteLine,
    ChargebeeCustomer,
    ChargebeeDiscount,
    ChargebeeInvoice,
    ChargebeeInvoiceLine,
    ChargebeeTax,
    ChargebeeTransaction,
)
from rewards_service.mirror.subscriptions import (
    ChargebeeContractTerm,
    ChargebeeSubscription,
    ChargebeeSubscriptionCoupon,
    ChargebeeSubscriptionDiscount,
    ChargebeeSubscriptionItem,
    ChargebeeSubscriptionTier,
)

MODELS: dict[str, Any] = {
    CUSTOMER: ChargebeeCustomer,
    INVOICE: ChargebeeInvoice,
    TRANSACTION: ChargebeeTransaction,
    CREDIT_NOTE: ChargebeeCreditNote,
    SUBSCRIPTION: ChargebeeSubscription,
    ITEM_FAMILY: ChargebeeItemFamily,
    ITEM: ChargebeeItem,
    ITEM_PRICE: ChargebeeItemPrice,
    PLAN: ChargebeePlan,
    ADDON: ChargebeeAddon,
    GIFT: ChargebeeGift,
}

# Kind -> name of a part -> (its table, the column that names the object). What of a table belongs
# to which kind, where it holds parts of several, says its column `kind`.
PARTS: dict[str, dict[str, tuple[Any, str]]] = {
    INVOICE: {
        "lines": (ChargebeeInvoiceLine, "invoice_id"),
        "discounts": (ChargebeeDiscount, "document_id"),
        "taxes": (ChargebeeTax, "document_id"),
    },
    CREDIT_NOTE: {
        "lines": (ChargebeeCreditNoteLine, "note_id"),
        "discounts": (ChargebeeDiscount, "document_id"),
        "taxes": (ChargebeeTax, "document_id"),
    },
    SUBSCRIPTION: {
        "items": (ChargebeeSubscriptionItem, "subscription_id"),
        "tiers": (ChargebeeSubscriptionTier, "subscription_id"),
        "discounts": (ChargebeeSubscriptionDiscount, "subscription_id"),
        "coupons": (ChargebeeSubscriptionCoupon, "subscription_id"),
        "terms": (ChargebeeContractTerm, "subscription_id"),
    },
    **{kind: {"tiers": (ChargebeePriceTier, "price_id")} for kind in (ITEM_PRICE, PLAN, ADDON)},
}
SHARED = (ChargebeeDiscount, ChargebeeTax, ChargebeePriceTier)
