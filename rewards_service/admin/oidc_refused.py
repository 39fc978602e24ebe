"""Somebody whom the OpenID provider sends is not let in."""

import logging

logger = logging.getLogger(__name__)

BROKEN = "That sign-in did not work. Please begin again; if it happens again, tell an owner."


class Refused(Exception):
    """Somebody is not let in. The text is for them; the log has why."""

    def __init__(self, told: str, why: str = "") -> None:
        super().__init__(told)
        logger.warning("A single sign-on was refused: %s", why or told)
