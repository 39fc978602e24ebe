"""/api/v1/payout-schedules and /api/v1/exchange-rates."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.kit.clock import utc_now
from rewards_service.kit.lists import ListQuery, page_answer, paging
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.payouts import exchange, schedules
from rewards_service.payouts.models import PayoutSchedule
from rewards_service.payouts.periods import next_due
from rewards_service.payouts.schedule_schemas import (
    ExchangeRatePageSchema,
    ExchangeRateQuerySchema,
    ExchangeRateSchema,
    PayoutSchedulePageSchema,
    PayoutScheduleSchema,
)

blueprint = Resource("payout schedules", "When payouts are made, and at which rates")

READ, WRITE = "payouts:read", "payouts:write"
_PLAIN = (
    "id", "kind", "day", "program_id", "thresholds", "enabled", "from_on", "created_at",
    "updated_at",
)  # fmt: skip


@blueprint.operation(
    "GET", "/payout-schedules", scope=READ, query=ListQuery, answer=PayoutSchedulePageSchema
)
def list_schedules(query: dict[str, Any]) -> Any:
    """List payout schedules."""
    page = schedules.list_schedules(current_session(), paging(query))
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation(
    "POST", "/payout-schedules", scope=WRITE, body=PayoutScheduleSchema,
    answer=PayoutScheduleSchema, status=201,
)  # fmt: skip
def create_schedule(body: dict[str, Any]) -> Any:
    """Make a payout schedule; days before today do not count."""
    return _shown([schedules.create_schedule(current_session(), _plain(body), current_actor())])[0]


@blueprint.operation(
    "GET", "/payout-schedules/<schedule_id>", scope=READ, answer=PayoutScheduleSchema
)
def get_schedule(schedule_id: str) -> Any:
    """Get one payout schedule."""
    return _shown([schedules.get_schedule(current_session(), path_key("sch", schedule_id))])[0]


@blueprint.operation(
    "PATCH", "/payout-schedules/<schedule_id>", scope=WRITE,
    body=PayoutScheduleSchema(partial=True), answer=PayoutScheduleSchema,
)  # fmt: skip
def change_schedule(body: dict[str, Any], schedule_id: str) -> Any:
    """Change what is given."""
    key = path_key("sch", schedule_id)
    changed = schedules.change_schedule(current_session(), key, _plain(body), current_actor())
    return _shown([changed])[0]


@blueprint.operation("DELETE", "/payout-schedules/<schedule_id>", scope=WRITE, status=204)
def delete_schedule(schedule_id: str) -> Any:
    """End a payout schedule; its payouts stay."""
    schedules.delete_schedule(current_session(), path_key("sch", schedule_id), current_actor())


@blueprint.operation(
    "GET", "/exchange-rates", scope=READ, query=ExchangeRateQuerySchema,
    answer=ExchangeRatePageSchema,
)  # fmt: skip
def list_rates(query: dict[str, Any]) -> Any:
    """List exchange rates."""
    page = exchange.list_rates(current_session(), paging(query), query)
    return page_answer(query, page, [row[0] for row in page.rows])


@blueprint.operation(
    "POST", "/exchange-rates", scope=WRITE, body=ExchangeRateSchema, answer=ExchangeRateSchema,
    status=201,
)  # fmt: skip
def create_rate(body: dict[str, Any]) -> Any:
    """Keep an exchange rate; of two for the same day the later one counts."""
    return exchange.add_rate(current_session(), body, current_actor())


@blueprint.operation("GET", "/exchange-rates/<rate_id>", scope=READ, answer=ExchangeRateSchema)
def get_rate(rate_id: str) -> Any:
    """Get one exchange rate."""
    return exchange.get_rate(current_session(), path_key("fxr", rate_id))


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    """No thresholds are an empty table inside."""
    if "thresholds" in body:
        return {**body, "thresholds": body["thresholds"] or {}}
    return body


def _shown(found: Sequence[PayoutSchedule]) -> list[dict[str, Any]]:
    done = schedules.last_runs(current_session(), [schedule.id for schedule in found])
    today = utc_now().date()
    return [
        {
            **{name: getattr(schedule, name) for name in _PLAIN},
            "last_run_on": done.get(schedule.id),
            "next_run_on": next_due(schedule.kind, schedule.day, today)
            if schedule.enabled
            else None,
        }
        for schedule in found
    ]
