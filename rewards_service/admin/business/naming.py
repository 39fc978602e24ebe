"""Names of others as pages show them: escaped, and harmless to what stands beside them."""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from rewards_service.admin.cells import foreign
from rewards_service.admin.layout import icon
from rewards_service.admin.places import link_to
from rewards_service.chargebee.console import console_address
from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.integrations.models import Integration
from rewards_service.partners.models import Partner

NOBODY = Markup('<span class="text-secondary">nobody</span>')


def name_of_lead(lead: Lead) -> str:
    """What people call a lead: its name, or else its e-mail."""
    return " ".join(filter(None, (lead.first_name, lead.last_name))) or lead.email


def name_of_customer(customer: Customer) -> str | None:
    """What people call a customer; None when nothing but its id is known."""
    return customer.name or customer.email


def link_customer(customer: Customer | None) -> Markup:
    if customer is None:
        return Markup("-")
    name = name_of_customer(customer)
    return link_to("customer", customer.id, name and foreign(name))


def link_lead(lead: Lead) -> Markup:
    return link_to("lead", lead.id, foreign(name_of_lead(lead)))


def link_deal(deal: Deal) -> Markup:
    return link_to("deal", deal.id, foreign(deal.name))


class Names:
    """Partners, customers and sites of one page by key, each kind by one query."""

    def __init__(
        self, session: Session, partners: Iterable[int | None] = (),
        customers: Iterable[int | None] = (), sites: Iterable[int] = (),
    ) -> None:  # fmt: skip
        self._partners = _named(session, select(Partner.id, Partner.name), Partner.id, partners)
        self._customers = _named(session, select(Customer.id, Customer), Customer.id, customers)
        sought = select(Integration.id, Integration.site)
        self._sites = _named(session, sought, Integration.id, sites)

    def partner(self, key: int | None) -> Markup:
        if key is None:
            return NOBODY
        return link_to("partner", key, foreign(self._partners.get(key, "unknown")))

    def partners(self, keys: Iterable[int | None]) -> Markup:
        """Several, as they stand in one cell."""
        return Markup(", ").join(map(self.partner, keys))

    def customer(self, key: int | None) -> Markup:
        return link_customer(self._customers.get(key or 0))

    def console(self, site: int, records: str, name: str) -> Markup:
        """An id of Chargebee's that leads to Chargebee; the text alone for a site that is gone."""
        return outside(self._sites.get(site), records, name)


def outside(site: str | None, records: str, name: str) -> Markup:
    """An id of Chargebee's as a link to its page there."""
    shown = Markup('<code class="id">{}</code>').format(foreign(name))
    if site is None:
        return shown
    link = Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}{}</a>')
    mark = icon("external-link", "opens in Chargebee")
    return link.format(console_address(site, records, name), shown, mark)


def _named(
    session: Session, query: Select[*tuple[Any, ...]], key: Any, keys: Iterable[int | None]
) -> dict[int, Any]:
    wanted = sorted({one for one in keys if one is not None})
    if not wanted:
        return {}
    return {found: name for found, name in session.execute(query.where(key.in_(wanted)))}  # noqa: C416
