import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rewards_service.chargebee.events import read_event
from rewards_service.chargebee.resources import finish
from tests.builders.chargebee import Json

EVENTS = Path(__file__).resolve().parent.parent / "payloads" / "chargebee" / "events"
SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted(EVENTS.glob("*.json"))}
ODD: list[Any] = [None, True, -1, 1.5, 10**30, "", "t", "a\x00b", "\udc00", "x" * 600, [None], {}]


def members(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in pairs:
        yield (*path, name)
        if isinstance(member, dict | list):
            yield from members(member, (*path, name))


def with_member(event: Json, path: tuple[Any, ...], value: object) -> Json:
    event = copy.deepcopy(event)
    parent = event
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return event


class TestReadEvent:
    @settings(max_examples=500)
    @given(st.data())
    def test_any_member_may_be_anything(self, data: st.DataObject) -> None:
        """An event is read, ignored or quarantined; nothing is raised, nothing half read."""
        sample = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
        path = data.draw(st.sampled_from(list(members(sample["content"], ("content",)))))
        odd = data.draw(st.sampled_from(ODD))
        found = read_event(sample["event_type"], with_member(sample, path, odd), 1_000)
        for item in found.objects:
            finish(item)

        assert not (found.quarantined and (found.objects or found.payment))
        assert not found.quarantined or (found.end and found.detail)
