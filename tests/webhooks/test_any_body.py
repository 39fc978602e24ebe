"""Whatever is posted, the endpoint answers and the worker comes to an end with it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.webhooks.answers import ADA, assert_problem, stored

_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(["payment", "success", "USD", "cb_1", ADA])
)  # fmt: skip


_VALUES = st.recursive(
    _SCALARS,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=8), v, max_size=3),
    max_leaves=6,
)  # fmt: skip


def _paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield (*at, key)
        if isinstance(member, dict | list):
            yield from _paths(member, (*at, key))


_BODY = paid("p", "cb_1", ADA)


_PATHS = list(_paths(_BODY))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good event of which some members are something else, or gone."""
    body: dict[str, Any] = json.loads(json.dumps(_BODY))
    for path in draw(st.lists(st.sampled_from(_PATHS), min_size=1, max_size=4)):
        parent: Any = body
        try:
            for key in path[:-1]:
                parent = parent[key]
            if draw(st.booleans()):
                parent[path[-1]] = draw(_VALUES)
            else:
                del parent[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
    return body


class TestAnyBody:
    @hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(raw=st.binary(max_size=200) | _VALUES.map(lambda v: json.dumps(v).encode()))
    def test_is_answered_with_200_or_400(self, raw: bytes, shared: World) -> None:
        assert shared.site.post(raw).status_code in (200, 400)

    @hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(body=mutated())
    def test_ends_without_a_failed_try(self, body: dict[str, Any], shared: World) -> None:
        """DOMAIN "Outcome of an event": whatever is in it, it ends, and holds up no other."""
        answer = shared.site.post(body)
        assert answer.status_code in (200, 400)
        shared.drain()
        assert [row.error for row in stored(shared) if row.state in ("pending", "dead")] == []

    @pytest.mark.parametrize("depth", [10, 120, 260, 500, 800, 900, 950, 990])
    @pytest.mark.parametrize("is_long", [False, True])
    def test_nesting_is_refused_at_the_door_or_handled(
        self, depth: int, is_long: bool, shared: World
    ) -> None:
        """What the door lets in, the worker must be able to read."""
        body = json.dumps(paid("deep", "cb_1", ADA) | {"id": f"ev_{depth}_{is_long}"})
        nested = "[" * depth + "]" * depth
        padding = "x" * (200_000 if is_long else 1)
        raw = body.replace(f'"{ADA}"', f'"{ADA}", "meta": {nested}, "pad": "{padding}"')
        answer = shared.site.post(raw.encode())
        shared.drain()
        if answer.status_code == 200:
            assert shared.ended(f"ev_{depth}_{is_long}")[0] == "done"
        else:
            assert_problem(answer, 400)
