import pytest
from cryptography.fernet import Fernet

from rewards_service.kit import crypto

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


class TestEncrypt:
    def test_seals_with_another_text_each_time(self) -> None:
        first, second = crypto.encrypt([NEW], "live_abc"), crypto.encrypt([NEW], "live_abc")

        assert first != second
        assert "live_abc" not in first
        assert crypto.decrypt([NEW], first) == crypto.decrypt([NEW], second) == "live_abc"

    def test_uses_the_newest_key(self) -> None:
        assert crypto.decrypt([NEW], crypto.encrypt([NEW, OLD], "ключ")) == "ключ"


class TestDecrypt:
    def test_opens_what_an_older_key_sealed(self) -> None:
        assert crypto.decrypt([NEW, OLD], crypto.encrypt([OLD], "live_abc")) == "live_abc"

    def test_refuses_what_no_key_opens(self) -> None:
        for sealed in (crypto.encrypt([OLD], "live_abc"), "", "nonsense"):
            with pytest.raises(crypto.SecretUnreadable, match="ENCRYPTION_KEYS"):
                crypto.decrypt([NEW], sealed)


class TestDigest:
    def test_is_the_same_for_the_same_value_and_32_bytes_long(self) -> None:
        first = crypto.digest("secret key", "webhook", b"password")

        assert first == crypto.digest("secret key", "webhook", b"password")
        assert len(first) == 32

    @pytest.mark.parametrize(
        ("key", "purpose", "value"),
        [
            ("other key", "webhook", b"password"),
            ("secret key", "api key", b"password"),
            ("secret key", "webhook", b"passwore"),
        ],
    )
    def test_differs_by_key_purpose_and_value(self, key: str, purpose: str, value: bytes) -> None:
        assert crypto.digest(key, purpose, value) != crypto.digest(
            "secret key", "webhook", b"password"
        )


class TestSame:
    def test_compares_bytes(self) -> None:
        assert crypto.same(b"abc", b"abc")
        assert not crypto.same(b"abc", b"abd")
        assert not crypto.same(b"abc", b"ab")


class TestNewSecret:
    def test_is_url_safe_and_never_the_same(self) -> None:
        secrets = {crypto.new_secret() for _ in range(100)}

        assert len(secrets) == 100
        assert all(len(secret) == 32 for secret in secrets)
        assert all(secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)
