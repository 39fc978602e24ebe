"""`rewards api-key`: keys to /api/v1."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.accounts.queries import list_keys
from rewards_service.accounts.schemas import ApiKeySchema
from rewards_service.accounts.service import PARTNER_SCOPES, SCOPES, create_key, revoke_key
from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, snapshot, start
from rewards_service.cli.main import Refused
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.kit.pages import MAX_LIMIT, Paging
from rewards_service.partners.finding import find_partners

ACTOR = "cli"
partner_option = click.option(
    "--partner", metavar="ID", help="A partner: its id (par_...), external id or e-mail."
)


@click.group("api-key")
def api_key() -> None:
    """Make, list and revoke keys to the API."""


@api_key.command()
@click.option("--name", required=True, help="Whose key it is, or what for.")
@click.option(
    "--scopes", required=True, metavar="A,B",
    help=f"Of: {', '.join(SCOPES)}. With --partner of: {', '.join(PARTNER_SCOPES)}.",
)  # fmt: skip
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="D",
    help="Day or time (UTC) from which on the key is refused. Left out: never.",
)
@partner_option
@as_json_option
def create(
    name: str, scopes: str, expires: datetime | None, partner: str | None, as_json: bool
) -> None:
    """Make a key and print it. It is shown this once: only a digest of it is kept.

    With --partner the key is bound to that partner: it sees its rows alone, and may only read.
    """
    settings = start()
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    expires_at = None if expires is None else expires.replace(tzinfo=UTC)
    with migrated(settings) as engine, transaction(engine) as session:
        partner_id = _partner(session, partner)
        try:
            key, text = create_key(
                session, name, wanted, expires_at, secret_key=settings.secret_key,
                partner_id=partner_id,
            )  # fmt: skip
        except Unprocessable as error:
            raise Refused(error.detail) from error
        value: dict[str, Any] = {
            "id": ids.encode("key", key.id), "key": text, "scopes": key.scopes,
        }  # fmt: skip
        if partner_id is not None:
            value["partner_id"] = ids.encode("par", partner_id)
    lines = [
        text,
        "",
        f"Keep it: it is not shown again. Its id is {value['id']}, its scopes: "
        f"{', '.join(key.scopes)}.",
        f'Use it so: curl -H "Authorization: Bearer {text}" {settings.base_url}/api/v1/me',
    ]
    answer(as_json, value, lines)


@api_key.command("list")
@partner_option
@as_json_option
def list_all(partner: str | None, as_json: bool) -> None:
    """List the keys, those that expired or were revoked too."""
    with snapshot(start()) as session:
        keys = [ApiKeySchema().dump(key) for key in _all(session, _partner(session, partner))]
    answer(as_json, {"keys": keys}, [_line(key) for key in keys] or ["There is no key."])


@api_key.command()
@click.argument("key")
@as_json_option
def revoke(key: str, as_json: bool) -> None:
    """Revoke a key, named by its id (key_...), for good. It stays listed."""
    with migrated(start()) as engine, transaction(engine) as session:
        try:
            revoke_key(session, ids.decode("key", key) or 0, ACTOR)
        except NotFound as error:
            raise Refused(f"{error.detail} Their ids: rewards api-key list") from error
    answer(as_json, {"id": key, "revoked": True}, [f"{key} is revoked."])


def _partner(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    found = find_partners(session, [name])[name]
    if isinstance(found, str):
        raise Refused(found)
    return found


def _all(session: Session, partner_id: int | None) -> Iterator[ApiKey]:
    after: int | None = 0
    while after is not None:
        page = list_keys(session, Paging(MAX_LIMIT, after=after), partner_id)
        yield from (row[0] for row in page.rows)
        after = page.last


def _line(key: dict[str, Any]) -> str:
    ended = key["expires_at"] and datetime.fromisoformat(key["expires_at"]) <= utc_now()
    state = "revoked" if key["revoked_at"] else "expired" if ended else "live"
    used = key["last_used_at"] or "never"
    whose = f"  of {key['partner_id']}" if key["partner_id"] else ""
    return f"{key['id']}  {state:8}{key['name']}{whose}  {','.join(key['scopes'])}  used: {used}"
