from collections.abc import Sequence

import pytest
from sqlalchemy.orm import Session

from rewards_service.reports import payout_checks
from rewards_service.reports.checks import INVARIANTS, as_json, run_checks
from rewards_service.reports.findings import SHOWN
from tests.reports.books import Books, payment


def failing(books: Books) -> set[str]:
    with Session(books.engine) as session:
        return found_in(session)


def found_in(session: Session) -> set[str]:
    return {check.id for check in run_checks(session) if not check.ok}


TAMPERING: list[tuple[str, Sequence[str], Sequence[str]]] = [
    ("events_once", ["received_events"],
     ["INSERT INTO received_events SELECT * FROM received_events WHERE event_id = 'ev_bad'"]),
    ("events_ended", ["received_events"],
     ["UPDATE received_events SET outcome = 'lost' WHERE event_id = 'ev_ref3'"]),
    ("events_ended", ["received_events"],
     ["UPDATE received_events SET outcome = 'mirrored' WHERE event_id = 'ev_bad'"]),
    ("events_ended", ["received_events"],
     ["UPDATE received_events SET state = 'lost' WHERE event_id = 'ev_bad'"]),
    ("events_silent", [],
     ["INSERT INTO payment_claims SELECT id, integration_id, event_id, received_at, 'x', 'x', "
      "NULL, NULL, NULL, received_at, false, false, false, false FROM received_events "
      "WHERE event_id = 'ev_bad'"]),
    ("leases", [],
     ["UPDATE received_events SET state = 'pending', lease_until = '2026-01-01 00:00:00.000000' "
      "WHERE event_id = 'ev_bad'"]),
    ("options", ["integrations"], ["UPDATE integrations SET mode = 'loud'"]),
    ("options", ["integration_options"],
     ["UPDATE integration_options SET convert_lead = false, associate_deal = false"]),
    ("options", [], ["UPDATE received_events SET options_id = 77 WHERE event_id = 'ev_bad'"]),
    ("properties", ["property_values"],
     ["INSERT INTO property_values SELECT subject_id, definition_id, integration_id, 1, 'c9', "
      "is_unique FROM property_values WHERE value = 'c1'"]),
    ("properties", ["property_values"],
     ["UPDATE property_values SET is_unique = false WHERE value = 'txn1'"]),
    ("customer_ids", ["property_values"],
     ["INSERT INTO property_values SELECT 999, definition_id, integration_id, 0, 'c9', is_unique "
      "FROM property_values WHERE value = 'c1'"]),
    ("leads", ["leads"],
     ["UPDATE leads SET customer_id = NULL WHERE status = 'converted'"]),
    ("leads", [], ["UPDATE leads SET superseded_by_id = 99 WHERE superseded_by_id IS NOT NULL"]),
    ("deals", [],
     ["UPDATE deals SET customer_id = NULL, associated_at = NULL, updated_at = created_at"]),
    ("deals", [], ["UPDATE deals SET associated_at = NULL"]),
    ("deals", [], ["UPDATE payment_claims SET associate_deal = false"]),
    ("conflicts", [],
     ["INSERT INTO conflicts (id, kind, natural_key, subject_kind, subject_id, candidates, "
      "opened_at, resolved_by) SELECT 99, 'late_payment', 'x', 'deal', id, '{}', created_at, 'me' "
      "FROM deals"]),
    ("conflicts", [],
     ["UPDATE customers SET hold_reason = 'conflict' WHERE source_deal_id IS NOT NULL"]),
    ("mirror_newest", [],
     ["UPDATE chargebee_invoices SET resource_version = 1 WHERE external_id = 'inv1'"]),
    ("mirror_newest", [],
     ["UPDATE chargebee_invoices SET body_sha256 = (SELECT body_sha256 FROM chargebee_customers "
      "WHERE external_id = 'c1') WHERE external_id = 'inv1'"]),
    ("mirror_newest", ["chargebee_invoices"],
     ["DELETE FROM chargebee_customers WHERE external_id = 'c2'"]),
    ("mirror_true", [],
     ["UPDATE chargebee_invoices SET is_gifted = true WHERE external_id = 'inv1'"]),
    ("mirror_true", [],
     ["UPDATE chargebee_invoice_lines SET unit_minor = 1 WHERE invoice_id = 'inv1'"]),
    ("mirror_true", [],
     ["INSERT INTO chargebee_taxes (document_id, kind, level, integration_id, position) "
      "SELECT external_id, 'invoice', 'line', integration_id, 0 FROM chargebee_invoices "
      "WHERE external_id = 'inv1'"]),
    ("mirror_true", ["chargebee_versions"],
     ["UPDATE chargebee_versions SET body = (SELECT body FROM received_events "
      "WHERE event_id = 'ev_bad') WHERE external_id = 'c2'"]),
    ("payments_recorded", [],
     ["UPDATE received_events SET outcome = 'unknown_customer' WHERE event_id = 'ev_pay1'"]),
    ("payments_recorded", [],
     ["UPDATE received_events SET outcome = 'already_processed' WHERE event_id = 'ev_pay5'"]),
    ("payments_recorded", ["transactions"],
     ["INSERT INTO transactions SELECT * FROM transactions "
      "WHERE chargebee_transaction_id = 'txn3'"]),
    ("transaction_ids", [],
     ["UPDATE property_values SET value = 'txn9' WHERE value = 'txn1'"]),
    ("transaction_ids", [], ["DELETE FROM property_values WHERE value = 'inv3'"]),
    ("transaction_money", [],
     ["UPDATE transactions SET amount_minor = 4501 WHERE chargebee_transaction_id = 'txn1'"]),
    ("transaction_money", [],
     ["UPDATE transactions SET refunded_minor = 0 WHERE chargebee_transaction_id = 'txn1'"]),
    ("transactions", [],
     ["UPDATE transactions SET reason = 'whim' WHERE chargebee_transaction_id = 'txn1'"]),
    ("rewards_once", ["rewards"],
     ["UPDATE rewards SET seq = 3 WHERE invoice_id = 'inv1'"]),
    ("ledger", ["ledger_postings"],
     ["UPDATE ledger_postings SET amount_minor = amount_minor - 1 WHERE entry_id = 1 "
      "AND account <> 'expense'"]),
    ("ledger", ["ledger_postings"],
     ["UPDATE ledger_postings SET amount_minor = 2 * amount_minor WHERE entry_id = 1"]),
    ("ledger", ["ledger_postings"], ["DELETE FROM ledger_postings WHERE entry_id = 1"]),
    ("balances", ["ledger_postings"],
     ["UPDATE ledger_postings SET partner_id = 77 WHERE entry_id = 1"]),
    ("balances", ["ledger_postings"],
     ["UPDATE ledger_postings SET currency = 'EUR' WHERE entry_id = 1"]),
    ("accounts", ["ledger_postings"],
     ["UPDATE ledger_postings SET account = 'payable_approved' WHERE entry_id = 1 "
      "AND account = 'payable_pending'"]),
    ("effects", ["ledger_entries"],
     ["UPDATE ledger_entries SET owed_minor = owed_minor + 1 WHERE id = 1"]),
    ("effects", ["ledger_entries"], ["UPDATE ledger_entries SET effect = NULL WHERE id = 1"]),
    ("effects", ["ledger_entries"], ["UPDATE ledger_entries SET partner_id = 77 WHERE id = 1"]),
    ("months", [], ["UPDATE reward_months SET earned_minor = earned_minor + 1"]),
    ("months", [], ["DELETE FROM reward_months"]),
    ("months", [],
     ["INSERT INTO reward_months SELECT partner_id, month_on, known_on, 'EUR', 0, 0, 0, 0, 0, 1, "
      "0, 0, 0, 0, 0 FROM reward_months"]),
    ("months", ["ledger_entries"],
     ["UPDATE ledger_entries SET happened_at = '2025-01-01 00:00:00.000000' WHERE id = 1"]),
    ("reward_partners", [],
     ["UPDATE customers SET source_partner_id = NULL WHERE source_lead_id IS NOT NULL"]),
    ("reward_statuses", ["rewards"],
     ["UPDATE rewards SET status = 'hold', hold_reason = 'mood' WHERE invoice_id = 'inv1'"]),
    ("reward_statuses", [],
     ["INSERT INTO reward_status_changes (id, reward_id, from_status, to_status, actor, at) "
      "SELECT 1, id, 'pending', 'approved', 'x', created_at FROM rewards "
      "WHERE invoice_id = 'inv1'"]),
    ("reward_statuses", [],
     ["INSERT INTO reward_status_changes (id, reward_id, from_status, to_status, actor, at) "
      "SELECT 1, id, 'paid', 'pending', 'x', created_at FROM rewards WHERE invoice_id = 'inv1'"]),
    ("reward_statuses", [],
     ["UPDATE rewards SET hold_until_on = '2026-01-01' WHERE invoice_id = 'inv1'"]),
    ("rewards", [],
     ["INSERT INTO ledger_entries (id, reward_id, kind, amount_minor, posted_at) "
      "SELECT 99, id, 'earn', 1, created_at FROM rewards WHERE invoice_id = 'inv1'",
      "INSERT INTO ledger_postings (entry_id, account, partner_id, currency, amount_minor) "
      "SELECT 99, 'expense', partner_id, currency, 1 FROM rewards WHERE invoice_id = 'inv1' "
      "UNION ALL SELECT 99, 'payable_pending', partner_id, currency, -1 FROM rewards "
      "WHERE invoice_id = 'inv1'"]),
    ("rewards", [], ["UPDATE rewards SET explanation = '{}' WHERE invoice_id = 'inv1'"]),
]  # fmt: skip
OF_REPORTS = {"effects", "months"}


class TestRunChecks:
    def test_what_the_pipeline_wrote_breaks_nothing(self, shop: Books) -> None:
        with Session(shop.engine) as session:
            checks = run_checks(session)

        assert [check.id for check in checks] == list(INVARIANTS)
        assert {check.id: check.violations for check in checks if not check.ok} == {}

    def test_an_empty_database_breaks_nothing(self, session: Session) -> None:
        assert as_json(run_checks(session))["ok"] is True

    @pytest.mark.parametrize(
        ("broken", "tables", "statements"),
        TAMPERING,
        ids=[f"{broken}-{number}" for number, (broken, _, _) in enumerate(TAMPERING)],
    )
    def test_tampering_is_found_by_the_check_that_guards_it(
        self, shop: Books, broken: str, tables: Sequence[str], statements: Sequence[str]
    ) -> None:
        """reliability I2-I15, DOMAIN V1, V2, V8, V11."""
        with shop.tampered(tables, statements) as session:
            found = found_in(session)

        # Whoever changes the ledger itself is found by what is made of it as well.
        also = set() if broken in OF_REPORTS else OF_REPORTS
        assert found - also == {broken}

    def test_every_other_invariant_has_its_own_test(self) -> None:
        alone = {broken for broken, _, _ in TAMPERING}

        alone |= {invariant.id for invariant in payout_checks.INVARIANTS}  # test_payout_checks

        assert set(INVARIANTS) - alone == {"clawbacks", "no_card_data", "audit"}

    def test_taking_back_more_than_was_earned_is_found(self, shop: Books) -> None:
        """reliability I10."""
        turned = (
            "UPDATE ledger_entries SET amount_minor = -amount_minor WHERE kind = 'earn'",
            "UPDATE ledger_postings SET amount_minor = -amount_minor WHERE entry_id IN "
            "(SELECT id FROM ledger_entries WHERE kind = 'earn')",
        )
        with shop.tampered(["ledger_entries", "ledger_postings"], turned) as session:
            assert found_in(session) == {"clawbacks", "rewards"} | OF_REPORTS

    def test_rows_too_broken_to_work_with_are_a_violation_too(self, shop: Books) -> None:
        lost = "UPDATE property_values SET subject_id = 999 WHERE value = 'c1'"
        with shop.tampered(["property_values"], [lost]) as session:
            assert found_in(session) >= {"customer_ids", "rewards"}

    def test_a_kept_card_is_found(self, books: Books) -> None:
        """reliability I19."""
        harmless = payment(1, payment_method="card")
        leaking = payment(2)
        leaking["content"]["card"] = {"last4": "1111"}
        books.play([harmless])
        assert failing(books) == set()

        books.play([leaking])
        assert failing(books) == {"no_card_data"}

    def test_many_violations_are_counted_and_some_shown(self, books: Books) -> None:
        books.send({**payment(1), "id": f"ev_{n}"} for n in range(SHOWN + 5))
        books.change("UPDATE received_events SET options_id = 77")

        with Session(books.engine) as session:
            options = next(check for check in run_checks(session) if check.id == "options")
        assert (options.ok, options.count, len(options.violations)) == (False, SHOWN + 5, SHOWN)
        assert options.violations[0]["id"].startswith("evt_")
