"""The e-mail key that payments are matched by, and the loose one that only suggests (pure).

DOMAIN E1-E5. The address is split before either half is touched: folding the domain would turn
one registrable domain into another.
"""

import re
import unicodedata
from hashlib import sha256

import idna

KEY_VERSION = 1
LONGEST_KEY = 400
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD))
_PLAIN = re.compile(r"[a-z0-9._%+'/=?^{}|~!#$&*`-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_DOTLESS_DOMAINS = ("gmail.com", "googlemail.com")


class BadEmail(ValueError):
    """A text that cannot be an address: control characters or lone surrogates inside."""


def strict_key(email: str | None) -> str | None:
    """The key two spellings of one address share; None for null, absent or blank (no e-mail).

    " Jörg@BÜCHER.example" is "jörg@xn--bcher-kva.example". BadEmail when a control character or
    a lone surrogate is left after stripping.
    """
    if email is None:
        return None
    if _PLAIN.fullmatch(email):  # nothing below would change it
        return _within_index(email)
    text = unicodedata.normalize("NFKC", email).strip().translate(_INVISIBLE).strip()
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise BadEmail("holds a control character or half of a character")
    if not text:
        return None
    local, at, domain = text.rpartition("@")
    return _within_index(f"{local.casefold()}{at}{_ascii_domain(domain)}")


def key_or_none(text: str) -> str | None:
    """The key of what somebody typed in search of an address; None too where it can be none."""
    try:
        return strict_key(text)
    except BadEmail:
        return None


def is_folded(email: str | None) -> bool:
    """Whether case folding did more to the local part than lower its case (E3).

    "straße@one.example" has the key of "strasse@one.example": accepted, and marked for review.
    """
    if email is None or email.isascii():
        return False
    local = unicodedata.normalize("NFKC", email).rpartition("@")[0]
    return local.casefold() != local.lower()


def _within_index(key: str) -> str:
    """A key that fits any database index: what no real address reaches is hashed."""
    return key if len(key) <= LONGEST_KEY else f"sha256:{sha256(key.encode()).hexdigest()}"


def _ascii_domain(domain: str) -> str:
    """IDNA 2008 with UTS 46 mapping; what is no host name at all is only lower-cased."""
    try:
        return idna.encode(domain, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return domain.lower()


def loose_key(email: str | None) -> str | None:
    """For suggestions and flags only, never to move money (E4): no +tag, no Gmail dots."""
    key = strict_key(email)
    if key is None:
        return None
    local, at, domain = key.rpartition("@")
    local = local.split("+", 1)[0]
    if domain in _DOTLESS_DOMAINS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}{at}{domain}"
