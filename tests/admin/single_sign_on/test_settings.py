"""Settings of single sign-on: all of it, or nothing."""

from pathlib import Path

import pytest

from rewards_service.accounts import permissions
from rewards_service.setting_checks import ROLES
from rewards_service.settings import SettingsError, load_settings

GIVEN = {"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "a",
         "OIDC_CLIENT_SECRET": "b"}  # fmt: skip


class TestSettings:
    def test_they_are_read(self, tmp_path: Path) -> None:
        more = {"OIDC_DOMAINS": "@One.example, two.example", "OIDC_ROLES": "a=b=viewer, c = OWNER"}
        found = load_settings({**GIVEN, **more, "VAR_DIR": str(tmp_path)})

        assert found.oidc_domains == ("one.example", "two.example")
        assert found.oidc_roles == (("a=b", "viewer"), ("c", "owner"))
        assert "OIDC" not in repr(found)
        assert ROLES == permissions.ROLES

    @pytest.mark.parametrize(
        "changed",
        [{"OIDC_CLIENT_SECRET": ""}, {"OIDC_ISSUER": "http://login.example.com"},
         {"OIDC_ISSUER": "https://a@login.example.com"}, {"OIDC_ISSUER": "https://x.example/?a=b"},
         {"OIDC_ROLES": "staff"}, {"OIDC_ROLES": "staff=king"}, {"OIDC_ROLES": "=viewer"}],
    )  # fmt: skip
    def test_what_cannot_be_meant_is_refused_at_the_start(
        self, tmp_path: Path, changed: dict[str, str]
    ) -> None:
        with pytest.raises(SettingsError, match=r"OIDC_|Single sign-on"):
            load_settings({**GIVEN, **changed, "VAR_DIR": str(tmp_path)})
