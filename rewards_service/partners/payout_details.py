"""Where a partner is paid: sealed in its row, shown masked, in clear for payouts alone."""

from collections.abc import Mapping

import orjson
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit import crypto
from rewards_service.partners.models import Partner
from rewards_service.settings import Settings

STARS = "*" * 12
_SHOWN = 4


def payout_details(partner: Partner, settings: Settings) -> dict[str, str]:
    """`paypal_email`, `iban`, `bic`, `account_name`, `wise_email`, those that are known, in clear.

    IBAN and BIC without spaces, in upper case. Raises SecretUnreadable.
    """
    sealed = partner.payout_details_encrypted
    if sealed is None:
        return {}
    found: dict[str, str] = orjson.loads(crypto.decrypt(settings.encryption_keys, sealed))
    return found


def masked(partner: Partner, settings: Settings) -> dict[str, str | bool] | None:
    """What the API shows: enough to recognise an account, too little to use it.

    None when nothing is known; {"unreadable": True} when no ENCRYPTION_KEYS opens it.
    """
    try:
        known = payout_details(partner, settings)
    except crypto.SecretUnreadable:
        return {"unreadable": True}
    return {name: _mask(name, value) for name, value in known.items()} or None


def change_details(
    session: Session,
    settings: Settings,
    partner: Partner,
    wanted: Mapping[str, str | None] | None,
    actor: str,
) -> None:
    """Change the details that are named; None removes one, or all of them.

    The log says which were set before and after, never to what. Raises SecretUnreadable, but not
    when all are removed.
    """
    before = {} if wanted is None else payout_details(partner, settings)
    after = {name: value for name, value in {**before, **(wanted or {})}.items() if value}
    if after == before and wanted is not None:
        return
    sealed = crypto.encrypt(settings.encryption_keys, orjson.dumps(after).decode())
    partner.payout_details_encrypted = sealed if after else None
    session.flush()
    detail = {
        "set": sorted(after),
        "changed": sorted(n for n in {*before, *after} if before.get(n) != after.get(n)),
    }
    record(session, "partner.payout_details_changed", ("partner", partner.id), detail, actor)


def _mask(name: str, value: str) -> str:
    if name == "iban":
        return f"{value[:_SHOWN]}{STARS}{value[-_SHOWN:]}"
    if name == "bic":
        return f"{value[:_SHOWN]}{'*' * (len(value) - _SHOWN)}"
    local, at, domain = value.rpartition("@")
    return f"{(local or domain)[:1]}***{at}{domain if at else ''}"
