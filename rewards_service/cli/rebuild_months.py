"""`rewards rebuild-months`: the month roll-up, made anew from the ledger."""

import click
from sqlalchemy import func, select

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.kit.db import transaction
from rewards_service.rewards import months
from rewards_service.rewards.models import RewardMonth


@click.command("rebuild-months")
@as_json_option
def rebuild_months(as_json: bool) -> None:
    """Make the month roll-up anew from the ledger.

    It is kept with every posting by itself: this is for when `rewards check` says that it is not
    the sum of the entries.
    """
    with migrated(start()) as engine, transaction(engine) as session:
        months.rebuild(session)
        number = session.scalar(select(func.count()).select_from(RewardMonth)) or 0
    answer(as_json, {"months": number}, [f"The roll-up has {number} months of partners."])
