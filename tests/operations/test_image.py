"""The image and the compose file, as far as can be told without an engine for containers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.operations.fleet import ROOT
from tests.operations.test_deploy import DEPLOY, OTHERS, SETTINGS, run


class TestCompose:
    @pytest.fixture
    def compose(self) -> Any:
        return yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())

    def test_it_is_as_the_specification_has_it(self, compose: Any) -> None:
        schema = json.loads((ROOT / "tests/payloads/compose/compose-spec.json").read_text())
        errors = jsonschema.Draft7Validator(schema).iter_errors(compose)

        assert [f"{error.json_path}: {error.message}" for error in errors] == []

    def test_its_services_are_ours_with_our_settings(self, compose: Any) -> None:
        services = compose["services"]
        ours = {name: one for name, one in services.items() if one["image"] == "rewards-service"}
        procfile = dict(
            line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines()
        )
        commands = {
            name: " ".join(one["command"]) for name, one in ours.items() if "command" in one
        }
        needed = {name for one in services.values() for name in one.get("depends_on", ())}

        assert ours.keys() == procfile.keys()
        assert commands == {name: procfile[name] for name in commands}
        assert needed <= services.keys()
        for one in ours.values():
            assert set(one["environment"]) <= SETTINGS | OTHERS
            assert one["read_only"]
            assert one["cap_drop"] == ["ALL"]
        assert "noeviction" in services["queue"]["command"]


class TestDockerfile:
    LINES = (DEPLOY / "compose/Dockerfile").read_text().splitlines()

    def test_it_copies_what_is_there_and_let_in(self) -> None:
        let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()
                  if line.startswith("!")}  # fmt: skip
        copied = {
            word
            for line in self.LINES
            if line.startswith("COPY ") and "--from" not in line
            for word in line.split()[1:-1]
        }

        assert copied == let_in
        assert [name for name in copied if not (ROOT / name).exists()] == []

    def test_it_installs_by_hash_runs_as_nobody_and_starts_the_web_process(self) -> None:
        text = "\n".join(self.LINES)
        command = json.loads(next(line for line in self.LINES if line.startswith("CMD "))[4:])
        settings = next(line for line in self.LINES if line.startswith("ENV "))[4:].split()

        assert "--require-hashes -r requirements.lock" in text
        assert text.index("USER rewards") < text.index("CMD ")
        assert (
            f"web: {' '.join(command)}".replace("rewards_service.cli.web:app", "wsgi:app")
            in (ROOT / "Procfile").read_text()
        )
        assert {word.partition("=")[0] for word in settings} <= SETTINGS | OTHERS

    @pytest.mark.slow
    def test_its_steps_make_a_service(self, tmp_path: Path) -> None:
        """`make image-proof`: every COPY and RUN of the build, in a folder instead of an image."""
        place = tmp_path / "opt"
        place.mkdir()
        for line in self.LINES[: self.LINES.index("")]:
            kind, _, rest = line.partition(" ")
            if kind == "COPY":
                *names, _ = rest.split()
                run("cp", "-r", *(str(ROOT / name) for name in names), str(place))
            elif kind == "RUN":
                command = rest.replace("python -m venv", f"{sys.executable} -m venv", 1)
                done = run("sh", "-c", command, cwd=place)
                assert done.returncode == 0, done.stderr
        rewards = str(place / ".venv/bin/rewards")
        made = subprocess.run(
            [rewards, "init"], cwd=tmp_path, env={"VAR_DIR": str(tmp_path / "var")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert made.returncode == 0, made.stderr
        assert "now at revision" in made.stdout
