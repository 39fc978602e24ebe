"""schemathesis finds nothing wrong: the short form of `make fuzz-api`."""

import re
from pathlib import Path

from rewards_service.app import create_app
from tests.builders.whole import settings_for
from tests.openapi.fuzzing import fill, prepared, run, served

# `make fuzz-api` has them all.
SOME = ["--include-operation-id-regex", "^(get|create|change|list)_leads?$"]


class TestFuzzing:
    def test_all_checks_pass_on_a_few_operations(
        self, tmp_path: Path, sqlite_template: Path
    ) -> None:
        (tmp_path / "rewards.db").write_bytes(sqlite_template.read_bytes())
        settings = prepared(settings_for(f"sqlite:///{tmp_path}/rewards.db"))
        app = create_app(settings)
        key = fill(app, settings).key
        with served(app) as address:
            status, report = run(address, key, *SOME, "--max-examples", "1", quiet=True)

        passed = re.search(r"(\d+) generated, (\d+) passed", report)
        assert status == 0, report[-3_000:]
        assert passed is not None
        assert passed[1] == passed[2]
        assert int(passed[1]) >= 100
