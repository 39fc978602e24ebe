"""Programmes and their reward rules; a rule changes by getting a new version."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime

APPROVALS = ("manual", "auto")
INACTIVE_PARTNERS = ("skip", "accrue_hold")


class Program(Base):
    """A set of rules that partners are enrolled in; dates count in its time zone.

    `approval` "auto": rewards are approved by the clock once their hold days are over (V5).
    `inactive_partners` "accrue_hold": they earn, on hold, instead of nothing (S4).
    """

    __tablename__ = "programs"
    __table_args__ = (
        CheckConstraint(f"approval IN {APPROVALS}", name="approval_is_known"),
        CheckConstraint(f"inactive_partners IN {INACTIVE_PARTNERS}", name="inactive_is_known"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str]
    timezone: Mapped[str]
    description: Mapped[str | None]
    approval: Mapped[str] = mapped_column(default="manual", server_default="manual")
    inactive_partners: Mapped[str] = mapped_column(default="skip", server_default="skip")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class ProgramLevel(Base):
    """A level of a programme, such as Silver or Gold, with rules of its own."""

    __tablename__ = "program_levels"
    __table_args__ = (UniqueConstraint("program_id", "name"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey(Program.id))
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class RewardRule(Base):
    """The name under which versions of one rule follow each other.

    It belongs to a level of its programme; `level_id` None: to all of them.
    """

    __tablename__ = "reward_rules"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey(Program.id), index=True)
    level_id: Mapped[int | None] = mapped_column(BigKey)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class RewardRuleVersion(Base):
    """How a reward is calculated for payments from `effective_from` on. Rows never change.

    `effective_from` None: since ever. `rate_millionths` belongs to percent rules, `amounts`
    ({"USD": 500}, minor units) to flat ones. `terms` holds what else the rule says, as
    `rules.read_terms` reads it.
    """

    __tablename__ = "reward_rule_versions"
    __table_args__ = (
        UniqueConstraint("rule_id", "version"),
        CheckConstraint("kind IN ('percent', 'flat')", name="kind_is_known"),
        CheckConstraint(
            "(kind = 'percent') = (rate_millionths IS NOT NULL)", name="percent_has_rate"
        ),
        CheckConstraint("(kind = 'flat') = (amounts IS NOT NULL)", name="flat_has_amounts"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey(RewardRule.id))
    version: Mapped[int]
    kind: Mapped[str]
    rate_millionths: Mapped[int | None]
    amounts: Mapped[Any | None] = mapped_column(Json)
    base: Mapped[str]  # "net" or "gross"
    rounding: Mapped[str]
    hold_days: Mapped[int]
    terms: Mapped[Any] = mapped_column(Json, default=dict, server_default="{}")
    effective_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
