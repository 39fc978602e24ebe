"""The figures of the overview together: live where books are small, else of a moment ago."""

from datetime import date, datetime
from typing import NamedTuple

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.admin import figures
from rewards_service.admin.numbers import weeks
from rewards_service.admin.numbers.keeping import Kept
from rewards_service.kit.db import db
from rewards_service.reports.converting import Row
from rewards_service.rewards.models import Reward

LARGE = 100_000  # rewards from which on figures are not gathered for each page
_EXTENSION = "rewards_summary"


class Summary(NamedTuple):
    """What the cards, the picture and the boards show; money by currency."""

    waiting: dict[str, figures.Card]
    paid: figures.Card
    month: date
    weeks: list[weeks.Week]
    of_month: dict[str, list[Row]]
    of_quarter: dict[str, list[Row]]


def read(session: Session) -> tuple[Summary, datetime | None]:
    """The figures, and of when they are; None: of now."""
    if (session.scalar(select(func.max(Reward.id))) or 0) < LARGE:
        return gather(session), None
    kept: Kept[Summary] = current_app.extensions.setdefault(_EXTENSION, Kept(gather))
    made = kept.get(db.engine)
    return made.value, made.at


def gather(session: Session) -> Summary:
    """The figures of now."""
    month = figures.month_begins()
    return Summary(
        figures.waiting_rewards(session), figures.paid_since(session, month), month,
        weeks.last_weeks(session), figures.top_partners(session, 1),
        figures.top_partners(session, 3),
    )  # fmt: skip
