"""I1 to I21: what must hold after every run, each a function that yields what breaks it.

Most are what `rewards check` looks at; the others need the log of the client, the queue, or the
same input without a fault.
"""

from collections.abc import Callable, Iterator, Mapping

from redis.exceptions import RedisError
from sqlalchemy import func, select

from chaos.evidence import Evidence, Verdict
from rewards_service.inbox.models import DEAD, ReceivedEvent
from rewards_service.kit.queue import DOORBELLS, queue_on
from rewards_service.outbound.models import WebhookDelivery
from rewards_service.transactions.models import RewardDue, Transaction

Breaks = Iterator[str]
Search = Callable[[Evidence], Breaks]
SHOWN = 10


def i1_acknowledged_events_are_there(evidence: Evidence) -> Breaks:
    held = {row[0] for row in evidence.rows(select(ReceivedEvent.event_id))}
    for lost in sorted(evidence.acknowledged - held):
        yield f"{lost} was answered 200 and is not there."


def i2_events_are_there_once(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "events_once")


def i3_events_have_ended(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "events_ended")
    query = select(ReceivedEvent.event_id, ReceivedEvent.error).where(ReceivedEvent.state == DEAD)
    for name, error in evidence.rows(query):
        yield f"{name} is dead: {error}"
    for name, error in evidence.rows(
        select(RewardDue.invoice_id, RewardDue.error).where(RewardDue.dead)
    ):
        yield f"The reward of {name} was given up: {error}"


def i4_payments_of_customers_are_recorded_once(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "payments_recorded")
    name, site = Transaction.chargebee_transaction_id, Transaction.integration_id
    query = select(name).group_by(site, name).having(func.count() > 1)
    for (doubled,) in evidence.rows(query):
        yield f"{doubled} is recorded more than once."


def i5_rows_carry_their_chargebee_ids(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "transaction_ids", "customer_ids", "properties")


def i6_amounts_are_those_of_chargebee(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "transaction_money", "transactions")


def i7_rewards_are_unique_and_recalculate(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "rewards_once", "rewards", "reward_statuses")
    if evidence.replay is not None and not evidence.replay.ok:
        yield f"A replay of the log differs {evidence.replay.count} times: " + str(
            evidence.replay.differences[:3]
        )


def i8_the_ledger_sums_to_zero(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "ledger", "effects", "months")


def i9_balances_are_sums_of_entries(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "balances", "accounts", "payout_accounts")


def i10_no_more_is_taken_back_than_was_given(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "clawbacks")


def i11_rewards_belong_to_who_brought_the_customer(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "reward_partners")


def i12_leads_are_converted_once(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "leads")


def i13_deals_follow_their_contact(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "deals", "conflicts")


def i14_versions_only_go_up(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "mirror_newest", "mirror_true")


def i15_no_lease_is_overdue(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "leases")


def i16_the_outbox_is_empty_or_says_why(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "payouts", "payouts_once", "payout_statuses")
    key = (WebhookDelivery.endpoint_id, WebhookDelivery.message_id)
    for endpoint, name in evidence.rows(select(*key).group_by(*key).having(func.count() > 1)):
        yield f"Endpoint {endpoint} has {name} twice."


def i17_the_audit_log_is_whole(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "audit")


def i18_nothing_crosses_sites(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "options")
    payment, told = Transaction, ReceivedEvent
    query = (
        select(payment.id)
        .join(told, told.id == payment.received_event_id)
        .where(told.integration_id != payment.integration_id)
    )
    for (key,) in evidence.rows(query):
        yield f"Transaction {key} was made by an event of another site."


def i19_no_card_data_is_kept(evidence: Evidence) -> Breaks:
    yield from _of_checks(evidence, "no_card_data", "events_silent")


def i20_the_queue_is_at_rest(evidence: Evidence) -> Breaks:
    connection = evidence.stack.redis.client()
    try:
        for name in DOORBELLS:
            queue = queue_on(connection, name)
            left = connection.llen(queue.intermediate_queue_key)
            if left:
                yield f"{left} jobs of {name} hang between queue and worker."
    except RedisError as error:
        yield f"The queue cannot be asked: {error}"


def i21_the_books_are_those_of_a_run_without_faults(evidence: Evidence) -> Breaks:
    ours, reference = evidence.digests
    for section in sorted(ours.keys() | reference.keys()):
        if ours.get(section) != reference.get(section):
            yield f"{section} differ from those of a run without faults."


def _of_checks(evidence: Evidence, *names: str) -> Breaks:
    for name in names:
        check = evidence.checks[name]
        for violation in check.violations:
            yield f"{name}: {violation['id']} {violation['detail']}"


INVARIANTS: Mapping[str, Search] = {
    name.partition("_")[0].upper(): search
    for name, search in list(globals().items())
    if name[:1] == "i" and name[1:2].isdigit()
}


def judge(evidence: Evidence) -> Verdict:
    """Look at every invariant. Figures: lost, doubled, events, how long draining took."""
    verdict = Verdict()
    for name, search in INVARIANTS.items():
        broken = list(search(evidence))
        if broken:
            verdict.broken[name] = broken[:SHOWN]
            if len(broken) > SHOWN:
                verdict.broken[name].append(f"and {len(broken) - SHOWN} more")
    verdict.figures = {
        "events": evidence.rows(select(func.count(ReceivedEvent.id)))[0][0],
        "acknowledged": len(evidence.acknowledged),
        "lost": len(list(i1_acknowledged_events_are_there(evidence))),
        "doubled": sum(
            len(list(search(evidence)))
            for search in (i2_events_are_there_once, i4_payments_of_customers_are_recorded_once)
        ) + evidence.checks["rewards_once"].count,
        "tries_beyond_the_first": evidence.rows(select(func.sum(ReceivedEvent.attempts)))[0][0],
        "drain_s": round(evidence.drain_seconds, 2),
        "digest_equal": "I21" not in verdict.broken,
    }  # fmt: skip
    return verdict
