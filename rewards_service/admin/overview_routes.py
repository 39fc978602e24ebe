"""The first page: what waits, and what a person should look at."""

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from rewards_service.admin import figures
from rewards_service.admin.pages import Pages, show
from rewards_service.integrations.models import Integration
from rewards_service.kit.web import current_session, current_settings
from rewards_service.samples.company import find_sample_site

blueprint = Pages("overview")


@blueprint.page("/", permission="overview:read")
def show_overview() -> ResponseReturnValue:
    """Cards and the attention list."""
    session = current_session()
    connected = select(Integration.id).where(Integration.deleted_at.is_(None)).limit(1)
    return show(
        "overview.html",
        waiting=figures.waiting_rewards(session),
        paid=figures.paid_since(session, figures.month_begins()),
        month=figures.month_begins(),
        attention=figures.attention(session, current_settings()),
        connected=session.scalar(connected) is not None,
        sample=find_sample_site(session) is not None,
    )
