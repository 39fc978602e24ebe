"""What is gathered during a transaction and written just before the outermost commit.

It vanishes with a rollback, also with that of a savepoint it was gathered in: a rehearsal leaves
nothing behind.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

Item = TypeVar("Item")


class _Pending(NamedTuple, Generic[Item]):
    """An item, and the savepoints it was gathered in."""

    item: Item
    inside: tuple[SessionTransaction, ...]


class AtCommit(Generic[Item]):
    """Gathers items in each session; `write` gets those of a transaction, in their order.

    first: written before what others gather. What locks a row that all share comes last, or two
    transactions could wait for each other.
    """

    def __init__(
        self, name: str, write: Callable[[Session, list[Item]], None], first: bool = False
    ) -> None:
        self._name, self._do_write = name, write
        event.listen(Session, "before_commit", self._write, insert=first)
        event.listen(Session, "after_soft_rollback", self._forget_rolled_back)
        event.listen(Session, "after_transaction_end", self._forget_all)

    def add(self, session: Session, item: Item) -> None:
        if not session.in_transaction():
            session.begin()  # an item belongs to a transaction, or a rollback would not end it
        pending = session.info.setdefault(self._name, [])
        pending.append(_Pending(item, _savepoints(session)))

    def _write(self, session: Session) -> None:
        if session.in_nested_transaction() or not session.info.get(self._name):
            return
        session.flush()  # takes its row locks before those of what is written now
        pending: list[_Pending[Item]] = session.info.pop(self._name)
        self._do_write(session, [one.item for one in pending])

    def _forget_rolled_back(self, session: Session, transaction: SessionTransaction) -> None:
        pending: list[_Pending[Item]] = session.info.get(self._name, [])
        pending[:] = [one for one in pending if transaction not in one.inside]

    def _forget_all(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            session.info.pop(self._name, None)


def _savepoints(session: Session) -> tuple[SessionTransaction, ...]:
    found = []
    nested = session.get_nested_transaction()
    while nested is not None and nested.nested:
        found.append(nested)
        nested = nested.parent
    return tuple(found)
