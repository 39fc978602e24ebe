"""Domains that say something about whose an address is, and those that do not."""

import pytest

from rewards_service.kit.mail_domains import domain_of, own_domain


class TestOwnDomain:
    @pytest.mark.parametrize(
        ("key", "domain"),
        [("ada@engine.example", "engine.example"), ("a@b@engine.example", "engine.example"),
         ("ada@gmail.com", None), ("ada@web.de", None), ("ada", None), ("ada@", None),
         (None, None)],
    )  # fmt: skip
    def test_a_public_provider_is_nobodys_own(self, key: str | None, domain: str | None) -> None:
        """DOMAIN S6."""
        assert own_domain(key) == domain

    def test_a_domain_is_all_behind_the_last_at(self) -> None:
        """DOMAIN E1."""
        assert domain_of("a@b@c.example") == "c.example"
