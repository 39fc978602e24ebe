"""Connect Chargebee sites, change what they do, rotate and withdraw their credentials."""

from collections.abc import Mapping
from datetime import timedelta
from secrets import token_hex
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.integrations import verification
from rewards_service.integrations.models import EventPoll, Integration, IntegrationOptions
from rewards_service.integrations.options import Options
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import Conflict, NotFound, Unprocessable
from rewards_service.kit.refusals import flush, invalid_member
from rewards_service.properties.service import define_chargebee_properties
from rewards_service.settings import Settings

DEFAULT_OPTIONS = Options(convert_lead=True, associate_deal=True, create_transaction=True)


class TransactionRequiresConversion(Unprocessable):
    code = "transaction_requires_conversion"
    title = "Transactions need an option that finds customers."


class SiteTaken(Conflict):
    code = "site_taken"
    title = "Another integration is connected to this site."


class Credentials(NamedTuple):
    """What Chargebee must send; the password is kept nowhere."""

    username: str
    password: str


def create_integration(
    session: Session, settings: Settings, wanted: Mapping[str, Any], actor: str
) -> tuple[Integration, Credentials]:
    """Connect a site and make its endpoint and credentials.

    wanted: `site`; optional `kind`, `name`, `mode`, `api_key`, `requests_per_minute`,
    `verification`, and `options`, of which those left out are on. Raises
    TransactionRequiresConversion (DOMAIN M12), SiteTaken, VerificationRequires.
    """
    options = _merged(DEFAULT_OPTIONS, wanted)
    credentials = Credentials(f"rewards_{token_hex(4)}", crypto.new_secret())
    integration = Integration(
        kind=wanted.get("kind", "chargebee"),
        site=wanted["site"],
        name=wanted.get("name") or wanted["site"],
        endpoint_key=crypto.new_secret(),
        webhook_username=credentials.username,
        credentials_digest=digest_of(settings, credentials),
        api_key_encrypted=_sealed(settings, wanted.get("api_key")),
        requests_per_minute=wanted.get("requests_per_minute"),
        **options._asdict(),
    )
    verification.put(integration, wanted)
    session.add(integration)
    _flush(session, integration)
    _put_in_force(session, integration, options)
    define_chargebee_properties(session)
    after = {"site": integration.site, **options._asdict(), **verification.facts(integration)}
    audit(session, "created", integration, {"after": after}, actor)
    return integration, credentials


def get_integration(session: Session, integration_id: int, lock: bool = False) -> Integration:
    """A live integration. Raises NotFound."""
    query = select(Integration).where(
        Integration.id == integration_id, Integration.deleted_at.is_(None)
    )
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("There is no such integration.")
    return found


def change_integration(
    session: Session, settings: Settings, integration_id: int, wanted: Mapping[str, Any], actor: str
) -> Integration:
    """Change what is given. New options hold for events received from now on (DOMAIN M13).

    An API key is good at its own site only: another `site` without a key of its own has none.
    Raises NotFound, SiteTaken, VerificationRequires, and TransactionRequiresConversion also when
    the last option that finds customers would go off while transactions are on: that is refused,
    not cascaded.
    """
    integration = get_integration(session, integration_id, lock=True)
    before = options_of(integration)
    options = _merged(before, wanted)
    state_before = {"site": integration.site, **before._asdict(), **verification.facts(integration)}
    _set_access(settings, integration, wanted)
    verification.put(integration, wanted)
    if integration.site != state_before["site"]:  # another site has another event log
        _flush(session, integration)
        session.execute(delete(EventPoll).where(EventPoll.integration_id == integration.id))
    if options != before:
        for name, value in options._asdict().items():
            setattr(integration, name, value)
        integration.version += 1
        _put_in_force(session, integration, options)
    _flush(session, integration)
    detail = {
        "members": sorted(wanted),
        "before": state_before,
        "after": {
            "site": integration.site,
            **options._asdict(),
            **verification.facts(integration),
        },
    }
    audit(session, "changed", integration, detail, actor)
    return integration


def _set_access(settings: Settings, integration: Integration, wanted: Mapping[str, Any]) -> None:
    """Where the site is, and what it takes to ask it."""
    if wanted.get("site", integration.site) != integration.site:
        integration.api_key_encrypted = integration.webhook_endpoint_id = None
    for name in ("site", "name", "requests_per_minute"):
        if name in wanted:
            setattr(integration, name, wanted[name])
    if "api_key" in wanted:
        integration.api_key_encrypted = _sealed(settings, wanted["api_key"])
    if integration.api_key_encrypted is None:  # without one no webhook can be looked after
        integration.webhook_endpoint_id = integration.untold_password_encrypted = None
    if "site" in wanted or "api_key" in wanted:
        integration.version += 1


def rotate_secret(
    session: Session, settings: Settings, integration_id: int, grace_hours: int, actor: str
) -> tuple[Integration, Credentials]:
    """Make a new webhook password; the one until now stays good for `grace_hours`."""
    integration = get_integration(session, integration_id, lock=True)
    credentials = Credentials(integration.webhook_username, crypto.new_secret())
    integration.previous_digest = integration.credentials_digest if grace_hours else None
    integration.previous_expires_at = (
        utc_now() + timedelta(hours=grace_hours) if grace_hours else None
    )
    integration.credentials_digest = digest_of(settings, credentials)
    integration.untold_password_encrypted = None
    integration.version += 1
    session.flush()
    audit(session, "secret_rotated", integration, {"grace_hours": grace_hours}, actor)
    return integration, credentials


def delete_integration(session: Session, integration_id: int, actor: str) -> None:
    """Disconnect a site: its endpoint closes, the site is free again, its events stay."""
    integration = get_integration(session, integration_id, lock=True)
    integration.deleted_at = utc_now()
    integration.version += 1
    audit(session, "deleted", integration, {"site": integration.site}, actor)


def options_of(integration: Integration) -> Options:
    """The options in force now."""
    return Options(*(getattr(integration, name) for name in Options._fields))


def _merged(before: Options, wanted: Mapping[str, Any]) -> Options:
    given = dict(wanted.get("options", {}))
    if "mode" in wanted:
        given["mode"] = wanted["mode"]
    options = before._replace(**given)
    if not options.is_lawful:
        raise invalid_member(
            "options/create_transaction",
            "A transaction belongs to a customer, and only convert_lead or associate_deal find "
            "one: switch one of them on, or create_transaction off.",
            TransactionRequiresConversion,
        )
    return options


def _put_in_force(session: Session, integration: Integration, options: Options) -> None:
    newest = select(func.coalesce(func.max(IntegrationOptions.version), 0)).where(
        IntegrationOptions.integration_id == integration.id
    )
    row = IntegrationOptions(
        integration_id=integration.id,
        version=session.scalars(newest).one() + 1,
        **options._asdict(),
    )
    session.add(row)
    session.flush()
    integration.options_id = row.id


def _flush(session: Session, integration: Integration) -> None:
    taken = SiteTaken(f"The site {integration.site} is connected already; delete that one first.")
    flush(session, {"integrations.site": taken})


def digest_of(settings: Settings, credentials: Credentials) -> bytes:
    """What is kept of credentials to know them again."""
    text = f"{credentials.username}:{credentials.password}"
    return crypto.digest(settings.secret_key, "webhook", text.encode())


def _sealed(settings: Settings, api_key: str | None) -> str | None:
    return None if api_key is None else crypto.encrypt(settings.encryption_keys, api_key)


def audit(
    session: Session, action: str, integration: Integration, detail: dict[str, Any], actor: str
) -> None:
    """Say in the audit log what was done to an integration; `action` as in "created"."""
    subject = ("integration", integration.id)
    record(session, f"integration.{action}", subject, detail, actor)
