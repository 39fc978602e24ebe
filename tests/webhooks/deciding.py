"""Calls of the workbench, as a person with a key makes them."""

from rewards_service.kit import ids
from tests.builders.api import Caller, Json
from tests.builders.world import World

WHY = "They told us on the phone"


def event_path(world: World, event_id: str, ending: str = "") -> str:
    return f"/events/{ids.encode('evt', world.event(event_id).id)}{ending}"


def post(api: Caller, path: str, /, **body: object) -> Json:
    answer = api.call("POST", path, json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.get_json()
    return found


def attach(api: Caller, world: World, event_id: str, /, **body: object) -> Json:
    """Attach the payment of an event; with a reason, unless another is given."""
    return post(api, event_path(world, event_id, "/attach"), **{"reason": WHY, **body})


def replay(api: Caller, world: World, event_id: str, dry_run: bool = False) -> Json:
    return post(api, event_path(world, event_id, "/replay"), dry_run=dry_run)


def public(kind: str, key: int) -> str:
    return ids.encode(kind, key)
