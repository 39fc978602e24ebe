import pytest

from tests.dear_first import LANES, deal

DEAR = [f"{lane[-1]}::test_{n}" for lane in LANES for n in range(3)]
NAMES = [*(f"tests/kit/test_{n}.py::test_it" for n in range(31)), *DEAR]


class TestDeal:
    @pytest.mark.parametrize("workers", [0, 1, 2, 3, 4, 7, 100])
    def test_every_test_runs_once(self, workers: int) -> None:
        assert sorted(deal(NAMES, workers)) == list(range(len(NAMES)))
        assert sorted(deal(DEAR, workers)) == list(range(len(DEAR)))

    def test_each_of_three_workers_begins_with_a_lane_of_its_own(self) -> None:
        found = [NAMES[n] for n in deal(NAMES, 3)]
        third = len(NAMES) // 3

        for worker in range(3):
            assert found[worker * third : worker * third + 3] == DEAR[worker * 3 : worker * 3 + 3]
