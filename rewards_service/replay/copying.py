"""Copy what people set up and what was received into the scratch, as it was before the machine.

All in one snapshot of the live tables, inside the database: nothing passes through this process.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
)

from rewards_service.audit.chain import GENESIS
from rewards_service.audit.models import AuditEntry, AuditHead
from rewards_service.audit.service import HEAD_ID
from rewards_service.crm.matching import CONFLICT_LATE
from rewards_service.crm.models import Customer, Deal, Lead, PaymentClaim
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import Base, chunks, table_of
from rewards_service.partners.models import Partner
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.replay.tables import LINKS, SCRATCH, here

# As they are. What of them changed in time is undone afterwards, from the audit log.
SET_UP = (
    "integrations", "integration_options", "property_definitions", "programs", "program_levels",
    "reward_rules", "partner_statuses", "partner_enrolments", "deal_shares",
)  # fmt: skip
_NOTHING = null()
CREATED = "customer.created"


def copy(connection: Connection) -> None:
    """Fill the scratch; `connection` reads the live tables."""
    for name in SET_UP:
        copy_table(connection, Base.metadata.tables[name], {})
    for model, changes, wanted in (
        (Partner, _hidden_if_late(Partner), None),
        (Lead, _as_entered_lead(), None),
        (Deal, {"customer_id": _NOTHING, "associated_at": _NOTHING, **_hidden_if_late(Deal)}, None),
        (Customer, _as_entered_customer(), Customer.machine_made.is_(False)),
        # A version does not exist before its time: until then it belongs to no rule.
        (RewardRuleVersion, {"rule_id": -RewardRuleVersion.rule_id}, None),
        (ReceivedEvent, _AS_RECEIVED, ReceivedEvent.finished_at.is_not(None)),
    ):
        copy_table(connection, table_of(model), changes, wanted)
    _leave_out_attached(connection)
    _copy_links(connection)
    _begin_audit_log(connection)
    if connection.dialect.name == "postgresql":
        set_sequences(connection)


_AS_RECEIVED: Mapping[str, Any] = {
    "state": literal("pending"), "outcome": _NOTHING, "error": _NOTHING, "attempts": literal(0),
    "next_attempt_at": _NOTHING, "lease_token": _NOTHING, "lease_until": _NOTHING,
    "finished_at": _NOTHING, "results": _NOTHING,
}  # fmt: skip


def is_late(thing: Any, at: Any = None) -> Any:
    """Whether a payment by the e-mail of a lead, deal, customer or partner was handled before.

    Before it was entered, or before `at`. Only then does it matter when that was: until then
    nobody had asked for it.
    """
    claimed = (
        select(PaymentClaim.received_event_id)
        .join(ReceivedEvent, ReceivedEvent.id == PaymentClaim.received_event_id)
        .where(
            PaymentClaim.email_key == thing.email_key,
            ReceivedEvent.finished_at < (thing.created_at if at is None else at),
        )
    )
    return exists(claimed.correlate_except(PaymentClaim, ReceivedEvent))


def _hidden_if_late(thing: Any) -> dict[str, Any]:
    """Without its key nothing finds it; it gets the key when its time has come."""
    return {"email_key": case((is_late(thing), _NOTHING), else_=thing.email_key)}


def _as_entered_lead() -> dict[str, Any]:
    return {
        "status": func.coalesce(Lead.status_before, Lead.status),
        "status_before": _NOTHING,
        "customer_id": _NOTHING,
        "converted_at": _NOTHING,
        "superseded_by_id": _NOTHING,
        **_hidden_if_late(Lead),
    }


def _as_entered_customer() -> dict[str, Any]:
    """Its source partner too, unless a lead or deal brought it; decisions are undone afterwards."""
    by_machine = or_(Customer.source_lead_id.is_not(None), Customer.source_deal_id.is_not(None))
    return {
        "source_partner_id": case((by_machine, _NOTHING), else_=Customer.source_partner_id),
        "source_lead_id": _NOTHING,
        "source_deal_id": _NOTHING,
        "attributed_from": _NOTHING,
        "hold_reason": _NOTHING,
        "matched_at": _NOTHING,
        "pinned": false(),
        **_hidden_if_late(Customer),
    }


def copy_table(
    connection: Connection, table: Table, changes: Mapping[str, Any], wanted: Any = None
) -> None:
    """Copy the rows of a live table that are `wanted` into the scratch, some columns changed."""
    names = [column.name for column in table.columns if column.computed is None]
    columns = [changes.get(name, table.c[name]) for name in names]
    query = select(*columns) if wanted is None else select(*columns).where(wanted)
    if not query.get_final_froms():
        query = query.select_from(table)
    target = here(table.name)
    connection.execute(insert(target).from_select(names, query, include_defaults=False))


def _leave_out_attached(connection: Connection) -> None:
    """Customers that were made as a payment was attached, or a conflict resolved, by hand.

    Deciding so will make them again. Those that a person entered say so in the audit log.
    """
    entry = AuditEntry
    made: set[int] = set()
    entered: set[int] = set()
    decided = entry.action.in_(("event.attached", "conflict.resolved", CREATED))
    query = select(entry.action, entry.subject_id, entry.detail).where(decided)
    for action, key, detail in connection.execute(query):
        if action == CREATED:
            entered.add(key)
        elif action == "event.attached" and {"lead_id", "deal_id"} & detail.keys():
            made.add(detail["customer_id"])
        elif detail.get("kind") == CONFLICT_LATE:
            made |= set(detail["customer_ids"])
    table = here(table_of(Customer).name)
    for some in chunks(sorted(made - entered)):
        connection.execute(delete(table).where(table.c.id.in_(some)))


def _copy_links(connection: Connection) -> None:
    query = (
        select(PropertyValue.subject_id, PropertyValue.integration_id, PropertyValue.value)
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .where(PropertyDefinition.key == CUSTOMER_ID)
    )
    names = [column.name for column in LINKS.columns]
    connection.execute(insert(here(LINKS.name)).from_select(names, query, include_defaults=False))


def _begin_audit_log(connection: Connection) -> None:
    head = {"id": HEAD_ID, "last_id": 0, "hash": GENESIS}
    connection.execute(insert(here(table_of(AuditHead).name)), head)


def set_sequences(connection: Connection) -> None:
    """New rows get keys that no copied row has, nor one that is still to come."""
    options: Any = connection.get_execution_options()["schema_translate_map"]
    for table in Base.metadata.tables.values():
        column = table.autoincrement_column
        if column is None or column.autoincrement is False:
            continue
        highest = connection.execute(select(func.max(table.c[column.name]))).scalar_one()
        if highest is not None:
            name = f"{options[SCRATCH]}.{table.name}_{column.name}_seq"
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :highest)"),
                {"name": name, "highest": highest},
            )
