"""What the description says of webhooks is what is sent; tests/outbound checks each event by it."""

import json
import re
from pathlib import Path

from rewards_service.outbound.event_types import EVENT_TYPES, TEST
from tests.openapi.conformance import check_told, document, told_types

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "outbound.md"


class TestWebhooks:
    def test_every_type_of_event_is_described(self) -> None:
        assert sorted(told_types()) == sorted((*EVENT_TYPES, TEST))

    def test_their_examples_are_such_events(self) -> None:
        for item in document()["webhooks"].values():
            check_told(item["post"]["requestBody"]["content"]["application/json"]["example"])

    def test_the_events_of_the_page_are_such_events(self) -> None:
        blocks = re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.S)
        found = [json.loads(block) for block in blocks]
        events = [one for some in found for one in (some if isinstance(some, list) else [some])]

        assert len(events) > 5
        for one in events:
            check_told(one)
