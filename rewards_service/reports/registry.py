"""The reports as lists of rows, for whoever writes them to a file: all rows, in pages of their own.

`wanted` is what the report's query parameters were read as, a statement's with its `partner_id`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from marshmallow import Schema
from sqlalchemy.orm import Session

from rewards_service.reports import conversions, grouping, leaders, liability, series, statements
from rewards_service.reports.converting import Row, converter
from rewards_service.reports.report_parameters import (
    ConversionQuerySchema,
    LeaderboardQuerySchema,
    LiabilityQuerySchema,
    RewardsReportQuerySchema,
    SeriesQuerySchema,
    StatementQuerySchema,
)
from rewards_service.reports.report_schemas import (
    ConversionRowSchema,
    LeaderSchema,
    OwedToSchema,
    RewardsRowSchema,
    SeriesRowSchema,
    StatementLineSchema,
)

Wanted = Mapping[str, Any]


class Report(NamedTuple):
    """A report: what it takes, how it shows a row, the names of its columns, its rows."""

    query: type[Schema]
    row: type[Schema]
    columns: Callable[[Wanted], Sequence[str]]
    rows: Callable[[Session, Wanted], Iterator[Row]]


def _rewards(session: Session, wanted: Wanted) -> Iterator[Row]:
    return grouping.walk(session, wanted, converter(session, wanted))


def _timeseries(session: Session, wanted: Wanted) -> Iterator[Row]:
    return iter(series.rows(session, wanted, converter(session, wanted)))


def _leaderboard(session: Session, wanted: Wanted) -> Iterator[Row]:
    return iter(leaders.rows(session, wanted, converter(session, wanted)))


def _statement(session: Session, wanted: Wanted) -> Iterator[Row]:
    one = statements.of_query(wanted["partner_id"], wanted)
    statements.check(session, one)
    return statements.walk(session, one)


def _liability(session: Session, wanted: Wanted) -> Iterator[Row]:
    statements.check_as_of(wanted.get("as_of"))
    return liability.walk(session, wanted, converter(session, wanted))


REPORTS: Mapping[str, Report] = {
    "rewards": Report(
        RewardsReportQuerySchema, RewardsRowSchema,
        lambda wanted: grouping.columns(wanted["group_by"]), _rewards,
    ),
    "timeseries": Report(SeriesQuerySchema, SeriesRowSchema, lambda _: series.COLUMNS, _timeseries),
    "leaderboard": Report(
        LeaderboardQuerySchema, LeaderSchema, lambda _: leaders.COLUMNS, _leaderboard
    ),
    "statement": Report(
        StatementQuerySchema, StatementLineSchema, lambda _: statements.COLUMNS, _statement
    ),
    "liability": Report(
        LiabilityQuerySchema, OwedToSchema, lambda _: liability.COLUMNS, _liability
    ),
    "conversion": Report(
        ConversionQuerySchema, ConversionRowSchema, lambda _: conversions.COLUMNS,
        conversions.walk,
    ),
}  # fmt: skip
