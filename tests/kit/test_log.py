import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import structlog

from rewards_service.kit import log

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged so far, as JSON objects; logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    log.configure("json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = handlers, level


class TestRedact:
    @pytest.mark.parametrize(
        "key",
        [
            "Authorization", "password", "webhook_password", "secret", "SECRET_KEY", "token",
            "access_token", "api_key", "X-Api-Key", "apiKey", "card", "payer_email", "e-mail",
            "ENCRYPTION_KEYS", "DATABASE_URL", "cookie", "credentials",
        ],
    )  # fmt: skip
    def test_hides_a_value_by_the_name_of_its_key(self, key: str) -> None:
        for value in ("hunter2", ["hunter2"], {"number": "4111111111111111"}, 4111, b"hunter2"):
            assert log.redact(None, "", {key: value}) == {key: log.REDACTED}

    def test_hides_at_any_depth(self) -> None:
        event = {"body": {"items": [{"card": {"last4": "4242"}, "id": "inv_1"}]}}

        assert log.redact(None, "", event) == {
            "body": {"items": [{"card": log.REDACTED, "id": "inv_1"}]}
        }

    def test_hides_what_lies_deeper_than_it_looks(self) -> None:
        deep: Any = {"password": "hunter2"}
        for _ in range(50):
            deep = {"in": [deep]}

        assert "hunter2" not in str(log.redact(None, "", {"deep": deep}))

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("header Basic cmV3YXJkczpodW50ZXIy", f"header Basic {log.REDACTED}"),
            ("bearer rw_abcdef123456 refused", f"bearer {log.REDACTED} refused"),
            ("at redis://:hunter2@queue:6379/0", f"at redis://:{log.REDACTED}@queue:6379/0"),
            ("payer <ann@shop.example.com> unknown", "payer <[email]> unknown"),
            ("parameters ('ann@example.com', 7)", "parameters ('[email]', 7)"),
        ],
    )
    def test_hides_credentials_and_addresses_inside_a_text(self, text: str, expected: str) -> None:
        assert log.redact(None, "", {"event": text}) == {"event": expected}

    def test_leaves_the_rest_as_it_is(self) -> None:
        event = {
            "event": "Drained", "events": 12, "amount_minor": 100, "done": True, "none": None,
            "ids": ["evt_1"],
        }  # fmt: skip

        assert log.redact(None, "", dict(event)) == event


class TestConfigure:
    def test_writes_one_json_object_a_line_with_time_level_and_logger(self, lines: Lines) -> None:
        structlog.get_logger("rewards_service.x").info("Drained", events=3)
        (line,) = lines()

        assert line["event"] == "Drained"
        assert (line["level"], line["logger"], line["events"]) == ("info", "rewards_service.x", 3)
        assert line["timestamp"].endswith("Z")

    @pytest.mark.parametrize("name", ["gunicorn.error", "alembic", "rq.queue", "elsewhere"])
    def test_takes_in_the_lines_of_libraries_and_cleans_them(self, lines: Lines, name: str) -> None:
        logging.getLogger(name).warning("Login of %s refused", "ann@example.com")
        (line,) = lines()

        assert line["event"] == "Login of [email] refused"
        assert line["logger"] == name

    def test_cleans_what_a_library_adds_beside_the_message(self, lines: Lines) -> None:
        logging.getLogger("elsewhere").warning("Sent", extra={"authorization": "Basic abc"})

        assert lines()[0]["authorization"] == log.REDACTED

    def test_cleans_tracebacks(self, lines: Lines) -> None:
        try:
            raise ValueError("no payer ann@example.com")
        except ValueError:
            structlog.get_logger("x").exception("Failed")
        (line,) = lines()

        assert "no payer [email]" in line["exception"]
        assert "Traceback" in line["exception"]

    def test_writes_each_line_once_when_called_again(self, lines: Lines) -> None:
        stream = StringIO()
        log.configure("console", stream)
        structlog.get_logger("x").info("Once", token="hunter2")

        assert stream.getvalue().count("Once") == 1
        assert "hunter2" not in stream.getvalue()
        assert lines() == []


class TestBindRequestId:
    def test_stands_on_every_line_of_the_request(self, lines: Lines) -> None:
        request_id = log.bind_request_id("abc-123")
        structlog.get_logger("x").info("One")
        logging.getLogger("y").warning("Two")

        assert request_id == "abc-123"
        assert [line["request_id"] for line in lines()] == ["abc-123", "abc-123"]

    @pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, "new\nline", "<script>"])
    def test_is_made_up_when_the_caller_gives_none_that_is_safe(self, given: str | None) -> None:
        first, second = log.bind_request_id(given), log.bind_request_id(given)

        assert first != second
        assert len(first) == 32
