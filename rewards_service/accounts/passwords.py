"""Passwords: argon2id, at most two at once in a process, and none that is easily guessed."""

import re
from threading import BoundedSemaphore
from typing import Any

from passlib.context import CryptContext

from rewards_service.kit.errors import Unprocessable

SHORTEST, LONGEST = 12, 200
STRENGTH = 3  # of zxcvbn's 0 to 4: safe from everybody who does not hold the hash
LEAST_OF_A_WORD, LEAST_OWN = 3, 5  # letters and digits of a password that are not its owner's
AT_ONCE = 2  # a hash takes 64 MiB and a core for a while: strangers must not take all of either
_gate = BoundedSemaphore(AT_ONCE)


class WeakPassword(Unprocessable):
    code = "weak_password"
    title = "This password is too easily guessed."


class GatedContext(CryptContext):  # type: ignore[misc]
    """passlib's context; hashing waits for its turn.

    What is longer than any password is cut behind that, and so still none: passlib would raise.
    """

    def hash(self, secret: str, *args: Any, **kwargs: Any) -> str:
        with _gate:
            return str(super().hash(secret[: LONGEST + 1], *args, **kwargs))

    def verify(self, secret: str, *args: Any, **kwargs: Any) -> bool:
        with _gate:
            return bool(super().verify(secret[: LONGEST + 1], *args, **kwargs))


def context(memory_kib: int) -> GatedContext:
    """How passwords are hashed; `memory_kib` for each hash."""
    return GatedContext(
        schemes=["argon2"], argon2__type="ID", argon2__memory_cost=memory_kib, argon2__rounds=3,
        argon2__parallelism=4,
    )  # fmt: skip


def problem(password: str, email: str = "") -> str | None:
    """Why this password is refused; None when it is good."""
    if len(password) < SHORTEST:
        return f"A password needs at least {SHORTEST} characters: four words do well."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    from zxcvbn import zxcvbn

    words = {
        "rewards",
        email,
        email.rpartition(".")[0],
        *re.split(r"[@.]", email),
        *email.split("@"),
    }
    if _is_made_of(password, words):
        return "This password is too easily guessed: it is made of your own address."
    judged = zxcvbn(password[:72], user_inputs=sorted(words - {""}))
    if judged["score"] < STRENGTH:
        warning = judged["feedback"]["warning"] or "It is on the lists that guessers begin with."
        return f"This password is too easily guessed. {warning} Four words that have nothing to do with each other do well."  # noqa: E501
    return None


def _is_made_of(password: str, words: set[str]) -> bool:
    """Whether little is left without these words, which zxcvbn thinks enough when they repeat."""
    left = password.casefold()
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= LEAST_OF_A_WORD:
            left = left.replace(word.casefold(), "")
    return sum(sign.isalnum() for sign in left) < LEAST_OWN


def hashed(password: str, email: str, memory_kib: int) -> str:
    """The hash of a password that somebody chose. Raises WeakPassword."""
    if why := problem(password, email):
        raise WeakPassword(why, [{"pointer": "/password", "detail": why}])
    return context(memory_kib).hash(password)
