"""`rewards digest`: do two databases say the same?"""

import click

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import snapshot, start
from rewards_service.reports.digest import combine, sections


@click.command()
@as_json_option
def digest(as_json: bool) -> None:
    """Print a digest of the business tables that no order of arrival changes.

    Two databases that received the same events, in any order and any number of times, on SQLite or
    PostgreSQL, have the same one. With --json also one for each section, to see what differs.
    """
    with snapshot(start()) as session:
        parts = sections(session)
    whole = combine(parts)
    answer(as_json, {"digest": whole, "sections": parts}, [whole])
