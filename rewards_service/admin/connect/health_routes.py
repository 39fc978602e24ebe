"""How a connected site does, and what it leaves on customers and transactions."""

from datetime import timedelta

from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from rewards_service.admin.connect.frame import ONE, READ, blueprint, key_of, show_tab
from rewards_service.admin.connect.webhook_routes import password_set_at
from rewards_service.admin.layout import address_of
from rewards_service.crm.models import Customer
from rewards_service.integrations.service import get_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.web import current_session
from rewards_service.polling.gaps import gap_report
from rewards_service.properties.queries import definitions, examples
from rewards_service.transactions.models import Transaction

WEEK = timedelta(days=7)
_SUBJECTS = {"customer": Customer.id, "transaction": Transaction.id}


@blueprint.page(f"{ONE}/health", permission=READ)
def show_health(integration_id: str) -> ResponseReturnValue:
    """What came, what failed, what waits, and what the webhook missed in a week."""
    session, now = current_session(), utc_now()
    row = get_integration(session, key_of(integration_id))
    made_at = password_set_at(row)
    return show_tab(
        "health.html", integration_id, "show_health", gaps=gap_report(session, row, now - WEEK),
        password_at=made_at, password_days=(now - made_at).days,
        queue_url=address_of("queue_pages.show_queue"),
    )  # fmt: skip


@blueprint.page(f"{ONE}/properties", permission=READ)
def show_properties(integration_id: str) -> ResponseReturnValue:
    """The ids of Chargebee that customers and transactions keep, with a few of the newest."""
    session = current_session()
    row = get_integration(session, key_of(integration_id))
    found = []
    for one in definitions(session):
        newest = session.scalar(select(func.max(_SUBJECTS[one.subject]))) or 0
        found.append((one, examples(session, one.id, row.id, newest)))
    return show_tab("properties.html", integration_id, "show_properties", properties=found)
