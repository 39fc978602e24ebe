"""`rewards create-user`."""

from flask import Flask
from sqlalchemy import Engine, select

from rewards_service.accounts.user_models import User
from rewards_service.cli.run import first_steps
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.admin.visitor import PASSWORD, Visitor
from tests.cli.conftest import Rewards, read

WHO = ("create-user", "--email", "Mia@Manager.Example.com", "--role")


class TestFirstSteps:
    def test_the_owners_link_is_printed_while_there_is_no_user(
        self, rewards: Rewards, app: Flask, settings: Settings
    ) -> None:
        told = first_steps(settings)
        path = told.partition(settings.base_url)[2].strip()
        before = Visitor(app, settings).get(path)
        rewards(*WHO, "owner")

        assert before.status_code == 200
        assert "makes the owner" in told
        assert first_steps(settings) == ""


class TestCreateUser:
    def test_a_password_from_standard_input_signs_in(
        self, rewards: Rewards, app: Flask, settings: Settings
    ) -> None:
        made = read(
            rewards(*WHO, "manager", "--password-stdin", "--json", standard_input=f"{PASSWORD}\n")
        )
        person = Visitor(app, settings)
        person.sign_in("mia@manager.example.com")

        assert (made["email"], made["role"]) == ("mia@manager.example.com", "manager")
        assert made["id"].startswith("usr_")
        assert set(made) == {"id", "email", "role"}
        assert person.is_signed_in()

    def test_without_one_a_link_lets_them_choose(
        self, rewards: Rewards, app: Flask, settings: Settings
    ) -> None:
        made = read(rewards(*WHO, "viewer", "--json"))
        person = Visitor(app, settings)
        path = made["link"].removeprefix(settings.base_url)
        person.post(path, password=PASSWORD, again=PASSWORD)
        person.sign_in("mia@manager.example.com")

        assert person.is_signed_in()

    def test_what_cannot_be_is_exit_status_2_and_makes_nobody(
        self, rewards: Rewards, engine: Engine
    ) -> None:
        weak = rewards(*WHO, "owner", "--password-stdin", standard_input="passwordpassword\n")
        wrong = rewards("create-user", "--email", "nobody", "--role", "owner")
        role = rewards(*WHO, "admin")
        rewards(*WHO, "owner")
        taken = rewards(*WHO, "viewer")

        assert [each.exit_code for each in (weak, wrong, role, taken)] == [2, 2, 2, 2]
        assert "easily guessed" in weak.output
        with transaction(engine) as session:
            assert session.scalars(select(User.role)).all() == ["owner"]
