"""How connections to PostgreSQL are made: neither side waits long for one that is cut off.

A cable that is pulled ends no connection. Left to the system, a request would wait a quarter of an
hour for an answer, and the server would hold the locks of a vanished worker for two hours.
"""

from typing import Any

from sqlalchemy import make_url

CONNECT_SECONDS = 4
# Three silent seconds, then a question each second; what is sent must arrive within five. Two tries
# of a delivery, the second one on a new connection, so end before the ten seconds.
_IDLE_S, _INTERVAL_S, _COUNT, _UNHEARD_MS = 3, 1, 2, 5_000
# A worker that is frozen in mid-transaction answers the network and holds what it has locked.
IDLE_IN_TRANSACTION_MS = 30_000


def connect_args(url: str, **settings: int | str) -> dict[str, Any]:
    """Arguments of psycopg's connect for a SQLAlchemy URL; none for SQLite.

    Either side finds out within ten seconds that the other is gone; the server then rolls back and
    lets go of its locks. `settings` are set on the server for each connection; `options` in the URL
    stay in force and win.
    """
    if url.startswith("sqlite"):
        return {}
    asked = {
        "tcp_keepalives_idle": _IDLE_S,
        "tcp_keepalives_interval": _INTERVAL_S,
        "tcp_keepalives_count": _COUNT,
        "tcp_user_timeout": _UNHEARD_MS,
        **settings,
    }
    options = [f"-c {name}={value}" for name, value in asked.items()]
    given = make_url(url).query.get("options", ())
    return {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": _IDLE_S,
        "keepalives_interval": _INTERVAL_S,
        "keepalives_count": _COUNT,
        "tcp_user_timeout": _UNHEARD_MS,
        "options": " ".join([*options, *([given] if isinstance(given, str) else given)]),
    }
