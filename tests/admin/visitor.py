"""Somebody with a browser: keeps cookies, sends tokens and referrers, as browsers do."""

import re
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from rewards_service.accounts import users
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings

PASSWORD = "correct horse battery staple"
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Visitor:
    """One browser. `address` is where its requests come from; `forwarded_for`: what they claim."""

    def __init__(
        self, app: Flask, settings: Settings, address: str = "192.0.2.1",
        forwarded_for: str | None = None,
    ) -> None:  # fmt: skip
        self._client, self._settings = app.test_client(), settings
        self._surroundings = {"REMOTE_ADDR": address}
        if forwarded_for is not None:
            self._surroundings["HTTP_X_FORWARDED_FOR"] = forwarded_for
        self._token: str | None = None  # that of the page seen last

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._open("GET", path, headers, {})

    def post(self, path: str, /, token: str | None = None, **form: Any) -> TestResponse:
        """Send a form, with the token of the page seen last unless another is given."""
        fields = {"csrf_token": self.token() if token is None else token, **form}
        answer = self._open("POST", path, {}, fields)
        if path == "/logout":
            self._token = None
        return answer

    def token(self) -> str:
        if self._token is None:
            self.get("/login")
        assert self._token is not None
        return self._token

    def cookie(self) -> str:
        found = self._client.get_cookie("__Host-rewards", "rewards.example.com")
        assert found is not None
        return found.value

    def take_cookie(self, value: str) -> None:
        self._client.set_cookie("__Host-rewards", value, domain="rewards.example.com", secure=True)

    def sign_in(self, email: str, password: str = PASSWORD, **query: str) -> TestResponse:
        return self.post("/login", email=email, password=password, **query)

    def is_signed_in(self) -> bool:
        return self.get("/account").status_code == 200

    def _open(self, method: str, path: str, headers: dict[str, str], form: Any) -> TestResponse:
        sent = {"Accept": "text/html", "Referer": self._settings.base_url + "/", **headers}
        answer = self._client.open(
            path, method=method, headers=sent, data=form, base_url=self._settings.base_url,
            environ_overrides=self._surroundings,
        )  # fmt: skip
        is_readable = answer.mimetype == "text/html" and not answer.content_encoding
        if found := _TOKEN.search(answer.text if is_readable else ""):
            self._token = found.group(1)
        return answer


def make_user(engine: Engine, settings: Settings, role: str = "owner") -> str:
    """A user with PASSWORD; returns their address."""
    email = f"{role}-{uuid4().hex[:8]}@people.example.com"
    with transaction(engine) as session:
        users.create_user(session, settings, email, role, PASSWORD)
    return email
