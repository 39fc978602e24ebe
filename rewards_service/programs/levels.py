"""Levels of programmes, such as Silver and Gold: made, renamed, removed while unused."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.kit.refusals import flush
from rewards_service.programs import queries
from rewards_service.programs.models import ProgramLevel


class LevelNameTaken(Conflict):
    code = "level_name_taken"
    title = "The programme has a level of this name."


class LevelInUse(Conflict):
    code = "level_in_use"
    title = "Rules or partners stand at this level."


def create_level(session: Session, program_id: int, name: str, actor: str) -> ProgramLevel:
    """A new level of a programme that exists. Raises LevelNameTaken."""
    level = ProgramLevel(program_id=program_id, name=name)
    session.add(level)
    _flush(session, name)
    detail = {"program_id": program_id}
    record(session, "program_level.created", ("program_level", level.id), detail, actor)
    return level


def get_level(
    session: Session, level_id: int, lock: bool = False, own: int | None = None
) -> ProgramLevel:
    """Raises NotFound; with `own` also for one that this partner never stands at."""
    query = select(ProgramLevel).where(ProgramLevel.id == level_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None or (own is not None and not queries.is_at(session, own, level_id)):
        raise NotFound("There is no such level.")
    return found


def rename_level(session: Session, level_id: int, name: str, actor: str) -> ProgramLevel:
    """Give a level another name. Raises NotFound, LevelNameTaken."""
    level = get_level(session, level_id, lock=True)
    level.name = name
    _flush(session, name)
    detail = {"members": ["name"]}
    record(session, "program_level.changed", ("program_level", level.id), detail, actor)
    return level


def delete_level(session: Session, level_id: int, actor: str) -> None:
    """Remove a level that no rule belongs to and no partner ever stood at.

    Raises NotFound, LevelInUse.
    """
    level = get_level(session, level_id, lock=True)
    if queries.is_level_used(session, level.id):
        raise LevelInUse(
            f"The level {level.name!r} has rules, or partners are or were enrolled at it: it stays."
        )
    detail = {"program_id": level.program_id}
    record(session, "program_level.deleted", ("program_level", level.id), detail, actor)
    session.delete(level)
    session.flush()


def _flush(session: Session, name: str) -> None:
    taken = LevelNameTaken(f"Another level of this programme is called {name!r}.")
    # SQLite names the first column of the constraint only, PostgreSQL the constraint.
    flush(session, {"program_levels.program_id": taken, "program_levels.program_id_name": taken})
