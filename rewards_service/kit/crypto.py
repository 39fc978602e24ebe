"""Small secrets: encrypted at rest, compared in constant time, or kept as a digest only."""

import hmac
import secrets
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from rewards_service.kit.errors import RewardsError


class SecretUnreadable(RewardsError):
    code = "secret_unreadable"
    title = "A stored secret cannot be decrypted with the ENCRYPTION_KEYS of this service."


def encrypt(keys: Sequence[str], secret: str) -> str:
    """`secret` under the first key of `keys`, as text; another text each time.

    Keep it in a column whose name ends in `_encrypted`: that is how a rotation finds it.
    """
    return _box(keys).encrypt(secret.encode()).decode()


def decrypt(keys: Sequence[str], sealed: str) -> str:
    """What `encrypt` sealed under any of `keys`. Raises SecretUnreadable."""
    try:
        return _box(keys).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(
            "None of the ENCRYPTION_KEYS opens this secret: the key it was made with is missing, "
            "or the stored value was changed. Put the old key back at the end of the list."
        ) from error


def reseal(keys: Sequence[str], sealed: str) -> str | None:
    """The same secret under the first of `keys`; None when it is. Raises SecretUnreadable."""
    try:
        Fernet(keys[0]).decrypt(sealed.encode())
    except InvalidToken:
        return encrypt(keys, decrypt(keys, sealed))
    return None


def digest(secret_key: str, purpose: str, value: bytes) -> bytes:
    """HMAC-SHA256 of `value`, 32 bytes, under a key of its own for each purpose.

    Quick, so fit for long random secrets only (our keys and passwords), never for chosen ones.
    """
    begun = _keyed(secret_key, purpose).copy()
    begun.update(value)
    return begun.digest()


@lru_cache(maxsize=16)
def _keyed(secret_key: str, purpose: str) -> hmac.HMAC:
    """Begun once: setting a key up costs far more than hashing a short secret under it."""
    key = hmac.digest(secret_key.encode(), purpose.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


def same(left: bytes, right: bytes) -> bool:
    """Equality that takes as long for a near miss as for a far one."""
    return hmac.compare_digest(left, right)


def new_secret(nbytes: int = 24) -> str:
    """A fresh random secret of `nbytes` bytes, url-safe: 24 bytes are 32 characters."""
    return secrets.token_urlsafe(nbytes)


def _box(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
