"""The rules that the documentation shows are rules."""

import json
import re
from pathlib import Path

import pytest

from rewards_service.programs import terms
from rewards_service.programs.rule_schemas import TermsSchema
from tests.programs.rule_bodies import nameless

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
BLOCKS = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
RULES = [block for block in BLOCKS if '"kind"' in block]


class TestExamples:
    @pytest.mark.parametrize("block", RULES)
    def test_each_can_be_sent_as_it_stands(self, block: str) -> None:
        rule = terms.complete(TermsSchema().load(nameless(json.loads(block))))

        assert terms.problems(rule) == []

    def test_the_page_shows_every_source_of_rates(self) -> None:
        named = {name for block in RULES for name in json.loads(block)}

        assert named >= {"rate", "tiers", "rate_steps", "caps", "item_filter", "first_months"}


class TestReference:
    def test_every_member_is_on_the_page(self) -> None:
        members = TermsSchema().fields
        text = PAGE.read_text()

        assert {name for name in members if f"`{name}`" not in text} == set()
