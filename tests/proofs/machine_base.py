"""What every part of the money machine needs: a world, a model of it, and what must hold.

After each step the ledger must add up; once nothing is waiting each invoice must have earned what
the rules say (`money_model`), and at the end the service's own checks must find nothing.
"""

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import DealShare
from rewards_service.programs.models import RewardRuleVersion
from tests.builders.whole import violations
from tests.builders.world import World
from tests.proofs import ledger_rules
from tests.proofs.money_model import Model, Payer, Told
from tests.rewards import reference
from tests.rewards.facts import Rule
from tests.rewards.histories import History
from tests.rewards.test_whole_service import standings

RATES = (200_000, 125_000, 333_333, 25_000)
FLAT = {"USD": 333, "JPY": 41}
FIRST = Rule(RATES[0], None, "net", "half_even")
SECOND = Rule(None, FLAT, "net", "half_even")
SPLIT = (3_334, 6_666)

Place = AbstractContextManager[World]
Finish = Callable[[World], None]
Held = dict[int, tuple[int, int]]  # rule version -> (posted to what stands, to what was declined)
picks = st.integers(0, 999)
sizes = st.sampled_from([10_000, 999_983, 99, 7])


class Machine(RuleBasedStateMachine):
    """One site, three payers: Ann's, Bob's (whose status changes), and one of Cid's and Dan's.

    `finish` looks at the world of a whole sequence once more, at its end.
    """

    def __init__(self, open_world: Callable[[], Place], finish: Finish) -> None:
        super().__init__()
        self._place = open_world()
        self._finish = finish
        self.world = self._place.__enter__()
        self.model = Model()
        self.late: list[tuple[Payer, Told]] = []
        self.waiting = False  # something was told and is not handled yet
        self.seen: list[Any] = []

    @initialize(flat_too=st.booleans(), sizes=st.lists(sizes, min_size=2, max_size=4))
    def set_up(self, flat_too: bool, sizes: list[int]) -> None:
        world = self.world
        ann, bob, cid, dan = (world.partner(name) for name in ("Ann", "Bob", "Cid", "Dan"))
        self.bob, self.rule = bob, world.rule
        self.model.add_version(world.rule, 1, 0, FIRST)
        if flat_too:
            self.model.add_version(world.add_rule(None, FLAT), 1, 0, SECOND)
        cast = [("USD", (10_000,), (ann,)), ("JPY", (10_000,), (bob,)), ("KWD", SPLIT, (cid, dan))]
        for number, (currency, shares, partners) in enumerate(cast, 1):
            history = History(number, currency, FIRST, shares, [], 0, False, False)
            self.model.payers.append(Payer(history, partners))
        world.lead("payer1@customer.example", ann)
        world.lead("payer2@customer.example", bob)
        deal = world.deal("payer3@customer.example", cid)
        for partner, share in zip((cid, dan), SPLIT, strict=True):
            world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=share))
        self.begin(sizes)

    def begin(self, sizes: list[int]) -> None:
        """For the part of the machine that knows of payments: there are some from the start."""

    # --- telling the service ---

    def tell(self, payer: Payer, thing: Any, when: str) -> None:
        """Let an object change, and tell it "now", "with the next" event, or "late"."""
        told = self.model.happen(payer, thing)
        if when == "late":
            self.late.append((payer, told))
        else:
            self.accept(payer, told)
            if when == "now":
                self.drain()

    def accept(self, payer: Payer, told: Told) -> None:
        self.world.accept(told.body)
        self.model.hear(payer, told)
        self.waiting = True

    def drain(self) -> None:
        self.world.drain()
        self.waiting = False

    # --- what must hold ---

    @invariant()
    def books_add_up(self) -> None:
        with Session(self.world.engine) as session:
            book = ledger_rules.read_book(session)
            assert ledger_rules.broken_rules(book) == []
            assert ledger_rules.changed_entries(self.seen, book) == []
            self.seen = list(book.entries)
            self.look_closer(session)
            if not self.waiting:
                assert self._wrong_amounts(session, book) == []
                assert standings(session) == self._expected_standings()

    def look_closer(self, session: Session) -> None:
        """For parts of the machine that have more to look at."""

    def _wrong_amounts(self, session: Session, book: ledger_rules.Book) -> list[Any]:
        """DOMAIN A4, A12: each invoice has its target, under one version of each rule."""
        query = select(RewardRuleVersion.id, RewardRuleVersion.rule_id, RewardRuleVersion.version)
        versions = {key: (rule, version) for key, rule, version in session.execute(query)}
        found: dict[Any, Held] = defaultdict(dict)
        for (invoice, version_key, partner), sums in ledger_rules.by_machine(book).items():
            rule, version = versions[version_key]
            if any(sums):
                found[(invoice, rule, partner)][version] = sums
        wanted = dict(self.model.expected())
        strange = [(slot, held) for slot, held in found.items() if slot not in wanted]
        return strange + [
            (slot, found[slot], possible)
            for slot, possible in wanted.items()
            if not _is_one_of(found.get(slot, {}), possible)
        ]

    def _expected_standings(self) -> dict[str, tuple[str, int]]:
        states = [self.model.heard(payer) for payer in self.model.payers]
        return {
            payment.id: reference.expected_standing(state, payment)
            for state in states
            for payment in state.payments.values()
        }

    def teardown(self) -> None:
        try:
            for payer, told in self.late:
                self.accept(payer, told)
            self.late = []
            self.drain()
            self.books_add_up()
            assert violations(self.world.engine) == {}
            self._finish(self.world)
        finally:
            self._place.__exit__(None, None, None)


def _is_one_of(held: Held, possible: dict[int, int]) -> bool:
    """Whether an invoice holds what exactly one of the possible versions gives."""
    versions = held.keys() | possible.keys()
    return not versions or any(
        all(_is_target(held.get(v, (0, 0)), target if v == chosen else 0) for v in versions)
        for chosen, target in possible.items()
    )


def _is_target(held: tuple[int, int], target: int) -> bool:
    """What was declined is not given again; as it was never owed, nobody has to give it back."""
    owed, declined = held
    return owed == (max(target - declined, 0) if declined > 0 else target - declined)
