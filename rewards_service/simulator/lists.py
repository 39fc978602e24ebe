"""Pages of records: sorted, filtered, with a cursor that stays true while records are made."""

import json
from collections.abc import Iterator

from rewards_service.simulator.errors import wrong_value
from rewards_service.simulator.filters import Test, conditions
from rewards_service.simulator.site import Place, Row, Site, Table
from rewards_service.simulator.wire import Params

MOST, USUAL = 100, 10
_LONGEST_OFFSET = 1000
# Members to sort by, each kind's own; None is the time at which the record was made.
_SORTS: dict[str, dict[str, str | None]] = {
    "event": {"occurred_at": None},
    "invoice": {"date": "date", "updated_at": "updated_at"},
    "credit_note": {"date": "date", "updated_at": "updated_at"},
    "transaction": {"date": "date", "updated_at": "updated_at"},
}
_USUAL_SORTS: dict[str, str | None] = {
    "created_at": None, "updated_at": "updated_at", "id": None, "name": None,
}  # fmt: skip


def page(
    site: Site,
    kind: str,
    params: Params,
    *,
    lag_s: int = 0,
    only: Test | None = None,
    newest_first: bool = False,
) -> tuple[list[Row], str | None]:
    """One page of records of a kind, and the offset of the next one.

    lag_s: records made or changed less than so many seconds ago are not in lists yet.
    only: what the path narrows the list to. newest_first: the order when none is asked for.
    """
    limit = _limit(params)
    member, falling = _order(kind, params, newest_first)
    tests = conditions(params.given)
    if only is not None:
        tests.append(only)
    if kind != "event" and not params.flag("include_deleted"):
        tests.append(lambda row: not row.get("deleted"))
    table = site.tables[kind]
    place = _place(params.text("offset", _LONGEST_OFFSET))
    keys = (table.before if falling else table.after)(member, place)
    visible = _visible(site, table, kind, lag_s, keys)
    found: list[Row] = []
    for row in visible:
        if len(found) == limit:
            return found, _offset(table, member, found[-1])
        if all(test(row) for test in tests):
            found.append(row)
    return found, None


def _visible(site: Site, table: Table, kind: str, lag_s: int, keys: Iterator[str]) -> Iterator[Row]:
    """Without what changed within the lag: a search index that is filled a little later."""
    newest = site.now - lag_s
    for key in keys:
        row = table.rows[key]
        changed = row.get("updated_at") or table.places[key][0]
        if lag_s == 0 or changed <= newest:
            yield row


def _limit(params: Params) -> int:
    limit = params.amount("limit", 1)
    if limit is not None and limit > MOST:
        raise wrong_value("limit", f"should be at most {MOST}")
    return USUAL if limit is None else limit


def _order(kind: str, params: Params, newest_first: bool) -> tuple[str | None, bool]:
    """(member to sort by, falling?)"""
    sorts = _SORTS.get(kind, _USUAL_SORTS)
    given = params.inside("sort_by").given
    if not given:
        return None, newest_first
    direction, member = next(iter(given.items()))
    if direction not in ("asc", "desc") or member not in sorts:
        raise wrong_value("sort_by", f"must be [asc] or [desc] of {', '.join(sorts)}")
    return sorts[member], direction == "desc"


def _offset(table: Table, member: str | None, row: Row) -> str:
    made_at, serial = table.places[row["id"]]
    value = made_at if member is None else int(row.get(member) or 0)
    return json.dumps([str(value), str(serial)], separators=(",", ":"))


def _place(offset: str | None) -> Place | None:
    if offset is None or offset == "":
        return None
    try:
        value, serial = json.loads(offset)
        return int(value), int(serial)
    except (TypeError, ValueError) as error:
        raise wrong_value("offset", "is no offset that a list answered with") from error
