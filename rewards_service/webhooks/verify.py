"""Who may post to a webhook endpoint: Basic credentials, compared as keyed digests.

Known integrations are cached per process, so that an accepted delivery costs one statement: the
insert itself checks that the cached version still holds. Whatever is not accepted from the cache
is decided on fresh rows: new credentials work at once, and old ones stop at once.
"""

import base64
import binascii
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine, or_, select, update
from sqlalchemy.orm import Session

from rewards_service.integrations.models import Integration
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now

PURPOSE = "webhook"
# How long the old password stays good after the new one was seen: calls that were on their way by
# then, for which Chargebee takes a minute at most.
OVERLAP = timedelta(minutes=2)
_NOBODY = b"\0" * 32


class Door(NamedTuple):
    """One endpoint as it was last read: whom it belongs to and what opens it."""

    integration_id: int
    version: int
    current: bytes
    previous: bytes | None
    previous_expires_at: datetime | None
    is_ours: bool  # the service itself tells Chargebee the passwords
    is_telling: bool  # and Chargebee may not have the current one yet

    def takes_previous(self, until: datetime) -> bool:
        """Whether the password before this one is good until then. Chargebee may need it until it
        was told the new one, however long that takes."""
        expires = self.previous_expires_at
        is_live = self.is_telling or (expires is not None and until < expires)
        return self.previous is not None and is_live

    @property
    def is_rotating(self) -> bool:
        """Whether the old password waits for the new one to be seen.

        Where people put the password into Chargebee, a test of theirs is no sign that it is there.
        """
        return self.is_ours and self.takes_previous(utc_now() + OVERLAP)


class Doors:
    """The endpoints of this process's integrations."""

    def __init__(self, engine: Engine, secret_key: str) -> None:
        self._engine = engine
        self._secret_key = secret_key
        self._known: dict[str, Door] = {}

    def open_with(self, endpoint_key: str, authorization: str | None) -> Door | None:
        """The door these credentials open, or None; the same work for each way to be wrong."""
        offered = self._digest(authorization)
        door = self._known.get(endpoint_key)
        if door is not None and _fits(door, offered):
            return door
        return self.read_anew(endpoint_key, authorization)

    def read_anew(self, endpoint_key: str, authorization: str | None) -> Door | None:
        """As `open_with`, on the rows as they are now."""
        offered = self._digest(authorization)
        door = self._read(endpoint_key)
        if door is None:
            self._known.pop(endpoint_key, None)
            crypto.same(offered, _NOBODY)
            return None
        self._known[endpoint_key] = door
        return door if _fits(door, offered) else None

    def end_rotation(self, door: Door, authorization: str | None) -> None:
        """The old password ends shortly when this delivery came with the new one.

        Chargebee has the new one then, whether or not it could be noted that it was told.
        """
        if not crypto.same(self._digest(authorization), door.current):
            return
        statement = (
            update(Integration)
            .where(Integration.id == door.integration_id, Integration.version == door.version)
            .values(
                previous_expires_at=utc_now() + OVERLAP,
                untold_password_encrypted=None,
                version=Integration.version + 1,
            )
        )
        with Session(self._engine) as session, session.begin():
            session.execute(statement)

    def _read(self, endpoint_key: str) -> Door | None:
        if "\0" in endpoint_key:  # no database text can hold it
            return None
        untold = Integration.untold_password_encrypted.is_not(None)
        wanted = (
            Integration.id,
            Integration.version,
            Integration.credentials_digest,
            Integration.previous_digest,
            Integration.previous_expires_at,
            or_(Integration.webhook_endpoint_id.is_not(None), untold),
            untold,
        )
        query = select(*wanted).where(
            Integration.endpoint_key == endpoint_key, Integration.deleted_at.is_(None)
        )
        with Session(self._engine) as session:
            row = session.execute(query).first()
        return None if row is None else Door(*row)

    def _digest(self, authorization: str | None) -> bytes:
        return crypto.digest(self._secret_key, PURPOSE, _credentials(authorization))


def _credentials(authorization: str | None) -> bytes:
    """`user:password` of a Basic header; empty when there is none."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _fits(door: Door, offered: bytes) -> bool:
    """Compare with both live secrets, always both, each in constant time."""
    fits_current = crypto.same(offered, door.current)
    fits_previous = crypto.same(offered, door.previous or _NOBODY)
    return fits_current or (fits_previous and door.takes_previous(utc_now()))
