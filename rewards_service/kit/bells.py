"""The process's one doorbell, for code that must not know how it is rung."""

from collections.abc import Callable

Ring = Callable[[str], None]


class _Silent:
    def ring(self, _queue: str) -> None:
        """Nobody listens: the sweep finds what is due."""


_installed: dict[str, Ring] = {"ring": _Silent().ring}


def install(ring: Ring) -> None:
    """Let `ring(queue name)` ring from now on in this process."""
    _installed["ring"] = ring


def ring(queue: str) -> None:
    """Say that something is due; never raises, never waits."""
    _installed["ring"](queue)
