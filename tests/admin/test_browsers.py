import pytest

from rewards_service.admin.browsers import browser_of

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


class TestBrowserOf:
    @pytest.mark.parametrize(
        ("agent", "words"),
        [
            (f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36",
             "Chrome on Linux"),
            (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36 "
             "Edg/140.0.0.0", "Edge on Windows"),
            (f"Mozilla/5.0 (Linux; Android 15) {_WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36",
             "Chrome on Android"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
             "Gecko) Version/18.6 Safari/605.1.15", "Safari on macOS"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
             "like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome on an iPhone"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
             "Firefox on Linux"),
            ("curl/8.5.0", "curl/8.5.0"), ("", "unknown browser"), (None, "unknown browser"),
        ],
    )  # fmt: skip
    def test_it_is_called_as_people_call_it(self, agent: str | None, words: str) -> None:
        assert browser_of(agent) == words
