"""A webhook gets new passwords while deliveries go on: none is refused, none is lost."""

import threading
from datetime import timedelta

import requests

from rewards_service.kit.clock import utc_now
from rewards_service.simulator.api import KEY, READ_ONLY
from rewards_service.webhooks.verify import OVERLAP
from tests.builders.api import Json
from tests.connections.office import Office

ROTATIONS = 3


def rotate(office: Office, made: Json, **body: int) -> Json:
    answer = office.api.call("POST", f"/integrations/{made['id']}/rotate-secret", json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.get_json()
    return found


def post(made: Json, password: str) -> int:
    """A delivery with some password, as a call that was long on its way."""
    event = {"id": f"ev_{password[:8]}", "event_type": "plan_created", "content": {}}
    with requests.Session() as session:
        session.trust_env = False
        login = (made["webhook_username"], password)
        return session.post(made["webhook_url"], json=event, auth=login, timeout=60).status_code


class TestRotation:
    def test_deliveries_that_go_on_meanwhile_are_all_taken(self, office: Office) -> None:
        made = office.connect()
        stop, happened = threading.Event(), set[str]()

        def business() -> None:
            while not stop.is_set():
                happened.update(office.happen())

        thread = threading.Thread(target=business)
        thread.start()
        passwords = {made["webhook_password"]}
        for _ in range(ROTATIONS):
            passwords.add(rotate(office, made)["webhook_password"])
            seen = len(happened)
            while len(happened) < seen + 3:
                stop.wait(0.01)
        stop.set()
        thread.join()

        assert len(passwords) == ROTATIONS + 1
        assert office.statuses() == {200}
        assert happened == office.arrived()

    def test_the_old_password_ends_shortly_after_the_new_one_was_seen(self, office: Office) -> None:
        made = office.connect()
        rotated = rotate(office, made, grace_hours=24)
        before = office.row().previous_expires_at
        office.happen()
        after = office.row().previous_expires_at

        assert before is not None
        assert after is not None
        assert before > utc_now() + timedelta(hours=23)
        assert after <= utc_now() + OVERLAP
        assert post(made, made["webhook_password"]) == 200
        office.put(previous_expires_at=utc_now())
        assert post(made, made["webhook_password"]) == 401
        assert post(made, rotated["webhook_password"]) == 200

    def test_a_password_that_people_put_into_chargebee_is_not_ended_by_a_test_of_theirs(
        self, office: Office
    ) -> None:
        made = office.api.create("/integrations", site="other-test")
        rotated = rotate(office, made)

        assert post(made, rotated["webhook_password"]) == 200
        assert office.row().previous_expires_at > utc_now() + timedelta(hours=23)  # type: ignore[operator]

    def test_chargebee_that_cannot_be_told_goes_on_with_the_old_one_until_it_can(
        self, office: Office
    ) -> None:
        made = office.connect()
        path = f"/integrations/{made['id']}"
        office.api.change(path, api_key=KEY + READ_ONLY)
        problem = office.api.refused("POST", f"{path}/rotate-secret", 502, grace_hours=0)

        assert problem["code"] == "chargebee_not_allowed"
        office.put(previous_expires_at=utc_now() - timedelta(days=30))  # nobody did it again
        assert office.happen() <= office.arrived()
        assert "password_untold" in office.report(made)[1]

        office.api.change(path, api_key=KEY)
        rotated = rotate(office, made, grace_hours=0)
        assert rotated["webhook_password"] == office.endpoints()[0]["basic_auth_password"]
        assert office.happen() <= office.arrived()
        assert office.statuses() == {200}
        assert post(made, made["webhook_password"]) == 401
        assert office.report(made) == (True, [])
