from pathlib import Path

import pytest
from redis import Redis

from rewards_service.chargebee.connecting import api_base, connected, site_budget
from rewards_service.kit.http import INTERACTIVE
from rewards_service.settings import Settings, load_settings
from tests.peers.misbehaving import Misbehaving, answer


def settings_of(tmp_path: Path, **values: str) -> Settings:
    return load_settings({"VAR_DIR": str(tmp_path), **values})


class TestApiBase:
    def test_it_is_the_site_at_chargebee(self, tmp_path: Path) -> None:
        assert api_base(settings_of(tmp_path), "acme-test") == "https://acme-test.chargebee.com"

    @pytest.mark.parametrize(
        "site",
        [
            "",
            "a.b",
            "a/b",
            "evil.com#",
            "evil.com?",
            "user@evil",
            "a\n",
            "A",
            "-a",
            "a-",
            " a",
            "127.0.0.1",
            "[::1]",
            "ä",
            "a:80",
            "a%2eb",
            "x" * 101,
        ],
    )
    def test_no_name_leads_to_another_host(self, tmp_path: Path, site: str) -> None:
        with pytest.raises(ValueError, match="first part"):
            api_base(settings_of(tmp_path), site)

    @pytest.mark.parametrize(
        ("given", "base"),
        [
            ("http://127.0.0.1:8901", "http://127.0.0.1:8901"),
            ("https://sandbox.example.com/{site}/", "https://sandbox.example.com/acme"),
        ],
    )
    def test_a_sandbox_stands_in_for_it(self, tmp_path: Path, given: str, base: str) -> None:
        assert api_base(settings_of(tmp_path, CHARGEBEE_API_BASE=given), "acme") == base


class TestSiteBudget:
    def test_a_site_may_have_another_than_the_setting(self, tmp_path: Path) -> None:
        settings = settings_of(tmp_path, CHARGEBEE_REQUESTS_PER_MINUTE="200")

        def wait_of_the_fiftieth(limit: int | None) -> int:
            budget = site_budget(settings, None, f"site-{limit}", limit, clock=lambda: 0.0)
            return [budget.take(100_000).wait_us for _ in range(50)][-1]

        slow, usual, quick = (wait_of_the_fiftieth(limit) for limit in (100, None, 1000))
        assert slow > usual > quick > 0
        assert usual == wait_of_the_fiftieth(200)


class TestConnected:
    def test_it_asks_the_sandbox_within_the_budget_that_all_share(
        self, tmp_path: Path, redis_url: str, redis_connection: Redis
    ) -> None:
        with Misbehaving(answer(200, {"customer": {"id": "c1"}})) as server:
            settings = settings_of(tmp_path, CHARGEBEE_API_BASE=server.url, REDIS_URL=redis_url)
            with connected(settings, "acme-test", "ключ", patience=INTERACTIVE) as site:
                assert site.customers.retrieve("c1") == {"id": "c1"}

        assert server.seen[0].path == "/api/v2/customers/c1"
        assert redis_connection.keys() == [b"rewards:chargebee:budget:acme-test"]
