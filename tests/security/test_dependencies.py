"""Parts of others are what they were when they were looked at."""

import pytest

from tools import audit


class TestProblems:
    def test_every_package_is_pinned_and_may_be_used(self) -> None:
        assert list(audit.problems()) == []
        assert len(audit.pins((audit.ROOT / audit.LOCKS[0]).read_text())) > 30


class TestLoose:
    @pytest.mark.parametrize(
        "line",
        ["one==1.0", "one", "one>=1 --hash=sha256:" + "0" * 64, "-e .",
         "one @ https://x.example/one.whl --hash=sha256:" + "0" * 64,
         "one==1 --hash=md5:" + "0" * 32],
    )  # fmt: skip
    def test_what_is_pinned_by_nothing_is_named(self, line: str) -> None:
        assert audit.loose(line) == [line[:80]]

    def test_what_is_pinned_is_not(self) -> None:
        assert audit.loose(f"one==1.0 ; python_version < '4' --hash=sha256:{'0' * 64}\n# two") == []


class TestIsCompatible:
    @pytest.mark.parametrize(
        ("text", "good"),
        [("MIT", True), ("Apache-2.0 OR GPL-2.0", True), ("LGPLv3", True), ("GPL-3.0", False),
         ("AGPL-3.0-only", False), ("unknown", False), ("BSD-3-Clause", True),
         ("License :: Other/Proprietary License", False)],
    )  # fmt: skip
    def test_by_what_it_says(self, text: str, good: bool) -> None:
        assert audit.is_compatible(text) == good
