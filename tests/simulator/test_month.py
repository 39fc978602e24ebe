"""The ready month: always the same business, and its books add up."""

from rewards_service.simulator.books import differences
from rewards_service.simulator.month import DAYS, PEOPLE, is_over, month
from rewards_service.simulator.site import Site


def sums(site: Site) -> dict[str, list[tuple[str, str, object]]]:
    """What does not depend on the seed: types, statuses and amounts."""
    return {
        kind: [
            (str(row.get("type")), str(row.get("status")), row.get("amount", row.get("total", 0)))
            for row in site.tables[kind].rows.values()
        ]
        for kind in ("transaction", "invoice", "credit_note")
    }


class TestMonth:
    def test_it_lasts_thirty_days_and_adds_up(self) -> None:
        site = Site()
        start = site.now
        days = list(month(site))

        assert len(days) == DAYS
        assert DAYS * 86_400 <= site.now - start < DAYS * 86_400 + 60
        assert differences(site) == []

    def test_everybody_signs_up(self) -> None:
        site = Site()
        list(month(site))
        first = {row["company"] for row in site.tables["customer"].rows.values()}

        assert first == {person.company for person in PEOPLE.values()}

    def test_the_seed_changes_ids_only(self) -> None:
        one, other = Site(1), Site(2)
        list(month(one))
        list(month(other))

        assert sums(one) == sums(other)
        assert one.tables["transaction"].rows.keys() != other.tables["transaction"].rows.keys()

    def test_a_site_knows_that_it_was_played(self) -> None:
        site = Site()
        before = is_over(site)
        list(month(site))

        assert (before, is_over(site)) == (False, True)
