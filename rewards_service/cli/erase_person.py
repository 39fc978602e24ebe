"""`rewards erase-person`: nothing names somebody any more."""

import sys

import click

from rewards_service import app  # noqa: F401 - brings in every table
from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.retention.erasing import erase


@click.command("erase-person")
@click.argument("email")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--reason", help="For the audit log, such as the number of the request.")
@as_json_option
def erase_person(email: str, dry_run: bool, reason: str | None, as_json: bool) -> None:
    """Take the address EMAIL, and the names that go with it, out of everything.

    Leads, deals, customers, events, the mirror, texts of the audit log, exports, sessions. Ledger,
    rewards, payouts and their sums stay, and `rewards check` finds them whole. Run it again when
    exit status 1 says that something came meanwhile.
    """
    settings = start()
    with migrated(settings) as engine:
        found = erase(engine, settings, email, dry_run, reason=reason)
    verb = "would be" if dry_run else "are"
    lines = [
        *(f"{name}: {rows} rows {verb} changed" for name, rows in sorted(found.changed.items())),
        *(f"Kept: {one}" for one in found.kept),
        *(f"Still there: {one}. Run it again." for one in found.left),
    ]
    value = {
        "dry_run": dry_run, "pseudonym": found.pseudonym, "changed": dict(found.changed),
        "kept": found.kept, "left": found.left,
    }  # fmt: skip
    answer(as_json, value, lines or ["Nobody of that address is known."])
    if found.left:
        sys.exit(1)
