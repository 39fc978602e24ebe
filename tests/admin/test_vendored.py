"""Files of others: exactly those that their packages have, with their licences."""

from hashlib import sha256
from pathlib import Path

import pytest

from tools.vendor import NAME, ROOT, differing, held, lists, rewritten, wanted


class TestVendoredFiles:
    @pytest.mark.parametrize("path", lists(), ids=lambda path: str(path.relative_to(ROOT)))
    def test_they_are_those_of_the_package_and_no_others(self, path: Path) -> None:
        known = wanted(path)
        here = {
            str(file.relative_to(path.parent)) for file in path.parent.rglob("*") if file.is_file()
        }

        assert differing(known["files"], held(path)) == []
        assert here - {NAME, "LICENSE"} <= set(known["files"])
        assert any(name.startswith("LICENSE") for name in here)
        assert known["licence"]
        assert known["version"]

    def test_a_changed_one_is_noticed(self) -> None:
        assert differing({"a": sha256(b"a").hexdigest()}, {"a": b"b"}) == ["a"]
        assert differing({"a": sha256(b"a").hexdigest()}, {}) == ["a"]

    def test_hashes_are_taken_over_only_as_a_whole(self) -> None:
        text = rewritten('name = "x"\n\n[files]\n"a" = "old"\n', {"a": b"a"})

        assert text == f'name = "x"\n\n[files]\n"a" = "{sha256(b"a").hexdigest()}"\n'
