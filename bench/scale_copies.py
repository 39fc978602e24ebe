"""The statements by which `bench.scale_world` makes copies of a slice's rows, table by table."""

from collections.abc import Iterator

from sqlalchemy import LargeBinary, String, Table

from bench.scale_slice import MARK
from rewards_service.audit.chain import GENESIS
from rewards_service.kit.db import Json
from rewards_service.rewards import months
from rewards_service.rewards.models import RewardMonth

# Held once, whatever there is of business.
SHARED = frozenset((
    "alembic_version", "audit_entries", "audit_head", "integrations", "integration_options",
    "partner_enrolments", "partner_statuses", "partners", "programs", "property_definitions",
    "reward_months", "reward_rule_versions", "reward_rules",
))  # fmt: skip
# Whole numbers that name rows which are multiplied; everything else is as in the slice.
KEYS = frozenset((
    "id", "received_event_id", "customer_id", "transaction_id", "reward_id", "entry_id",
    "payout_id", "cause_event_id", "subject_id", "source_lead_id", "source_deal_id",
))  # fmt: skip
MIRROR = {
    "chargebee_customers": "customer", "chargebee_invoices": "invoice",
    "chargebee_transactions": "transaction",
}  # fmt: skip
_KEY = "(({0} - 1) * :copies + k + 1)"
_TEXT = f"replace({{0}}, '{MARK}', '-' || lpad(k::text, 4, '0') || '-')"
_BODY = "convert_to(" + _TEXT.format("convert_from({0}, 'UTF8')") + ", 'UTF8')"
_PARTS = 4  # numbers in what an event came to, at most


def taken(table: Table) -> str:
    """The slice's rows, numbered in their order, with what their copies are computed from."""
    order = "t.id" if "id" in table.c else "t.ctid"
    if table.name in MIRROR:
        more = f""", (SELECT v.body FROM slice.chargebee_versions v WHERE v.kind =
            '{MIRROR[table.name]}' AND v.external_id = t.external_id
            AND v.body_sha256 = t.body_sha256) AS its_body"""
    elif "results" in table.c:
        more = """, regexp_split_to_array(results, '[0-9]+') AS words,
            (SELECT array_agg(m[1]::bigint) FROM regexp_matches(results, '([0-9]+)', 'g') m)
            AS numbers"""
    else:
        more = ""
    return f"""CREATE UNLOGGED TABLE slice.{table.name} AS
        SELECT row_number() OVER (ORDER BY {order}) AS n, t.*{more} FROM {table.name} t
        """


def statement(table: Table, whole: int) -> str:
    columns = [column for column in table.columns if column.computed is None]
    values = ", ".join(_value(table, column.name, whole) for column in columns)
    names = ", ".join(column.name for column in columns)
    # By n, so that rows of one time lie together: the series depends on it.
    return f"""INSERT INTO {table.name} ({names}) SELECT {values}
        FROM (SELECT * FROM slice.{table.name} ORDER BY n) s,
        LATERAL generate_series(0, :copies - 1 + 0 * s.n) k"""


def _value(table: Table, name: str, whole: int) -> str:
    """The value of one column of copy `k`."""
    column, own = table.c[name], f"s.{name}"
    is_text = isinstance(column.type, (String, Json)) and not isinstance(column.type, LargeBinary)
    if name in KEYS and not is_text:
        return _KEY.format(own)
    if name == "results":
        return _results()
    is_whole = f"k < {whole}"
    if name == "body":
        return f"CASE WHEN {is_whole} THEN {_BODY.format(own)} ELSE '{{}}' END"
    if name == "body_sha256":
        body = _BODY.format("s.its_body" if table.name in MIRROR else "s.body")
        return f"CASE WHEN {is_whole} THEN sha256({body}) ELSE {own} END"
    return _TEXT.format(own) if is_text else own


def _results() -> str:
    """What an event came to: a text with keys in it."""
    parts = ["s.words[1]"]
    for number in range(1, _PARTS + 1):
        key = _KEY.format(f"s.numbers[{number}]")
        parts.append(f"coalesce({key} || s.words[{number + 1}], '')")
    return " || ".join(parts)


def ends(copies: int) -> Iterator[str]:
    """What is not simply repeated."""
    sums = ", ".join(f"{name} = {name} * {copies}" for name in months.COLUMNS)
    yield f"UPDATE {RewardMonth.__tablename__} SET {sums}"
    yield "TRUNCATE audit_entries"
    yield f"UPDATE audit_head SET last_at = NULL, last_id = 0, hash = '\\x{GENESIS.hex()}'"
    yield "SELECT setval('audit_entries_id_seq', 1, false)"
    yield """UPDATE payouts SET ledger_sha256 = d.digest FROM (
        SELECT payout_id, encode(sha256(convert_to('[' || string_agg(
            '[' || reward_id || ',[' || entries || ']]', ',' ORDER BY reward_id) || ']',
            'UTF8')), 'hex') AS digest
        FROM (SELECT l.payout_id, l.reward_id,
            string_agg('[' || e.id || ',' || e.amount_minor || ']', ',' ORDER BY e.id) AS entries
          FROM payout_lines l JOIN ledger_entries e
            ON e.reward_id = l.reward_id AND e.amount_minor <> 0
          GROUP BY l.payout_id, l.reward_id) lines
        GROUP BY payout_id) d WHERE d.payout_id = payouts.id"""


def escaped(statement: str) -> str:
    """Casts are no parameters."""
    return statement.replace("::", "\\:\\:")
