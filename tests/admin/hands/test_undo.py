"""What was done can be taken back by a button beside the message that says so."""

import html
import re
import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from rewards_service.accounts.user_models import User
from rewards_service.admin import doing
from rewards_service.admin.lists import LIMIT
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.admin.hands import trying
from tests.admin.visitor import Visitor, make_user


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'rewards.db')}"


@pytest.fixture
def owner(app: Flask, settings: Settings, engine: Engine) -> Visitor:
    app.register_blueprint(trying.blueprint)
    trying.marked.clear()
    person = Visitor(app, settings)
    person.sign_in(make_user(engine, settings))
    return person


def undo_of(page: str) -> tuple[str, dict[str, list[str]]] | None:
    """Address and fields of the form that undoes, as a browser would send them."""
    form = re.search(r'<form class="undo" method="post" action="([^"]+)".*?</form>', page, re.S)
    if form is None:
        return None
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form.group(0)):
        found.setdefault(name, []).append(html.unescape(value))
    return form.group(1), found


class TestUndo:
    def test_it_sends_the_opposite_action_with_a_token_and_without_scripts(
        self, owner: Visitor
    ) -> None:
        owner.post("/trying/mark", ids=["Ann", "<b>Dan</b>"])
        assert trying.marked == {"Ann", "<b>Dan</b>"}
        address, fields = undo_of(owner.get("/trying").text) or ("", {})
        token = fields.pop("csrf_token")

        assert (address, fields) == (
            "/trying/unmark", {"ids": ["Ann", "<b>Dan</b>"], "why": ["undone"]}
        )  # fmt: skip
        assert owner.post(address, **fields, token=token[0]).status_code == 302
        assert trying.marked == set()
        assert "Back as it was" in owner.get("/trying").text

    def test_it_is_refused_as_any_action_is_and_offered_once(self, owner: Visitor) -> None:
        owner.post("/trying/mark", ids=["Ann"])
        page = owner.get("/trying").text
        address, fields = undo_of(page) or ("", {})
        trying.marked.clear()

        assert undo_of(owner.get("/trying").text) is None
        owner.post(address, **{**fields, "csrf_token": ""}, token="made-up")
        assert "Back as it was" not in owner.get("/trying").text
        owner.post(address, ids=fields["ids"], why="undone")
        assert "That was undone before." in owner.get("/trying").text

    def test_what_would_not_fit_into_a_cookie_is_said_without_it(self, owner: Visitor) -> None:
        many = [ids.encode("rew", number) for number in range(doing.LONGEST_UNDO // 21)]
        owner.post("/trying/mark", ids=[*many, *many])
        page = owner.get("/trying").text

        assert len(many) > LIMIT
        assert f"{2 * len(many)} marked." in page
        assert undo_of(page) is None
        owner.post("/trying/mark", ids=many)
        assert len(owner.cookie()) < 3_000  # browsers keep 4096 bytes, with its name
        assert undo_of(owner.get("/trying").text) is not None


class TestUsers:
    def test_who_was_closed_out_by_mistake_is_let_in_again(
        self, owner: Visitor, engine: Engine, settings: Settings, app: Flask
    ) -> None:
        email, friend = make_user(engine, settings, "finance"), Visitor(app, settings)
        with transaction(engine) as session:
            key = session.scalars(select(User.id).where(User.email == email)).one()
        owner.post(f"/users/{ids.encode('usr', key)}", active="no")
        assert friend.sign_in(email).status_code == 200
        address, fields = undo_of(owner.get("/users").text) or ("", {})
        owner.post(address, role=fields["role"], active=fields["active"])

        assert friend.sign_in(email).status_code == 302
        with transaction(engine) as session:
            assert session.get_one(User, key).role == "finance"
