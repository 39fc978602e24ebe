"""Reward rules as a whole: kept, shown, changed; without a database."""

from hypothesis import given, settings

from rewards_service.programs import terms
from rewards_service.programs.rule_schemas import TermsSchema
from rewards_service.programs.rules import (
    Cap,
    Conditions,
    ItemFilter,
    RateStep,
    Terms,
    Tiers,
    TierStep,
    read_terms,
)
from tests.builders.api import Json
from tests.programs.rule_bodies import FLAT, GRADUATED, STEPPED, TIERED, any_rule, nameless
from tests.programs.rule_values import FIVE, PERCENT, kept_row, rule, shown

BARE = nameless(TIERED)


class TestRoundTrip:
    @given(any_rule)
    @settings(max_examples=100)
    def test_what_is_accepted_comes_back_the_same(self, body: Json) -> None:
        """DOMAIN A9, A10, A11, A13: every term of a lawful rule is kept as it was given."""
        members = rule(**body)

        assert terms.problems(members) == []
        assert body.items() <= shown(members).items()

    @given(any_rule)
    def test_what_is_kept_can_be_read_by_the_engine(self, body: Json) -> None:
        members = rule(**body)
        kept = kept_row(members)
        found = read_terms(kept.terms)

        assert found.trigger == members["trigger"]
        assert [cap._asdict() for cap in found.caps] == members["caps"]
        assert (found.min_amounts, found.max_rewards) == (
            members["min_amount_minor"], members["max_reward_minor"],
        )  # fmt: skip
        assert (found.tiers is None) == (members["tiers"] is None)
        assert (kept.rate_millionths is None) == (members["kind"] == "flat")

    @given(any_rule)
    def test_what_is_shown_can_be_sent_back_and_changes_nothing(self, body: Json) -> None:
        """What GET says may be sent as PATCH: no new version comes of it."""
        members = rule(**body)
        again = TermsSchema().load({
            name: value for name, value in shown(members).items() if name != "effective_from"
        })  # fmt: skip

        assert terms.changed(members, again) == members
        assert terms.changed(members, {}) == members

    @given(any_rule, any_rule)
    @settings(max_examples=100)
    def test_a_whole_rule_replaces_any_other(self, before: Json, after: Json) -> None:
        """Every member that is named wins; what cannot stand beside it goes."""
        wanted = TermsSchema().load(after)
        members = terms.changed(rule(**before), wanted)

        assert wanted.items() <= members.items()

    def test_the_engine_reads_every_term(self) -> None:
        assert read_terms(kept_row(rule(**BARE)).terms) == Terms(
            trigger="deal", priority=-3, stack_group="main", rate_lock="at_attribution",
            first_payments=12, first_months=12, annual="prorate",
            min_amounts={"USD": 1_000}, max_rewards={"USD": 50_000},
            caps=(
                Cap("customer", "lifetime", {"USD": 90_000}),
                Cap("partner", "month", {"USD": 70_000, "EUR": 60_000}),
            ),
            tiers=Tiers("graduated", "base_amount", "month", (
                TierStep({"USD": 100_000, "JPY": 150_000}, 100_000),
                TierStep({"USD": 200_000, "JPY": 300_000}, 150_000),
                TierStep(None, 200_000),
            )),
            items=ItemFilter(("pro-*", "team-USD-Monthly"), ("pro-setup",), ("plan_item_price",)),
            conditions=Conditions(("DE", "AT", "XI"), ("US",), ("cus_1", "cus_2"), ("cus_3",)),
            refund_allocation="by_line",
        )  # fmt: skip

    def test_the_engine_reads_what_only_some_kinds_of_rules_have(self) -> None:
        """DOMAIN A7, A9: steps of a rate, what a refund takes of a flat reward, restated tiers."""
        stepped = read_terms(kept_row(rule(**nameless(STEPPED))).terms)
        flat = read_terms(kept_row(rule(**nameless(FLAT))).terms)
        slab = {**GRADUATED, "mode": "slab", "window": "lifetime", "restate": True}
        restated = read_terms(kept_row(rule(kind="percent", tiers=slab)).terms).tiers
        plain = read_terms(kept_row(rule(**BARE)).terms).tiers

        assert stepped.rate_steps == (RateStep(1, 500_000), RateStep(None, 100_000))
        assert (flat.flat_refund, flat.flat_refund_threshold_millionths) == ("threshold", 500_000)
        assert restated is not None
        assert (restated.mode, restated.window, restated.restate) == ("slab", "lifetime", True)
        assert plain is not None
        assert plain.restate is False

    def test_a_rule_that_says_nothing_more_has_the_defaults(self) -> None:
        """DOMAIN A7, A11, A12, A13: at_zero, full, at_payment, a group of its own."""
        assert read_terms(kept_row(rule(**PERCENT)).terms) == Terms()
        assert read_terms(kept_row(rule(**FIVE)).terms) == Terms()
        assert (rule(**FIVE)["hold_days"], rule(**FIVE)["base"]) == (0, "net")

    def test_a_version_from_before_there_were_terms_reads_as_defaults(self) -> None:
        old = kept_row(rule(**PERCENT))
        old.terms = {}

        assert terms.members_of(old) == rule(**PERCENT)


class TestChanged:
    def test_what_is_left_out_stays_and_null_removes(self) -> None:
        before = rule(**BARE)
        after = terms.changed(before, {"first_months": None, "annual": None, "caps": None})

        assert (after["first_months"], after["annual"], after["caps"]) == (None, "full", [])
        assert (after["tiers"], after["first_payments"]) == (before["tiers"], 12)

    def test_tiers_take_the_place_of_the_rate_and_the_other_way_round(self) -> None:
        wanted = TermsSchema(partial=True).load({"tiers": GRADUATED})
        tiered = terms.changed(rule(**PERCENT), wanted)
        plain = terms.changed(tiered, {"tiers": None, "rate": 50_000})

        assert (tiered["rate"], terms.problems(tiered)) == (None, [])
        assert (plain["rate"], plain["tiers"], terms.problems(plain)) == (50_000, None, [])

    def test_a_rate_does_not_silently_replace_tiers(self) -> None:
        found = terms.problems(terms.changed(rule(**BARE), {"rate": 50_000}))

        assert [problem.member for problem in found] == ["rate"]

    def test_another_kind_leaves_the_members_of_the_old_one_behind(self) -> None:
        flat = terms.changed(rule(**BARE), {"kind": "flat", "amounts": {"USD": 5}})
        percent = terms.changed(flat, {"kind": "percent", "rate": 1})

        assert (flat["tiers"], flat["flat_refund"]) == (None, "at_zero")
        assert (percent["amounts"], percent["flat_refund"]) == (None, None)
        assert terms.problems(flat) == terms.problems(percent) == []

    def test_a_threshold_goes_with_what_asked_for_it(self) -> None:
        """DOMAIN A7."""
        before = rule(**FIVE, flat_refund="threshold", flat_refund_threshold="0.5")
        after = terms.changed(before, {"flat_refund": "pro_rata"})

        assert after["flat_refund_threshold_millionths"] is None
