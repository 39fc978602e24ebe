import pytest

from tests.by_turns import BOTH, left_out

KINDS = ("sqlite", "postgresql")
PAIRS = [f"tests/crm/test_routes.py::test_{n}[{kind}-x]" for n in range(100) for kind in KINDS]


def left(names: list[str]) -> set[str]:
    return {names[place] for place in left_out(names)}


class TestLeftOut:
    def test_one_of_each_two_runs_and_each_database_has_its_share(self) -> None:
        runs = set(PAIRS) - left(PAIRS)

        assert {name.partition("[")[0] for name in runs} == {n.partition("[")[0] for n in PAIRS}
        assert len(runs) == 100
        assert 30 < sum("sqlite" in name for name in runs) < 70

    def test_it_is_the_same_one_in_whatever_order_they_come(self) -> None:
        assert left(PAIRS[::-1]) == left(PAIRS)

    @pytest.mark.parametrize("place", BOTH)
    def test_what_the_two_could_tell_apart_runs_on_both(self, place: str) -> None:
        assert left([f"{place}::test_it[{kind}]" for kind in KINDS]) == set()

    def test_what_has_no_partner_runs(self) -> None:
        names = ["a::test[sqlite]", "b::test[postgresql-1]", "c::test", "d::test[my-sql]"]

        assert left(names) == set()
