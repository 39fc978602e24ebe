"""`rewards api-key`: keys to /api/v1."""

from datetime import UTC, datetime

import click

from rewards_service.accounts.service import SCOPES, create_key
from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.cli.main import Refused
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import Unprocessable


@click.group("api-key")
def api_key() -> None:
    """Make keys to the API."""


@api_key.command()
@click.option("--name", required=True, help="Whose key it is, or what for.")
@click.option("--scopes", required=True, metavar="A,B", help=f"Of: {', '.join(SCOPES)}.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="D",
    help="Day or time (UTC) from which on the key is refused. Left out: never.",
)
@as_json_option
def create(name: str, scopes: str, expires: datetime | None, as_json: bool) -> None:
    """Make a key and print it. It is shown this once: only a digest of it is kept."""
    settings = start()
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    expires_at = None if expires is None else expires.replace(tzinfo=UTC)
    with migrated(settings) as engine, transaction(engine) as session:
        try:
            key, text = create_key(
                session, name, wanted, expires_at, secret_key=settings.secret_key
            )
        except Unprocessable as error:
            raise Refused(error.detail) from error
        value = {"id": ids.encode("key", key.id), "key": text, "scopes": key.scopes}
    lines = [
        text,
        "",
        f"Keep it: it is not shown again. Its id is {value['id']}, its scopes: "
        f"{', '.join(key.scopes)}.",
        f'Use it so: curl -H "Authorization: Bearer {text}" {settings.base_url}/api/v1/me',
    ]
    answer(as_json, value, lines)
