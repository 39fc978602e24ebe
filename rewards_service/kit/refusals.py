"""Refuse what only the service can know to be wrong: unknown ids, names taken by somebody else."""

from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.kit.errors import Conflict, Unprocessable

_SQLITE_PREFIX = "UNIQUE constraint failed: "


def invalid_member(
    member: str, detail: str, kind: type[Unprocessable] = Unprocessable
) -> Unprocessable:
    """A 422 about one member of the body or query, such as `options/mode`."""
    return kind(detail, [{"pointer": f"/{member}", "detail": detail}])


def flush(session: Session, taken: Mapping[str, Conflict]) -> None:
    """Write what is new or changed; the constraint decides a race, not a look-up.

    taken: `table.column` of a unique constraint -> what to raise when it refuses.
    """
    try:
        session.flush()
    except IntegrityError as error:
        violated = _violated(error)
        for name, refusal in taken.items():
            if f"uq_{name.replace('.', '_')}" == violated:
                raise refusal from error
        raise


def _violated(error: IntegrityError) -> str | None:
    """The name of the unique constraint that refused; SQLite names its columns instead."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    text = str(error.orig)
    if not text.startswith(_SQLITE_PREFIX):
        return None
    return f"uq_{text.removeprefix(_SQLITE_PREFIX).split(',')[0].replace('.', '_')}"
