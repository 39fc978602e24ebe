import base64
import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from rewards_service.settings import (
    MAX_SOCKET_PATH,
    Settings,
    SettingsError,
    load_settings,
)

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
SERVERS = {
    "DATABASE_URL": "postgresql://rewards:hunter2@db.example.com/rewards",
    "REDIS_URL": "redis://:hunter2@queue.example.com/0",
    "SECRET_KEY": "sixteen or more characters",
    "ENCRYPTION_KEYS": KEY,
}


def load(var_dir: Path, **values: str) -> Settings:
    return load_settings({"VAR_DIR": str(var_dir)} | values)


class TestLoadSettings:
    def test_runs_embedded_when_nothing_is_set(self, tmp_path: Path) -> None:
        settings = load(tmp_path)

        assert settings.database_url == f"sqlite:///{tmp_path}/rewards.db"
        assert (settings.embedded_database, settings.embedded_redis) == (True, True)
        assert (settings.host, settings.port) == ("127.0.0.1", 8000)
        assert settings.base_url == "http://127.0.0.1:8000"
        assert (settings.log_format, settings.web_workers, settings.workers) == ("console", 2, 1)
        assert settings.sentry_dsn is None

    def test_a_blank_value_counts_as_missing(self, tmp_path: Path) -> None:
        settings = load(tmp_path, DATABASE_URL="", REDIS_URL=" ", PORT="", SECRET_KEY="")

        assert settings.embedded_database
        assert settings.port == 8000

    def test_the_queue_is_a_socket_in_var_dir(self) -> None:
        settings = load_settings(SERVERS | {"REDIS_URL": "", "VAR_DIR": "/srv/rewards"})

        assert settings.redis_url == "unix:///srv/rewards/redis.sock"

    def test_the_queue_is_a_loopback_port_behind_a_password_when_the_path_is_too_long(
        self, tmp_path: Path
    ) -> None:
        deep = tmp_path / ("d" * MAX_SOCKET_PATH)
        url = load(deep).redis_url

        assert url.startswith("redis://:")
        assert "@127.0.0.1:" in url
        assert load(deep).redis_url == url

    def test_makes_keys_once_and_for_the_owner_alone(self, tmp_path: Path) -> None:
        var_dir = tmp_path / "var"
        first, second = load(var_dir), load(var_dir)

        assert first.secret_key == second.secret_key
        assert first.encryption_keys == second.encryption_keys
        assert Fernet(first.encryption_keys[0])
        assert stat.S_IMODE(var_dir.stat().st_mode) == 0o700
        kept = sorted(path.name for path in var_dir.iterdir())
        assert kept == ["encryption_keys", "secret_key"]
        assert {stat.S_IMODE(path.stat().st_mode) for path in var_dir.iterdir()} == {0o600}

    @pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
    def test_makes_no_keys_when_both_servers_are_given(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(SettingsError, match=f"{name} is missing"):
            load(tmp_path, **(SERVERS | {name: ""}))

        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_every_postgresql_address_uses_psycopg(self, tmp_path: Path, scheme: str) -> None:
        settings = load(tmp_path, **(SERVERS | {"DATABASE_URL": f"{scheme}://u:p@h:5432/n?x=1"}))

        assert settings.database_url == "postgresql+psycopg://u:p@h:5432/n?x=1"
        assert not settings.embedded_database

    def test_encryption_keys_keep_their_order(self, tmp_path: Path) -> None:
        newest = Fernet.generate_key().decode()
        settings = load(tmp_path, **(SERVERS | {"ENCRYPTION_KEYS": f"{newest}, {KEY}"}))

        assert settings.encryption_keys == (newest, KEY)

    def test_the_public_address_follows_the_port_and_loses_its_last_slash(
        self, tmp_path: Path
    ) -> None:
        assert load(tmp_path, PORT="9000").base_url == "http://127.0.0.1:9000"
        assert load(tmp_path, BASE_URL="https://r.example.com/").base_url == "https://r.example.com"

    @pytest.mark.parametrize(
        "address",
        [
            "https://sandbox.example.com/chargebee/{site}",
            "https://{site}.sandbox.example.com:8443",
            "http://127.0.0.1:8901",
            "http://[::1]:8901",
            "http://localhost:8901",
        ],
    )
    def test_a_sandbox_may_stand_in_for_chargebee(self, tmp_path: Path, address: str) -> None:
        settings = load(
            tmp_path, CHARGEBEE_API_BASE=f"{address}/", CHARGEBEE_REQUESTS_PER_MINUTE="0"
        )

        assert settings.chargebee_api_base == address
        assert settings.chargebee_requests_per_minute == 0

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "mysql://localhost/rewards"),
            ("REDIS_URL", "http://localhost"),
            ("PORT", "0"),
            ("PORT", "65536"),
            ("PORT", "http"),
            ("BASE_URL", "rewards.example.com"),
            ("BASE_URL", "https://rewards.example.com/?a=b"),
            ("SECRET_KEY", "short"),
            ("ENCRYPTION_KEYS", "not a key"),
            ("ENCRYPTION_KEYS", f"{KEY},c2hvcnQ="),
            ("ENCRYPTION_KEYS", ","),
            ("LOG_FORMAT", "xml"),
            ("API_REQUESTS_PER_MINUTE", "-1"),
            ("API_REQUESTS_PER_MINUTE_WITHOUT_KEY", "many"),
            ("TRUSTED_PROXIES", "11"),
            ("WEB_WORKERS", "0"),
            ("WORKERS", "-1"),
            ("WORKERS", "many"),
            ("PAYER_IBAN", "NL91ABNA0417164301"),
            ("PAYER_BIC", "ABNANL"),
            ("CHARGEBEE_REQUESTS_PER_MINUTE", "9"),
            ("CHARGEBEE_REQUESTS_PER_MINUTE", "0"),
            ("CHARGEBEE_REQUESTS_PER_MINUTE", "-1"),
            ("CHARGEBEE_API_BASE", "sandbox.example.com"),
            ("CHARGEBEE_API_BASE", "http://sandbox.example.com"),
            ("CHARGEBEE_API_BASE", "http://127.0.0.1.example.com"),
            ("CHARGEBEE_API_BASE", "http://10.0.0.7:8901"),
            ("CHARGEBEE_API_BASE", "https://key@sandbox.example.com"),
            ("CHARGEBEE_API_BASE", "https://sandbox.example.com/?a=b"),
            ("CHARGEBEE_API_BASE", "https://sandbox.example.com/#a"),
            ("CHARGEBEE_API_BASE", "https://sandbox.example.com:port"),
            ("CHARGEBEE_API_BASE", "https://[::1"),
            ("CHARGEBEE_API_BASE", "file:///etc/passwd"),
        ],
    )
    def test_refuses_what_is_wrong_and_names_it(
        self, tmp_path: Path, name: str, value: str
    ) -> None:
        with pytest.raises(SettingsError, match=name):
            load(tmp_path, **(SERVERS | {name: value}))

    def test_the_payers_account_is_kept_without_spaces_and_in_upper_case(
        self, tmp_path: Path
    ) -> None:
        payer = {"PAYER_NAME": "Payer", "PAYER_IBAN": "nl91 abna 0417 1643 00"}
        settings = load(tmp_path, **payer, PAYER_BIC="abnanl2a")

        assert settings.payer_iban == "NL91ABNA0417164300"
        assert (settings.payer_name, settings.payer_bic) == ("Payer", "ABNANL2A")
        assert load(tmp_path).payer_iban is None

    def test_refuses_sentry_without_its_package(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="sentry-sdk is not installed"):
            load(tmp_path, SENTRY_DSN="https://key@sentry.example.com/1")

    def test_refuses_a_folder_it_cannot_use(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(SettingsError, match="Point VAR_DIR to a folder"):
            load(tmp_path / "file")

    def test_refuses_an_emptied_key_file(self, tmp_path: Path) -> None:
        (tmp_path / "secret_key").write_text("")

        with pytest.raises(SettingsError, match="secret_key is empty"):
            load(tmp_path)

    def test_reads_a_dotenv_file_below_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("PORT=9100\nWORKERS=3\nVAR_DIR=data\n")
        monkeypatch.chdir(tmp_path)
        for name in (*SERVERS, "VAR_DIR", "BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PORT", "9200")
        monkeypatch.setenv("WORKERS", "")
        settings = load_settings()

        assert (settings.port, settings.workers) == (9200, 3)
        assert settings.var_dir == Path(os.path.realpath(tmp_path)) / "data"


class TestSettings:
    def test_shows_no_secret_when_printed(self, tmp_path: Path) -> None:
        shown = repr(load(tmp_path, **SERVERS))

        assert "hunter2" not in shown
        assert KEY not in shown
        assert SERVERS["SECRET_KEY"] not in shown
