"""`rewards init`: the newest schema."""

import click

from rewards_service.cli.databases import open_engine, reading, start
from rewards_service.kit import migrate


@click.command()
def init() -> None:
    """Bring the database to the newest schema. On one that is there already it does nothing."""
    settings = start()
    with open_engine(settings) as engine:
        before = migrate.current_revision(reading(engine))
        migrate.upgrade(settings.database_url)
        after = migrate.current_revision(reading(engine))
    if before == after:
        click.echo(f"The database is at revision {after} already.")
    else:
        click.echo(f"The database is now at revision {after} (it was {before or 'empty'}).")
