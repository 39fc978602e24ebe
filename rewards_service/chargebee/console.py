"""Where a person sees a thing in Chargebee itself (pure).

https://www.chargebee.com/docs/billing/1.0/kb/platform/can-i-construct-the-admin-console-url-for-direct-access-to-chargebee-page-from-your-application
"""

from urllib.parse import quote

CUSTOMERS, INVOICES, TRANSACTIONS = "customers", "invoices", "transactions"


def console_address(site: str, records: str, name: str) -> str:
    """The address of a record in the admin console of a site; `name` is Chargebee's id."""
    return f"https://{site}.chargebee.com/admin-console/{records}/{quote(name, safe='')}"
