"""`rewards worker`: one worker process."""

import sys

import click

from rewards_service.cli.databases import refuse_if_behind
from rewards_service.kit import log
from rewards_service.settings import load_settings
from rewards_service.worker import MAX_JOBS, Worker


@click.command()
@click.option(
    "--max-jobs",
    type=click.IntRange(min=1),
    default=MAX_JOBS,
    show_default=True,
    help="End after so many jobs, with exit status 0, to be started afresh.",
)
def worker(max_jobs: int) -> None:
    """Process events and rewards until stopped.

    Answers the doorbells in Redis and, every few seconds, whatever waits in the database; so it
    keeps working while Redis is away. SIGTERM and Ctrl-C finish the batch at hand first. Start it
    again whenever it ends. Exit status 2: this Redis may throw waiting jobs away, or the schema is
    older than this release.
    """
    settings = load_settings()
    log.configure(settings.log_format)
    from rewards_service.app import create_app
    from rewards_service.cli.booting import check_keys

    refuse_if_behind(settings)
    app = create_app(settings)
    check_keys(app)
    sys.exit(Worker(settings.redis_url, app.app_context, max_jobs=max_jobs).run())
