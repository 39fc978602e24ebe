"""/api/v1/reports, but for reconciliation."""

from typing import Any

from flask import g
from sqlalchemy.orm import Session

from rewards_service.kit.db import is_postgresql
from rewards_service.kit.lists import next_place, page_size, place
from rewards_service.kit.own import own_partner
from rewards_service.kit.reading import READS
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.reports import (
    conversions,
    grouping,
    leaders,
    liability,
    series,
    statements,
)
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
    ConversionReportSchema,
    LeaderboardSchema,
    LiabilitySchema,
    RewardsReportSchema,
    SeriesSchema,
    StatementSchema,
)
from rewards_service.rewards.showing import shown_actor

blueprint = Resource("reports", "What partner managers and finance ask")

REWARDS, CRM = "rewards:read", "crm:read"
ADJUSTED = "adjusted"  # the effect whose reason is meant for the partner


@blueprint.operation(
    "GET", "/reports/rewards", scope=REWARDS, query=RewardsReportQuerySchema,
    answer=RewardsReportSchema,
)  # fmt: skip
def report_rewards(query: dict[str, Any]) -> Any:
    """Rewards summed by any of partner, programme, rule, month, currency and status."""
    session = _snapshot()
    found = converter(session, query)
    return _paged(query, *grouping.report(session, query, found, page_size(query), place(query)))


@blueprint.operation(
    "GET", "/reports/rewards/timeseries", scope=REWARDS, query=SeriesQuerySchema,
    answer=SeriesSchema,
)  # fmt: skip
def report_timeseries(query: dict[str, Any]) -> Any:
    """Rewards day by day, week by week or month by month, in a time zone."""
    session = _snapshot()
    return series.report(session, query, converter(session, query))


@blueprint.operation(
    "GET", "/reports/partners/leaderboard", scope=REWARDS, query=LeaderboardQuerySchema,
    answer=LeaderboardSchema,
)  # fmt: skip
def report_leaderboard(query: dict[str, Any]) -> Any:
    """The partners that came first in a period."""
    session = _snapshot()
    return leaders.report(session, query, converter(session, query))


@blueprint.operation(
    "GET", "/reports/partners/<partner_id>/statement", scope=REWARDS, query=StatementQuerySchema,
    answer=StatementSchema, for_partners=True,
)  # fmt: skip
def report_statement(query: dict[str, Any], partner_id: str) -> Any:
    """A partner's month: what it was owed, what changed that, what it is owed; also as of then."""
    wanted = statements.of_query(path_key("par", partner_id), query)
    own = own_partner()
    found, last = statements.report(_snapshot(), wanted, page_size(query), place(query), own)
    if own is not None:
        found["lines"] = [_for_partners(line) for line in found["lines"]]
    return _paged(query, found, last)


def _for_partners(line: Row) -> Row:
    """A line without who of the house it was, and notes but those of adjustments."""
    reason = line["reason"] if line["effect"] == ADJUSTED else None
    return {**line, "actor": shown_actor(line["actor"]), "reason": reason}


@blueprint.operation(
    "GET", "/reports/liability", scope=REWARDS, query=LiabilityQuerySchema, answer=LiabilitySchema
)
def report_liability(query: dict[str, Any]) -> Any:
    """What is owed to partners: pending, held, approved, in payouts; now or as it was then."""
    session = _snapshot()
    found = converter(session, query)
    return _paged(query, *liability.report(session, query, found, page_size(query), place(query)))


@blueprint.operation(
    "GET",
    "/reports/conversion",
    scope=CRM,
    query=ConversionQuerySchema,
    answer=ConversionReportSchema,
)
def report_conversion(query: dict[str, Any]) -> Any:
    """From registration to the first payment: how many leads and deals, and how long."""
    return _paged(query, *conversions.report(_snapshot(), query, page_size(query), place(query)))


def _paged(
    query: dict[str, Any], answer: dict[str, Any], last: list[Any] | None
) -> tuple[dict[str, Any], int, Any]:
    cursor, headers = next_place(query, last)
    return {**answer, "next_cursor": cursor}, 200, headers


def _snapshot() -> Session:
    """The request's session, all of whose queries see one state: their sums must agree."""
    is_given = "session" in g  # as for files, which are of one state from their start
    session = current_session()
    if is_postgresql(session) and not is_given:
        session.rollback()  # nothing was asked yet
        options = {**READS, "isolation_level": "REPEATABLE READ"}
        session.connection(execution_options=options)
    return session
