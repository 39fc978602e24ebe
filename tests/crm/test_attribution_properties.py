"""What the fold promises for every set of payments, leads, deals and customers."""

from collections import Counter
from typing import Any

from rewards_service.crm.matching import OPEN_DEALS, OPEN_LEADS
from tests.crm.claims import KEYS, random_neighbours, view

WORLDS = range(3_000)


class TestResolve:
    def test_the_order_of_arrival_changes_nothing(self) -> None:
        """DOMAIN M16, M17, V10."""
        for seed in WORLDS:
            around = random_neighbours(seed)
            assert view(around.resolve()) == view(around.shuffled(seed).resolve()), seed

    def test_a_lead_converts_once_at_most_and_only_for_a_payment_after_its_registration(
        self,
    ) -> None:
        """DOMAIN M3, M5."""
        for seed in WORLDS:
            around = random_neighbours(seed)
            done = around.resolve()
            leads = {one.id: one for one in around.leads}
            told = Counter(
                found["lead_id"] for found in done.results.values() if "lead_id" in found
            )
            assert set(told.values()) <= {1}, seed
            assert told.keys() == done.converted.keys(), seed
            for key, (_, when) in done.converted.items():
                assert leads[key].status in OPEN_LEADS, seed
                assert leads[key].registered_at <= when, seed
            assert not done.superseded.keys() & done.converted.keys(), seed

    def test_every_associated_deal_belongs_to_somebody_known(self) -> None:
        """DOMAIN M7, M8."""
        for seed in WORLDS:
            around = random_neighbours(seed)
            done = around.resolve()
            open_deals = {one.id for one in around.deals if one.stage in OPEN_DEALS}
            told = Counter(
                key for found in done.results.values() for key in found.get("deal_ids", ())  # type: ignore[attr-defined]
            )  # fmt: skip
            assert set(told.values()) <= {1}, seed
            assert told.keys() == done.associated.keys() <= open_deals, seed
            for match, _ in done.associated.values():
                assert match.payers, seed
                assert all(done.known[payer] is match for payer in match.payers), seed

    def test_a_customer_has_one_chargebee_id_of_a_site_and_no_other_has_it(self) -> None:
        """DOMAIN M10."""
        for seed in WORLDS:
            done = random_neighbours(seed).resolve()
            for payer, match in done.known.items():
                sites = [one.integration_id for one in match.payers]
                assert len(set(sites)) == len(sites), seed
                assert payer in match.payers, seed

    def test_a_source_is_the_lead_or_deal_that_it_names(self) -> None:
        """DOMAIN S1."""
        for seed in WORLDS:
            around = random_neighbours(seed)
            leads = {one.id: one for one in around.leads}
            deals = {one.id: one for one in around.deals}
            for match in around.resolve().known.values():
                named = [leads[match.source_lead_id]] if match.source_lead_id else []
                found: list[Any] = [*named, *([deals[match.source_deal_id]]
                                              if match.source_deal_id else [])]  # fmt: skip
                assert len(found) <= 1, seed
                for one in found:
                    assert (one.partner_id, one.registered_at) == (
                        match.source_partner_id, match.attributed_from,
                    ), seed  # fmt: skip

    def test_neighbourhoods_that_share_nothing_do_not_touch_each_other(self) -> None:
        """The fold may be given more than it needs."""
        for seed in WORLDS:
            around = random_neighbours(seed, one_key_each=True)
            whole = view(around.resolve())
            for key in KEYS:
                part = view(around.of_key(key).resolve())
                for name in ("known", "converted", "superseded", "associated", "outcomes"):
                    assert part[name].items() <= whole[name].items(), seed
