"""Connect a site, look after its webhook, withdraw it: the database and Chargebee in turns.

No request is sent inside a transaction. A new password is taken by the webhook before Chargebee
hears of it, and what was done there is noted afterwards: wherever it breaks off, the same call
again brings it to its end.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.chargebee.errors import AlreadyThere
from rewards_service.chargebee.operations import Chargebee
from rewards_service.connections import service
from rewards_service.connections.checks import Report, obstacle
from rewards_service.connections.endpoint import address_checks
from rewards_service.connections.judging import judge
from rewards_service.connections.mending import Seen, check_room, look, mend, remove
from rewards_service.connections.service import Overtaken, Target, Told
from rewards_service.integrations.service import (
    Credentials,
    digest_of,
    get_integration,
    rotate_secret,
)
from rewards_service.kit.clock import utc_now
from rewards_service.kit.crypto import SecretUnreadable
from rewards_service.kit.db import READ_ONLY, transaction
from rewards_service.kit.errors import Conflict, RewardsError
from rewards_service.kit.http import INTERACTIVE, Patience
from rewards_service.kit.http_errors import HttpError
from rewards_service.settings import Settings

GRACE_HOURS = 24
MOST_ROUNDS = 5


class AddressUnusable(Conflict):
    code = "webhook_address_unusable"
    title = "Chargebee cannot post to the address of this service."


class Upkeep:
    """Looks after webhooks in the name of `actor`. Call it outside of any transaction.

    engine: of our database; each method uses short transactions of its own, and commits them.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        actor: str,
        patience: Patience = INTERACTIVE,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._actor = actor
        self._patience = patience
        self._now = now

    def examine(self, integration_id: int) -> Report:
        """What is wrong; an obstacle on the way to Chargebee is a failed check.

        Raises NotFound, ApiKeyMissing.
        """
        try:
            target = self._target(integration_id)
            with self._at(target) as site:
                return judge(target, look(site, target), self._is_sandbox)
        except (HttpError, SecretUnreadable) as error:
            return Report([obstacle(error)], [])

    def repair(
        self, integration_id: int, *, new_password: bool = False, grace_hours: int = GRACE_HOURS
    ) -> tuple[Report, Credentials | None]:
        """Make the webhook, or put it right; what it looks like then, and a new password if any.

        A webhook that is made or taken over, or whose deliveries fail, gets a new password, and so
        does every one with `new_password`. grace_hours: how long the old one stays good at most.
        Raises NotFound, ApiKeyMissing, SecretUnreadable, AddressUnusable, WebhookLimit, and what
        Chargebee or the way to it raises: nothing of it leaves a password that is not taken.
        """
        for _ in range(MOST_ROUNDS):
            with suppress(Overtaken):
                return self._repair(integration_id, new_password, grace_hours)
            new_password = True  # whoever is last tells Chargebee the one that is good
        raise Overtaken

    def try_repair(self, integration_id: int) -> Report:
        """As `repair`; what kept it from being done is a failed check."""
        try:
            return self.repair(integration_id)[0]
        except RewardsError as error:
            return Report([obstacle(error)], [])

    def rotate(self, session: Session, integration_id: int, grace_hours: int) -> Credentials | None:
        """A new webhook password; the old one stays good for `grace_hours`.

        Where the webhook is looked after, Chargebee is told, and `session` is rolled back before.
        Else it is changed in `session`, which the caller commits. Raises as `repair` does.
        """
        if get_integration(session, integration_id).webhook_endpoint_id is None:
            rotated = rotate_secret(
                session, self._settings, integration_id, grace_hours, self._actor
            )
            return rotated[1]
        session.rollback()  # nothing may be open while Chargebee is asked
        return self.repair(integration_id, new_password=True, grace_hours=grace_hours)[1]

    def _repair(
        self, integration_id: int, new_password: bool, grace_hours: int
    ) -> tuple[Report, Credentials | None]:
        target = self._target(integration_id)
        self._check_address(target)
        with self._at(target) as site:
            seen = look(site, target)
            check_room(seen)
            credentials = None
            if new_password or seen.needs_password(target):
                with transaction(self._engine) as session:
                    credentials = service.stage(
                        session, self._settings, integration_id, grace_hours, self._actor
                    )
            endpoint_id, done = self._mend(site, target, seen, credentials)
            after = target._replace(endpoint_id=endpoint_id, has_untold=False)
            report = judge(after, look(site, after, deliveries=False), self._is_sandbox)
        told = None
        if credentials is not None:
            told = Told(digest_of(self._settings, credentials), grace_hours)
        with transaction(self._engine) as session:
            service.note_mended(
                session, integration_id, endpoint_id, done, told=told, actor=self._actor
            )
        return report, credentials

    def _mend(
        self, site: Chargebee, target: Target, seen: Seen, credentials: Credentials | None
    ) -> tuple[str, list[str]]:
        """As `mend`; two that make the same webhook at the same moment make it once."""
        try:
            return mend(site, target.wanted, seen, credentials)
        except AlreadyThere:
            again = look(site, target, deliveries=False)
            return mend(site, target.wanted, again, credentials)

    def remove(self, integration_id: int) -> list[str]:
        """Delete our webhooks in Chargebee; their ids. Raises as `repair`."""
        target = self._target(integration_id)
        with self._at(target) as site:
            removed = remove(site, look(site, target, deliveries=False))
        with transaction(self._engine) as session:
            service.note_removed(session, integration_id, removed, self._actor)
        return removed

    def _target(self, integration_id: int) -> Target:
        with Session(self._engine.execution_options(**{READ_ONLY: True})) as session:
            return service.read_target(session, self._settings, integration_id)

    def _at(self, target: Target) -> AbstractContextManager[Chargebee]:
        return target.access.open(self._settings, self._patience, self._now)

    @property
    def _is_sandbox(self) -> bool:
        return self._settings.chargebee_api_base is not None

    def _check_address(self, target: Target) -> None:
        for check in address_checks(target.wanted.url, self._is_sandbox):
            if not check.ok:
                raise AddressUnusable(f"{check.detail} {check.remedy}")
