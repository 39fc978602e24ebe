"""Which rounds count, and what the table of aims says."""

from dataclasses import asdict
from typing import Any

from bench import paired, targets
from bench.paired import Round


def a_round(**subjects: float) -> dict[str, Any]:
    """Requests a second of each subject; everything else the same for all."""
    return {
        name: asdict(Round(rate, 1, 2, web_us=300, database_us=100, queue_us=0,
                           foreign_cores=0, distinct=1))
        for name, rate in subjects.items()
    }  # fmt: skip


class TestSteady:
    def test_a_round_counts_while_the_bare_route_is_within_a_quarter_of_its_median(self) -> None:
        assert paired.steady([1000, 1250, 760, 1251, 749]) == [0, 1, 2]


class TestRatios:
    def test_a_ratio_is_of_one_round_and_discarded_rounds_have_none(self) -> None:
        rounds = [a_round(bare=100, ours=50), a_round(bare=100, ours=30), a_round(bare=9, ours=9)]

        assert paired.ratios({"rounds": rounds, "kept": [0, 1]}, "ours", "bare") == [0.3, 0.5]


class TestRows:
    def test_each_aim_says_whether_it_was_met_missed_and_why_or_not_measured(self) -> None:
        rounds = [a_round(bare=100, ours=45, afternoon=10)]
        found = {"paired": {"rounds": rounds, "kept": [0]}}
        rows = targets.rows(found, {"P2": "because"})

        assert rows[0].endswith("| ≥ 0.40 x | ≥ 0.55 x | 0.45 x | met |")
        assert rows[1].endswith("| 1.00 x | met, stretch too |")
        assert rows[2].endswith("| 4.5 x | **missed**: because |")
        assert rows[3].endswith("| - | not measured here |")
        assert len(rows) == len(targets.TARGETS)
