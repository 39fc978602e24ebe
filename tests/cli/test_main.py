from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rewards_service import __version__
from rewards_service.cli.main import COMMANDS, main
from rewards_service.kit.errors import NotFound


def environ(var_dir: Path, **values: str) -> dict[str, str]:
    empty = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS"), "")
    return empty | {"VAR_DIR": str(var_dir)} | values


class TestMain:
    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_every_command_explains_itself(self, name: str) -> None:
        answer = CliRunner().invoke(main, [name, "--help"])

        assert answer.exit_code == 0, answer.output
        assert f"Usage: main {name}" in answer.output

    def test_lists_every_command(self) -> None:
        answer = CliRunner().invoke(main, ["--help"])

        assert answer.exit_code == 0
        assert all(name in answer.output for name in COMMANDS)

    def test_tells_its_version(self) -> None:
        assert __version__ in CliRunner().invoke(main, ["--version"]).output

    @pytest.mark.parametrize("arguments", [["dance"], ["run", "--fast"], ["run", "now"]])
    def test_wrong_usage_is_exit_status_2(self, arguments: list[str]) -> None:
        assert CliRunner().invoke(main, arguments).exit_code == 2

    def test_wrong_settings_are_exit_status_2_and_named(self, tmp_path: Path) -> None:
        answer = CliRunner().invoke(main, ["run"], env=environ(tmp_path, PORT="http"))

        assert answer.exit_code == 2
        assert "PORT" in answer.output

    def test_an_error_we_know_is_exit_status_1_and_its_text(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        @click.command()
        def fail() -> None:
            raise NotFound("There is no integration 7. List them first.")

        monkeypatch.setattr(main, "get_command", lambda _context, _name: fail)
        answer = CliRunner().invoke(main, ["fail"])

        assert answer.exit_code == 1
        assert answer.output == "Error: There is no integration 7. List them first.\n"
