"""What there is to judge after a run, gathered once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from chaos.reference import Reference
from chaos.stack import Stack
from rewards_service.kit.db import snapshot
from rewards_service.replay.service import Outcome
from rewards_service.replay.service import replay as rebuild
from rewards_service.reports.checks import run_checks
from rewards_service.reports.digest import sections
from rewards_service.reports.findings import Check
from tests.builders.whole import Read


@dataclass
class Evidence:
    """The installation at rest, what its client was told, and the same input without a fault."""

    stack: Stack
    reference: Reference
    acknowledged: set[str]
    drain_seconds: float
    with_replay: bool = False

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        with snapshot(self.stack.engine) as session:
            return {check.id: check for check in run_checks(session)}

    @cached_property
    def digests(self) -> tuple[Read, Read]:
        """By section: of the installation, and of the reference."""
        with snapshot(self.stack.engine) as session:
            return sections(session), self.reference.digest()

    @cached_property
    def replay(self) -> Outcome | None:
        """Every reward rebuilt from the event log; None where nobody asked for it."""
        return rebuild(self.stack.engine) if self.with_replay else None

    def rows(self, query: Any) -> list[Any]:
        with Session(self.stack.engine) as session:
            return list(session.execute(query))


@dataclass
class Verdict:
    """Invariant -> what breaks it, of those that are broken; and figures of what was judged."""

    broken: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.broken
