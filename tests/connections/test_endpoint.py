"""What a webhook has to look like, and in which words it is told when it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from rewards_service.chargebee.connecting import connected
from rewards_service.chargebee.errors import error_of
from rewards_service.chargebee.event_types import ENDPOINT_EVENTS
from rewards_service.chargebee.events import HANDLED
from rewards_service.connections.checks import obstacle
from rewards_service.connections.endpoint import Wanted, address_checks, faults, missing_events
from rewards_service.connections.mending import Seen, mend
from rewards_service.kit.http_errors import RateSpent, TimedOut, Unreachable
from rewards_service.settings import load_settings
from tests.connections.office import ONCE
from tests.peers.misbehaving import Misbehaving, answer

SCHEMAS = json.loads(
    (Path(__file__).parents[1] / "payloads/chargebee/openapi.json").read_text()
)["components"]["schemas"]  # fmt: skip
WANTED = Wanted("https://rewards.example.com/webhooks/chargebee/key")


class TestEndpointEvents:
    def test_they_are_all_that_rewards_follow_and_chargebee_knows_each(self) -> None:
        assert set(HANDLED) <= set(ENDPOINT_EVENTS) <= set(SCHEMAS["EventType"]["enum"])
        assert len(ENDPOINT_EVENTS) == len(set(ENDPOINT_EVENTS)) == 92


class TestMend:
    def test_a_site_that_takes_no_schema_type_gets_its_webhook_without_one(
        self, tmp_path: Path
    ) -> None:
        refusal = answer(400, {"param": "chargebee_response_schema_type"})
        made = answer(200, {"webhook_endpoint": {"id": "whv2"}})
        with Misbehaving(refusal, made) as server:
            surroundings = {"VAR_DIR": str(tmp_path), "CHARGEBEE_API_BASE": server.url}
            with connected(load_settings(surroundings), "acme", "key", patience=ONCE) as site:
                mend(site, WANTED, Seen([], [], 0, None), None)

        forms = [dict(seen.form) for seen in server.seen]
        assert [form.get("chargebee_response_schema_type") for form in forms] == ["items", None]
        assert [form["url"] for form in forms] == [WANTED.url, WANTED.url]


class TestMissingEvents:
    def test_a_webhook_that_names_none_gets_all(self) -> None:
        assert missing_events({}) == missing_events({"enabled_events": []}) == []

    def test_one_that_names_others_too_gets_all(self) -> None:
        assert missing_events({"enabled_events": [*ENDPOINT_EVENTS, "quote_created"]}) == []


class TestFaults:
    def test_what_a_site_does_not_tell_is_no_fault(self) -> None:
        assert faults({"id": "whv2", "url": WANTED.url}, WANTED, "mend it") == []
        assert WANTED.corrections({"id": "whv2", "url": WANTED.url}) == {}

    def test_an_address_that_is_none_is_a_wrong_one(self) -> None:
        (check,) = faults({"url": "http://[", "chargebee_response_schema_type": None}, WANTED, "m")

        assert check.id == "wrong_address"

    def test_a_password_in_an_address_is_not_told(self) -> None:
        row = {"url": "https://me:secret@old.example/webhooks/chargebee/key"}
        (check,) = faults(row, WANTED, "mend it")

        assert "https://old.example" in check.detail
        assert "secret" not in check.detail


class TestAddressChecks:
    @pytest.mark.parametrize(
        ("url", "named"),
        [
            ("https://rewards.example.com/w", []),
            ("https://rewards.example.com:8443/w", []),
            ("http://rewards.example.com/w", []),
            ("https://rewards.example.com:9000/w", ["port"]),
            ("http://127.0.0.1:8000/w", ["port", "address_private"]),
            ("http://[::1]:8080/w", ["address_private"]),
            ("https://10.1.2.3/w", ["address_private"]),
            ("https://localhost/w", ["address_private"]),
            (f"https://rewards.example.com/{'w' * 500}", ["address_too_long"]),
        ],
    )
    def test_they_name_what_chargebee_cannot_post_to(self, url: str, named: list[str]) -> None:
        assert [check.id for check in address_checks(url, is_sandbox=False)] == named

    def test_a_sandbox_on_this_machine_posts_to_any_port(self) -> None:
        (check,) = address_checks("http://127.0.0.1:8000/w", is_sandbox=True)

        assert (check.ok, check.warning) == (True, True)


def refused(status: int, code: str = "") -> Any:
    return error_of("list webhooks", status, {"api_error_code": code}, None)


class TestObstacle:
    @pytest.mark.parametrize(
        ("error", "name"),
        [
            (refused(401, "api_authentication_failed"), "key_refused"),
            (refused(403, "api_authorization_failed"), "key_rights"),
            (refused(404, "site_not_found"), "site_unknown"),
            (refused(429, "api_request_limit_exceeded"), "site_busy"),
            (refused(503), "site_unreachable"),
            (refused(400, "param_wrong_value"), "chargebee_refused"),
            (RateSpent("spent"), "site_busy"),
            (Unreachable("away"), "site_unreachable"),
            (TimedOut("slow"), "site_unreachable"),
        ],
    )
    def test_each_has_a_name_and_a_remedy(self, error: Any, name: str) -> None:
        check = obstacle(error)

        assert (check.id, check.ok) == (name, False)
        assert check.remedy
