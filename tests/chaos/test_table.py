"""The matrix of faults says of each row what there is, and what it names is there."""

import re

from chaos.faults.table import FAULTS
from chaos.invariants import INVARIANTS
from chaos.processes import ROOT
from rewards_service.reports.checks import INVARIANTS as CHECKS

PAGE = (ROOT / "docs/chaos.md").read_text()


class TestFaults:
    def test_every_row_of_the_matrix_is_there(self) -> None:
        assert [fault.number for fault in FAULTS] == list(range(1, 46))

    def test_each_is_injected_or_proved_by_a_test_or_says_why_not(self) -> None:
        for fault in FAULTS:
            assert bool(fault.why_not) != bool(fault.inject or fault.tests), fault.title
            for test in fault.tests:
                assert (ROOT / test).is_file(), test

    def test_the_documentation_has_the_same_table(self) -> None:
        rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)

        assert rows == [(str(fault.number), fault.title, fault.how) for fault in FAULTS]


class TestInvariants:
    def test_all_twenty_one_are_looked_at_and_explained(self) -> None:
        assert list(INVARIANTS) == [f"I{number}" for number in range(1, 22)]
        assert [name for name in INVARIANTS if f"| {name} |" not in PAGE] == []

    def test_together_they_look_at_every_check(self) -> None:
        text = (ROOT / "chaos/invariants.py").read_text()

        assert [name for name in CHECKS if f'"{name}"' not in text] == []
