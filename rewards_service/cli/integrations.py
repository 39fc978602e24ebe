"""Which integration a command is about."""

import click
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rewards_service.cli.main import Refused
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids

integration_option = click.option(
    "--integration", required=True, metavar="ID", help="Its id (int_...) or its site."
)


def find_integration(session: Session, wanted: str) -> Integration:
    """The live integration of this id or site. Raises Refused."""
    query = select(Integration).where(
        Integration.deleted_at.is_(None),
        or_(Integration.id == (ids.decode("int", wanted) or 0), Integration.site == wanted),
    )
    found = session.scalar(query)
    if found is None:
        raise Refused(f"There is no integration {wanted}. The sandbox's: rewards sandbox")
    return found
