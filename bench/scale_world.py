"""Two years of a large business, straight into PostgreSQL: what a million rewards hang together by.

Rows are as the service would have left them: entries and postings sum up, statuses follow age,
payouts hold their rewards. A few partners have most of the business, as in life. Bodies of events
are short, and explanations all the same: no list shows them.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from bench import world
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.properties.names import CUSTOMER_ID, INVOICE_ID, TRANSACTION_ID
from rewards_service.properties.service import definition_ids
from rewards_service.rewards import months

PARTNERS = 2_000
PAYMENTS_PER_CUSTOMER = 4
DAYS = 730
EXPLANATION = {
    "currency": "USD", "invoice_id": "inv_1", "total_minor": 4500, "write_off_minor": 0,
    "voided": False,
    "rule": {
        "rule_id": 1, "name": "20 %", "version": 1, "kind": "percent", "rate_millionths": 200000,
        "amounts": None, "base": "net", "rounding": "half_even",
    },
    "eligible_minor": 4500, "adjusted_minor": 0, "payable_minor": 4500, "lines": None,
    "by_line": "0", "earning": "4500", "served": "1", "kept": "4500", "base": "4500",
    "payments": [{
        "transaction_id": "txn_1", "paid_at": "2026-01-01T00:00:04+00:00", "applied_minor": 4500,
        "stands": True, "taken_back": "0", "kept": "4500", "credit_note_id": None,
    }],
    "counted": None, "silent": None, "slices": [["4500", 200000, None]], "unlimited_minor": 900,
    "limited_minor": 900, "capped_by": None, "cap_limit_minor": None, "capped_on": None,
    "capped_from": None, "whole_minor": 900, "basis_points": 10000, "target_minor": 900,
    "barred": [], "inconsistent": False, "skipped": [], "earlier_minor": 0,
}  # fmt: skip
_AT = f"timestamptz '2026-01-01' - interval '{DAYS} days' + g * interval '{DAYS} days' / :n"
_AMOUNT = "(500 + g % 9500)"
_NET = "(r.id % 9500 + 500 - CASE WHEN r.id % 33 = 0 THEN 100 ELSE 0 END)"

STEPS = (
    """INSERT INTO partners (id, name, email, email_key, key_version, status, created_at,
      updated_at)
    SELECT g, 'Partner ' || g, 'p' || g || '@partner.example', 'p' || g || '@partner.example', 1,
      CASE WHEN g % 10 = 0 THEN 'paused' ELSE 'active' END, now(), now()
    FROM generate_series(2, :partners) g""",
    """INSERT INTO partner_enrolments (partner_id, program_id, created_at)
    SELECT g, 1, now() FROM generate_series(2, :partners) g""",
    """INSERT INTO customers (id, name, email, email_key, key_version, source_partner_id,
      source_by_hand, machine_made, pinned, matched_at, created_at, updated_at)
    SELECT g, 'Customer ' || g, 'c' || g || '@buyer.example', 'c' || g || '@buyer.example', 1,
      1 + floor(:partners * pow((hashint8(g)::bigint + 2147483648) / 4294967296.0, 3))::bigint,
      false, true, true, now(), now(), now()
    FROM generate_series(1, :customers) g""",
    """INSERT INTO leads (id, email, email_key, key_version, status, status_before, partner_id,
      registered_at, customer_id, converted_at, created_at, updated_at)
    SELECT id, email, email_key, 1, 'converted', 'accepted', source_partner_id, now(), id, now(),
      now(), now() FROM customers""",
    """INSERT INTO deals (id, name, contact_email, email_key, key_version, amount_minor, currency,
      stage, partner_id, registered_at, customer_id, associated_at, created_at, updated_at)
    SELECT id, 'Deal ' || id, email, email_key, 1, 10000, 'USD', 'won', source_partner_id, now(),
      id, now(), now(), now() FROM customers WHERE id % 10 = 0""",
    f"""INSERT INTO received_events (id, integration_id, options_id, event_id, event_type, source,
      occurred_at, received_at, body_sha256, body, other_body_seen, state, outcome, attempts,
      finished_at, results)
    SELECT g, :integration, :options, 'ev_' || g, 'payment_succeeded', 'webhook', {_AT}, {_AT},
      '\\x00', '{{}}', false, 'done', 'transaction_recorded', 1, {_AT},
      '{{"transaction_id":' || g || '}}' FROM generate_series(1, :n) g""",
    f"""INSERT INTO transactions (id, integration_id, customer_id, partner_id, partner_by_hand,
      chargebee_transaction_id, received_event_id, amount_minor, currency, occurred_at, status,
      refunded_minor, created_at)
    SELECT g, :integration, c.id, c.source_partner_id, false, 'txn_' || g, g, {_AMOUNT} * 5,
      CASE WHEN c.id % 50 = 0 THEN 'JPY' WHEN c.id % 5 = 0 THEN 'EUR' ELSE 'USD' END, {_AT},
      CASE WHEN g % 33 = 0 THEN 'partially_refunded' ELSE 'succeeded' END,
      CASE WHEN g % 33 = 0 THEN 500 ELSE 0 END, {_AT}
    FROM generate_series(1, :n) g JOIN customers c ON c.id = 1 + g % :customers""",
    """INSERT INTO chargebee_payment_applications (transaction_id, integration_id, invoice_id,
      position, applied_minor)
    SELECT 'txn_' || id, integration_id, 'inv_' || id, 0, amount_minor FROM transactions""",
    """INSERT INTO property_values (subject_id, definition_id, integration_id, position, value,
      is_unique)
    SELECT id, :transaction_property, integration_id, 0, 'txn_' || id, true FROM transactions
    UNION ALL
    SELECT id, :invoice_property, integration_id, 0, 'inv_' || id, false FROM transactions
    UNION ALL
    SELECT id, :customer_property, :integration, 0, 'cb_' || id, true FROM customers""",
    """INSERT INTO rewards (id, integration_id, invoice_id, rule_version_id, partner_id, seq,
      customer_id, transaction_id, currency, status, hold_reason, available_on, anchor_paid_at,
      explanation, created_at)
    SELECT id, integration_id, 'inv_' || id, :version, partner_id, 1, customer_id, id, currency,
      of_age, CASE WHEN of_age = 'hold' THEN 'manual' END, occurred_at::date + 30, occurred_at,
      :explanation, occurred_at
    FROM (SELECT *, CASE
        WHEN id < :n * 0.85 THEN CASE WHEN id % 50 = 0 THEN 'declined' ELSE 'paid' END
        WHEN id < :n * 0.88 THEN 'in_payout' WHEN id < :n * 0.93 THEN 'approved'
        WHEN id % 20 = 0 THEN 'hold' ELSE 'pending' END AS of_age FROM transactions) t""",
    """INSERT INTO ledger_entries (id, reward_id, kind, amount_minor, cause_event_id, posted_at,
      partner_id, currency, happened_at, effect, owed_minor, opens)
    SELECT id, id, 'earn', 500 + id % 9500, id, created_at, partner_id, currency, created_at,
      'earned', 500 + id % 9500, true FROM rewards
    UNION ALL
    SELECT :n + id, id, 'reverse', -100, id, created_at + interval '10 days', partner_id, currency,
      created_at + interval '9 days', 'reversed', -100, false FROM rewards
    WHERE id % 33 = 0""",
    f"""INSERT INTO ledger_entries (id, reward_id, kind, amount_minor, posted_at, actor,
      partner_id, currency, happened_at, effect, owed_minor, opens)
    SELECT 2 * :n + id, id, 'manual', 0, created_at + interval '45 days', 'machine', partner_id,
      currency, created_at + interval '45 days',
      CASE WHEN status IN ('paid', 'declined') THEN status END,
      CASE WHEN status IN ('paid', 'declined') THEN -{_NET} ELSE 0 END, false FROM rewards r
    WHERE status NOT IN ('pending', 'hold')""",
    """INSERT INTO ledger_postings (entry_id, account, partner_id, currency, amount_minor)
    SELECT e.id, a.account, r.partner_id, r.currency, a.sign * e.amount_minor
    FROM ledger_entries e JOIN rewards r ON r.id = e.reward_id
    CROSS JOIN (VALUES ('expense', 1), ('payable_pending', -1)) a(account, sign)
    WHERE e.amount_minor <> 0""",
    f"""INSERT INTO ledger_postings (entry_id, account, partner_id, currency, amount_minor)
    SELECT e.id, a.account, r.partner_id, r.currency, a.sign * {_NET}
    FROM ledger_entries e JOIN rewards r ON r.id = e.reward_id
    CROSS JOIN LATERAL (VALUES ('payable_pending', 1), (CASE r.status WHEN 'paid' THEN 'paid'
      WHEN 'in_payout' THEN 'payable_in_payout' WHEN 'approved' THEN 'payable_approved'
      ELSE 'expense' END, -1)) a(account, sign)
    WHERE e.amount_minor = 0""",
    f"""INSERT INTO payouts (id, partner_id, currency, cut_off_on, status, total_minor, line_count,
      ledger_sha256, pay_currency, pay_total_minor, paid_on, paid_at, ready_at, created_by,
      created_at, updated_at)
    SELECT row_number() OVER (ORDER BY max(r.id)), r.partner_id, r.currency, max(available_on),
      CASE r.status WHEN 'paid' THEN 'paid' ELSE 'ready' END, sum({_NET}), count(*), '',
      r.currency, sum({_NET}), CASE r.status WHEN 'paid' THEN max(available_on) END,
      CASE r.status WHEN 'paid' THEN max(available_on) END, max(available_on), 'machine',
      max(available_on), max(available_on)
    FROM rewards r WHERE r.status IN ('paid', 'in_payout')
    GROUP BY r.partner_id, r.currency, r.status, date_trunc('month', r.available_on)""",
    f"""INSERT INTO payout_lines (payout_id, reward_id, amount_minor, pay_amount_minor, active)
    SELECT p.id, r.id, {_NET}, {_NET}, true FROM rewards r JOIN payouts p
    ON p.partner_id = r.partner_id AND p.currency = r.currency
      AND (p.status = 'paid') = (r.status = 'paid')
      AND date_trunc('month', p.cut_off_on) = date_trunc('month', r.available_on)
    WHERE r.status IN ('paid', 'in_payout')""",
)
_COUNTED = (
    "partners", "customers", "leads", "deals", "received_events", "transactions", "rewards",
    "ledger_entries", "payouts",
)  # fmt: skip


def build(engine: Engine, rewards: int) -> None:
    """Fill a migrated, empty database; a quarter of an hour at most for a million rewards."""
    integration, options, _ = world.set_up(engine)
    with Session(engine) as session:
        names = definition_ids(session)
        version = session.query(RewardRuleVersion.id).scalar()
    values = {
        "n": rewards, "partners": PARTNERS, "customers": max(rewards // PAYMENTS_PER_CUSTOMER, 1),
        "integration": integration, "options": options, "version": version,
        "transaction_property": names[TRANSACTION_ID], "invoice_property": names[INVOICE_ID],
        "customer_property": names[CUSTOMER_ID], "explanation": json.dumps(EXPLANATION),
    }  # fmt: skip
    with engine.begin() as connection:
        # Constraints that rows refer to each other by are met by the way the rows are made.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        for step in STEPS:
            _run(connection, step, values)
        for table in _COUNTED:
            connection.execute(
                text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
            )
    _roll_up(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


def _run(connection: Connection, step: str, values: Mapping[str, Any]) -> None:
    used = {name: value for name, value in values.items() if f":{name}" in step}
    connection.execute(text(step.replace("::", "\\:\\:")), used)


def _roll_up(engine: Engine) -> None:
    """Fill the month sums, which are kept with the ledger."""
    with Session(engine) as session, session.begin():
        months.rebuild(session)
