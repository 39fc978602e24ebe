"""Passwords: hashed slowly, by few at once, and none that is easily guessed."""

from threading import Thread

import pytest

from rewards_service.accounts import passwords
from rewards_service.settings import load_settings


class TestHashed:
    def test_it_is_argon2id_with_the_memory_of_the_settings(self) -> None:
        hashed = passwords.hashed("four unrelated words here", "o@x.example", 64)

        assert hashed.startswith("$argon2id$v=19$m=64,t=3,p=4$")
        assert passwords.context(64).verify("four unrelated words here", hashed)
        assert load_settings({"VAR_DIR": "/tmp"}).argon2_memory_kib == 65_536  # noqa: S108

    def test_two_at_once_and_the_third_waits(self) -> None:
        third = Thread(target=passwords.context(64).hash, args=("whatever it is",))
        with passwords._gate, passwords._gate:
            third.start()
            third.join(0.3)
            assert third.is_alive()
        third.join(30)

        assert not third.is_alive()


class TestProblem:
    @pytest.mark.parametrize(
        "password",
        [
            "",
            "elevenchars",
            "passwordpassword",
            "123456789012",
            "olga.berg@firm",
            "x" * 201,
            "olga.berg@firm.example Olga.Berg@firm.example",
            "Rewards-Berg-Firm-Olga-2026",
        ],
    )
    def test_what_is_easily_guessed_is_refused(self, password: str) -> None:
        assert passwords.problem(password, "olga.berg@firm.example")

    @pytest.mark.parametrize(
        "password", ["correct horse battery staple", "Zr7!kQ-p2Lw#x", "müde Füße tanzen leise"]
    )
    def test_what_is_not_is_taken(self, password: str) -> None:
        assert passwords.problem(password, "olga.berg@firm.example") is None
