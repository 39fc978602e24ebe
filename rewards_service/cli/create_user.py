"""`rewards create-user`: people who may sign in to the pages."""

import sys

import click

from rewards_service.accounts import users
from rewards_service.accounts.permissions import ROLES
from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.cli.main import Refused
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import Conflict, Unprocessable

LONGEST_LINE = 1_000


@click.command("create-user")
@click.option("--email", required=True, help="What they sign in with.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@click.option(
    "--password-stdin", is_flag=True,
    help="Read their password from standard input. Left out: a link to choose one is printed.",
)  # fmt: skip
@as_json_option
def create_user(email: str, role: str, password_stdin: bool, as_json: bool) -> None:
    """Make a user of the pages, with a password or with a link that works once."""
    settings = start()
    password = sys.stdin.readline(LONGEST_LINE).rstrip("\r\n") if password_stdin else None
    if password_stdin and not password:
        raise Refused("Standard input holds no password.")
    with migrated(settings) as engine, transaction(engine) as session:
        try:
            user = users.create_user(session, settings, email, role, password)
        except (Conflict, Unprocessable) as error:
            raise Refused(error.detail) from error
        link = None if password else users.make_link(session, settings, user, "cli")
        value = {"id": ids.encode("usr", user.id), "email": user.email, "role": user.role}
    lines = [f"{user.email} is {user.role} now.", ""]
    if link is None:
        lines.append(f"Sign in: {settings.base_url}/login")
    else:
        lines += ["This link lets them choose a password. It works once, for three days:", "", link]
    answer(as_json, value if link is None else {**value, "link": link}, lines)
