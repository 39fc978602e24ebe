"""One log for our code and the libraries below it: structured, on stderr, without secrets."""

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO
from uuid import uuid4

import orjson
import structlog
from structlog.typing import EventDict, Processor

REDACTED = "[redacted]"

_SECRET_WORDS = re.compile(
    "authorization|password|passwd|passphrase|secret|token|apikey|card|email|cookie|credential"
    "|encryptionkey|databaseurl|redisurl|dsn"
)
# Texts (messages, tracebacks, SQL parameters) carry the same things without a name beside them.
_SECRET_TEXTS = (
    (re.compile(r"\b(Basic|Bearer)\s+[\w+/=.~-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
    # Our keys, those of Chargebee, secrets of endpoints, numbers as long as those of cards.
    (re.compile(r"\b(rk|whsec|live|test)_[A-Za-z0-9+/=_-]{10,}"), rf"\1_{REDACTED}"),
    (re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"), "[number]"),
    (re.compile(r"[^\s@<>'\"(),;:=/]+@[^\s@<>'\"(),;:/]+\.\w{2,}"), "[email]"),
)
_MAX_DEPTH = 8
_written_as = {"format": "console"}
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def configure(log_format: str = "console", stream: TextIO | None = None) -> None:
    """Send structlog and stdlib logging through one handler on `stream` (stderr).

    log_format: `console` for people, `json` for machines (one object a line). Safe to call again:
    the handler is replaced. Loggers of gunicorn, rq, sqlalchemy and alembic lose their own.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(log_format))
    _written_as["format"] = log_format
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("gunicorn.error", "gunicorn.access", "rq.worker", "sqlalchemy", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in ("sqlalchemy.engine", "rq.worker", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its warnings quote addresses with their parameters; what matters in them is raised anyway.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )


def write_line(logger: str, event: str, **values: str | float | None) -> None:
    """A line at level info whose values are all our own: no secret is looked for in them.

    For where a line may cost microseconds only; in form it is like any other.
    """
    stamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    handler = logging.getLogger().handlers[0] if logging.getLogger().handlers else None
    if not isinstance(handler, logging.StreamHandler):
        return
    if _written_as["format"] == "json":
        line = orjson.dumps(
            {"event": event, **values, "level": "info", "logger": logger, "timestamp": stamp}
        ).decode()
    else:
        told = " ".join(f"{name}={value}" for name, value in values.items())
        line = f"{stamp} [info     ] {event:<30} [{logger}] {told}"
    with handler.lock or nullcontext():
        handler.stream.write(f"{line}\n")
        handler.stream.flush()


def request_id_of(given: str | None) -> str:
    """`given` when it is harmless, else a fresh one."""
    return given if given is not None and _SAFE_REQUEST_ID.fullmatch(given) else uuid4().hex


def bind_request_id(given: str | None = None) -> str:
    """Put a request id on every line of this request; `given` is kept when it is harmless."""
    request_id = request_id_of(given)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Blank out secrets and personal data by the name of their key, at any depth, and in texts."""
    return {key: _clean(key, value, _MAX_DEPTH) for key, value in event.items()}


def _clean(key: str, value: Any, depth: int) -> Any:
    if value is not None and not isinstance(value, bool) and _is_secret(key):
        return REDACTED
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, bytes):
        return without_secrets(value.decode(errors="replace"))
    if isinstance(value, Mapping):
        if depth == 0:
            return REDACTED
        return {str(name): _clean(str(name), item, depth - 1) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return REDACTED if depth == 0 else [_clean("", item, depth - 1) for item in value]
    if value is None or isinstance(value, int | float):
        return value
    return without_secrets(str(value))


@lru_cache(maxsize=1_000)
def _is_secret(key: str) -> bool:
    return _SECRET_WORDS.search(key.lower().replace("_", "").replace("-", "")) is not None


def without_secrets(text: str) -> str:
    """A text without passwords, tokens and e-mail addresses, as far as patterns tell them."""
    if len(text) < 13 and "@" not in text:  # none of the patterns fits so little
        return text
    for pattern, replacement in _SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    return text


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(log_format: str) -> structlog.stdlib.ProcessorFormatter:
    machine = log_format == "json"
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if machine
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )
