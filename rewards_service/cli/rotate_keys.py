"""`rewards rotate-keys`: every stored secret under the first of ENCRYPTION_KEYS."""

from collections.abc import Sequence
from typing import Any

import click

from rewards_service import app  # noqa: F401 - brings in every table
from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.kit.db import Base
from rewards_service.kit.sealed import Resealed, reseal_all


@click.command("rotate-keys")
@as_json_option
def rotate_keys(as_json: bool) -> None:
    """Seal every stored secret anew, under the first of ENCRYPTION_KEYS.

    Put the new key in front of the old ones and restart the service; then run this; then remove the
    old keys. Stopped half-way it may be run again: what is done is left alone. Exit status 1 when a
    secret cannot be opened by any of the keys.
    """
    settings = start()
    with migrated(settings) as engine:
        found = reseal_all(engine, Base.metadata, settings.encryption_keys)
    answer(as_json, _value(found), _lines(found))
    if any(one.unreadable for one in found):
        raise SystemExit(1)


def _value(found: Sequence[Resealed]) -> dict[str, Any]:
    return {
        "rotated": sum(one.rotated for one in found),
        "current": sum(one.current for one in found),
        "unreadable": sum(len(one.unreadable) for one in found),
        "columns": [
            {
                "column": one.column, "rotated": one.rotated, "current": one.current,
                "unreadable": one.unreadable,
            }
            for one in found
        ],
    }  # fmt: skip


def _lines(found: Sequence[Resealed]) -> list[str]:
    lines = [
        f"{one.column}: {one.rotated} sealed anew, {one.current} under the first key already"
        + (f", {len(one.unreadable)} cannot be opened: {one.unreadable}" if one.unreadable else "")
        for one in found
    ]
    if any(one.unreadable for one in found):
        return [*lines, "Put the key that is missing at the end of ENCRYPTION_KEYS, or enter these "
                "secrets again."]  # fmt: skip
    return [*lines, "The keys behind the first may be removed from ENCRYPTION_KEYS."]
