"""The three options of an integration: what each combination does, and when it counts."""

from typing import Any, NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from rewards_service.crm.models import Deal, Lead
from rewards_service.integrations.service import TransactionRequiresConversion
from rewards_service.transactions.models import Transaction
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World


def switches(combination: str) -> dict[str, bool]:
    names = ("convert_lead", "associate_deal", "create_transaction")
    return {name: digit == "1" for name, digit in zip(names, combination, strict=True)}


class Expected(NamedTuple):
    """What a payment of 100.00 leaves behind: event outcome, and how much of each thing."""

    outcome: str
    converted: int
    associated: int
    transactions: int
    to_ann: int  # who brought the lead
    to_bob: int  # who brought the deal


# DOMAIN M12, by Lead-Deal-Txn, then by what the payer's e-mail finds.
TABLE = {
    "000": {
        "lead": Expected("all_off", 0, 0, 0, 0, 0),
        "deal": Expected("all_off", 0, 0, 0, 0, 0),
        "both": Expected("all_off", 0, 0, 0, 0, 0),
        "neither": Expected("all_off", 0, 0, 0, 0, 0),
        "known": Expected("all_off", 0, 0, 0, 0, 0),
    },
    "100": {
        "lead": Expected("converted", 1, 0, 0, 0, 0),
        "deal": Expected("no_lead", 0, 0, 0, 0, 0),
        "both": Expected("converted", 1, 0, 0, 0, 0),
        "neither": Expected("no_lead", 0, 0, 0, 0, 0),
        "known": Expected("no_change", 0, 0, 0, 0, 0),
    },
    "010": {
        "lead": Expected("no_deal", 0, 0, 0, 0, 0),
        "deal": Expected("associated", 0, 1, 0, 0, 0),
        "both": Expected("associated", 0, 1, 0, 0, 0),
        "neither": Expected("no_deal", 0, 0, 0, 0, 0),
        "known": Expected("no_deal", 0, 0, 0, 0, 0),
    },
    "110": {
        "lead": Expected("converted", 1, 0, 0, 0, 0),
        "deal": Expected("associated", 0, 1, 0, 0, 0),
        "both": Expected("converted", 1, 1, 0, 0, 0),
        "neither": Expected("no_lead", 0, 0, 0, 0, 0),
        "known": Expected("no_change", 0, 0, 0, 0, 0),
    },
    "101": {
        "lead": Expected("transaction_recorded", 1, 0, 1, 2_000, 0),
        "deal": Expected("unknown_customer", 0, 0, 0, 0, 0),
        "both": Expected("transaction_recorded", 1, 0, 1, 2_000, 0),
        "neither": Expected("unknown_customer", 0, 0, 0, 0, 0),
        "known": Expected("transaction_recorded", 0, 0, 1, 2_000, 0),
    },
    "011": {
        "lead": Expected("unknown_customer", 0, 0, 0, 0, 0),
        "deal": Expected("transaction_recorded", 0, 1, 1, 0, 2_000),
        "both": Expected("transaction_recorded", 0, 1, 1, 0, 2_000),
        "neither": Expected("unknown_customer", 0, 0, 0, 0, 0),
        "known": Expected("transaction_recorded", 0, 0, 1, 2_000, 0),
    },
    "111": {
        "lead": Expected("transaction_recorded", 1, 0, 1, 2_000, 0),
        "deal": Expected("transaction_recorded", 0, 1, 1, 0, 2_000),
        "both": Expected("transaction_recorded", 1, 1, 1, 2_000, 0),
        "neither": Expected("unknown_customer", 0, 0, 0, 0, 0),
        "known": Expected("transaction_recorded", 0, 0, 1, 2_000, 0),
    },
}
CELLS = [(combination, who) for combination, row in TABLE.items() for who in row]


class TestCombinations:
    @pytest.mark.parametrize(("combination", "who"), CELLS)
    def test_a_payment_does_what_the_table_says(
        self, combination: str, who: str, world: World
    ) -> None:
        """DOMAIN M2, M3, M7, M9, M11, M12, S1."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        if who in ("lead", "both"):
            world.lead("ada@one.example", ann)
        if who in ("deal", "both"):
            world.deal("ada@one.example", bob)
        if who == "known":
            world.lead("first@one.example", ann)
            world.receive(paid("first", "cb_1", "first@one.example", 10_000, -10))
        before = self._counts(world, ann, bob)
        world.switch(**switches(combination))
        world.receive(paid("p", "cb_1", "ada@one.example"))
        after = self._counts(world, ann, bob)
        grown = [now - then for now, then in zip(after, before, strict=True)]
        assert Expected(world.outcome("ev_p") or "", *grown) == TABLE[combination][who]
        is_known = who == "known" or grown[0] + grown[1] > 0
        assert (world.customer_of("cb_1") is not None) == is_known
        assert len(world.customers()) == int(is_known)

    def _counts(self, world: World, ann: int, bob: int) -> list[int]:
        return [
            sum(row.status == "converted" for row in world.all(Lead)),
            sum(row.customer_id is not None for row in world.all(Deal)),
            len(world.all(Transaction)),
            world.earned(ann),
            world.earned(bob),
        ]

    def test_transactions_alone_are_refused_by_the_service(self, world: World) -> None:
        """DOMAIN M12: refused, not cascaded, also when the last of the other two goes off."""
        with pytest.raises(TransactionRequiresConversion):
            world.switch(**switches("001"))
        world.switch(associate_deal=False)
        with pytest.raises(TransactionRequiresConversion):
            world.switch(convert_lead=False)
        world.switch(convert_lead=False, create_transaction=False)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE integrations SET convert_lead = false, associate_deal = false",
            "INSERT INTO integration_options (integration_id, version, convert_lead,"
            " associate_deal, create_transaction, mode, hierarchy, conflict, valid_from)"
            " VALUES (1, 9, false, false, true, 'live', 'invoice', 'hold', '2026-01-01')",
        ],
        ids=["integrations", "integration_options"],
    )
    def test_transactions_alone_are_refused_by_the_database(
        self, statement: str, world: World
    ) -> None:
        """DOMAIN M12."""
        with (
            pytest.raises(IntegrityError, match="transaction_requires_conversion"),
            world.engine.begin() as connection,
        ):
            connection.execute(text(statement))


class TestVersions:
    def test_an_event_is_judged_by_the_options_that_it_met_on_arrival(self, world: World) -> None:
        """DOMAIN M13: off when it arrived, on when it is processed."""
        world.lead("ada@one.example", world.partner())
        world.switch(**switches("000"))
        world.accept(paid("early", "cb_1", "ada@one.example"))
        world.switch(**switches("111"))
        world.drain()
        assert world.outcome("ev_early") == "all_off"
        assert world.customers() == []

    def test_switching_off_does_not_reach_back_to_events_that_wait(self, world: World) -> None:
        """DOMAIN M13."""
        world.lead("ada@one.example", world.partner())
        world.accept(paid("early", "cb_1", "ada@one.example"))
        world.switch(mode="off")
        world.accept(paid("late", "cb_1", "ada@one.example"))
        world.drain()
        assert world.outcome("ev_early") == "transaction_recorded"
        assert world.outcome("ev_late") == "all_off"
        assert world.earned() == 2_000

    def test_switching_transactions_on_does_not_process_older_events(self, world: World) -> None:
        """DOMAIN M13: only an explicit backfill does."""
        world.lead("ada@one.example", world.partner())
        world.switch(create_transaction=False)
        world.receive(paid("early", "cb_1", "ada@one.example"))
        world.switch(create_transaction=True)
        world.receive(paid("late", "cb_1", "ada@one.example", day=1))
        assert world.outcome("ev_early") == "converted"
        assert world.transaction_of("txn_early") is None
        assert world.transaction_of("txn_late") is not None

    def test_the_same_payment_told_again_after_the_switch_is_recorded(self, world: World) -> None:
        """DOMAIN M13, V11: the second event arrived under the new options."""
        world.lead("ada@one.example", world.partner())
        world.switch(create_transaction=False)
        first = paid("p", "cb_1", "ada@one.example")
        world.receive(first)
        world.switch(create_transaction=True)
        world.receive({**first, "id": "ev_q"})
        assert world.outcome("ev_p") == "converted"
        assert world.outcome("ev_q") == "transaction_recorded"
        assert world.earned() == 2_000

    def test_observing_writes_nothing_but_the_event(self, world: World) -> None:
        """DOMAIN V11, outcome `observed`."""
        world.lead("ada@one.example", world.partner())
        world.switch(mode="observe")
        world.receive(paid("p", "cb_1", "ada@one.example"), refunded("r", "txn_p", 100))
        assert {world.outcome("ev_p"), world.outcome("ev_r")} == {"observed"}
        assert world.customers() == []

    def test_without_the_transaction_option_a_refund_is_only_mirrored(self, world: World) -> None:
        """DOMAIN M12, V11."""
        world.switch(create_transaction=False)
        world.receive(refunded("r", "txn_p", 100))
        assert world.outcome("ev_r") == "mirrored"

    def test_a_payment_without_email_says_so_whatever_the_options(self, world: World) -> None:
        """DOMAIN E1, V11: `no_email` with and without transactions."""
        blanks: list[Any] = [None, "", " \u00a0\u200b"]
        for number, blank in enumerate(blanks):
            world.receive(paid(f"on{number}", "cb_1", blank))
        world.switch(create_transaction=False)
        for number, blank in enumerate(blanks):
            world.receive(paid(f"off{number}", "cb_1", blank))
        outcomes = {world.outcome(f"ev_{way}{n}") for way in ("on", "off") for n in range(3)}
        assert outcomes == {"no_email"}
