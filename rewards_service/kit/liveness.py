"""How a connection to PostgreSQL finds out, on both sides, that the other one is gone (pure)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

CONNECT_SECONDS = 5
# A peer that a cut network hides is given up after 5 + 3 x 2 s of silence, or 10 s with data on
# its way. The server is told the same: else it would keep the locks of a vanished worker for hours.
SILENCE_SECONDS, PROBE_SECONDS, PROBES = 5, 2, 3
UNANSWERED_MS = 10_000
# A worker that is frozen in mid-transaction answers the network and holds what it has locked.
IDLE_IN_TRANSACTION_MS = 30_000


def connect_args(url: str, **more: str) -> dict[str, Any]:
    """Arguments for psycopg; `more`: further settings of the session, by their names.

    What the address itself asks for with `options` comes last, so it prevails.
    """
    own = parse_qs(urlsplit(url).query).get("options", [])
    session = {
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
        "tcp_keepalives_idle": str(SILENCE_SECONDS),
        "tcp_keepalives_interval": str(PROBE_SECONDS),
        "tcp_keepalives_count": str(PROBES),
        "tcp_user_timeout": str(UNANSWERED_MS),
        **more,
    }
    return {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": SILENCE_SECONDS,
        "keepalives_interval": PROBE_SECONDS,
        "keepalives_count": PROBES,
        "tcp_user_timeout": UNANSWERED_MS,
        "options": " ".join([*(f"-c {name}={value}" for name, value in session.items()), *own]),
    }
