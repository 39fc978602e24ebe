"""The `rewards` program. Commands load one at a time: imports are most of what a start costs."""

from importlib import import_module

import click

from rewards_service import __version__
from rewards_service.kit.errors import RewardsError
from rewards_service.settings import SettingsError

# Command name: where it is. A new command is one line here and one module.
COMMANDS = {
    "api-key": "rewards_service.cli.api_key:api_key",
    "backfill": "rewards_service.cli.backfill:backfill",
    "backup": "rewards_service.cli.copies:backup",
    "check": "rewards_service.cli.check:check",
    "connect": "rewards_service.cli.connect:connect",
    "create-user": "rewards_service.cli.create_user:create_user",
    "demo": "rewards_service.cli.demo:demo",
    "digest": "rewards_service.cli.digest:digest",
    "doctor": "rewards_service.cli.doctor:doctor",
    "drain": "rewards_service.cli.drain:drain",
    "erase-person": "rewards_service.cli.erase_person:erase_person",
    "gaps": "rewards_service.cli.gaps:gaps",
    "init": "rewards_service.cli.init:init",
    "partitions": "rewards_service.cli.partitions:partitions",
    "poll": "rewards_service.cli.poll:poll",
    "preview-rule": "rewards_service.cli.preview_rule:preview_rule",
    "purge": "rewards_service.cli.purge:purge",
    "rebuild-months": "rewards_service.cli.rebuild_months:rebuild_months",
    "reconcile": "rewards_service.cli.reconcile:reconcile",
    "replay": "rewards_service.cli.replay:replay",
    "restore": "rewards_service.cli.copies:restore",
    "rotate-keys": "rewards_service.cli.rotate_keys:rotate_keys",
    "run": "rewards_service.cli.run:run",
    "sandbox": "rewards_service.cli.sandbox:sandbox",
    "scheduler": "rewards_service.cli.scheduler:scheduler",
    "send-test-event": "rewards_service.cli.send_test_event:send_test_event",
    "simulate": "rewards_service.cli.simulate:simulate",
    "worker": "rewards_service.cli.worker:worker",
}


class Refused(click.ClickException):
    """Wrong usage or settings: exit status 2."""

    exit_code = 2


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise Refused(str(error)) from error
        except RewardsError as error:
            raise click.ClickException(error.detail) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Chargebee payments become partner rewards: run the service and look after it.

    Exit status: 0 done, 1 a check failed, 2 wrong usage or settings.
    """
