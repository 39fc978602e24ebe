"""Every sample event, alone, ends as the manifest beside it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders.world import World

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads" / "chargebee"
MANIFEST = json.loads((PAYLOADS / "manifest.json").read_text())
FILES = [*MANIFEST["events"], *MANIFEST["events_invalid"]]


@pytest.mark.parametrize("entry", FILES, ids=[Path(entry["file"]).stem for entry in FILES])
def test_a_file_alone_ends_as_the_manifest_says(entry: dict[str, Any], world: World) -> None:
    """Source: the manifest's own note on how it is to be read; DOMAIN "Outcome of an event"."""
    world.lead("ada@customer-one.example", world.partner())
    if entry.get("after"):
        world.receive((PAYLOADS / "events" / entry["after"]).read_bytes())
    raw = (PAYLOADS / entry["file"]).read_bytes()
    answer = world.site.post(raw)
    world.drain()
    assert answer.status_code == entry.get("answer", 200)
    if answer.status_code == 200:
        state, outcome = world.ended(json.loads(raw.removeprefix(b"\xef\xbb\xbf"))["id"])
        assert state == entry["state"]
        assert outcome == entry["outcome"]
    assert world.earned() == entry["reward_minor"]


def test_the_manifest_names_every_file() -> None:
    named = {entry["file"] for entry in FILES}
    there = {str(path.relative_to(PAYLOADS)) for path in PAYLOADS.glob("events*/*.json")}
    assert named == there
