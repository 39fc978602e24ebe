"""Forms. Those that take a password or code count how often that goes wrong."""

from collections.abc import Callable
from typing import Any

import flask_security.forms as theirs
from flask_security import current_user
from flask_security.recovery_codes import MfRecoveryForm
from flask_security.utils import get_message, validate_redirect_url
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    IntegerField,
    PasswordField,
    SelectField,
    StringField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from rewards_service.accounts import lockout, passwords, permissions
from rewards_service.admin.amounts import read_whole
from rewards_service.admin.pages import address
from rewards_service.kit.db import db
from rewards_service.kit.web import current_settings

LOCKED = (
    "Too many attempts. For safety this is closed for 15 minutes; an owner can make a new link."
)


def counted(email: str, attempt: Callable[[], bool], refuse: Callable[[str], None]) -> bool:
    """Try a password or code of somebody, unless too many went wrong; count it when it does.

    What was read before ends here: hashing takes long, and nothing may wait for it.
    """
    key, here = current_settings().secret_key, address()
    if lockout.is_locked(db.session, key, email, here):
        refuse(LOCKED)
        return False
    good = attempt()
    db.session.rollback()  # ends the transaction that could only read
    if not good and lockout.note_failure(db.session, key, email, here):
        refuse(LOCKED)
    return good


class LoginForm(theirs.LoginForm):
    """E-mail and password."""

    def validate_next(self, field: Any) -> None:
        """Where to go afterwards is no part of who one is: an address that is not ours is left."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""

    def validate(self, **kwargs: Any) -> bool:
        self.remember.data = False

        def attempt() -> bool:
            return bool(super(LoginForm, self).validate(**kwargs))

        return counted(self.email.data or "", attempt, self._refuse)

    def _refuse(self, why: str) -> None:
        self.form_errors.append(why)


class VerifyForm(theirs.VerifyForm):
    """The password again, before something that matters."""

    def validate(self, **kwargs: Any) -> bool:
        def attempt() -> bool:
            return bool(super(VerifyForm, self).validate(**kwargs))

        return counted(self.user.email, attempt, lambda why: _add(self.password, why))


class ChangePasswordForm(theirs.ChangePasswordForm):
    """Another password: who only holds a session must not guess the one of now here."""

    def validate(self, **kwargs: Any) -> bool:
        email = current_user.email
        if lockout.is_locked(db.session, current_settings().secret_key, email, address()):
            _add(self.password, LOCKED)
            return False
        good = bool(super().validate(**kwargs))
        if get_message("INVALID_PASSWORD")[0] in self.password.errors:
            _note(email)
        return good


class _SecondFactor:
    """What is asked after the password: tried unless too many went wrong, and counted."""

    def validate(self: Any, **kwargs: Any) -> bool:
        if self.user is None:
            return False
        email = self.user.email
        if lockout.is_locked(db.session, current_settings().secret_key, email, address()):
            _add(self.code, LOCKED)
            return False
        good = bool(super().validate(**kwargs))  # type: ignore[misc]
        if not good:
            _note(email)
        return good


class CodeForm(_SecondFactor, theirs.TwoFactorVerifyCodeForm):
    """A code of an app."""


class RecoveryForm(_SecondFactor, MfRecoveryForm):
    """A code for the day the device is lost."""


def _note(email: str) -> None:
    lockout.note_failure(db.session, current_settings().secret_key, email, address())


def _add(field: Any, why: str) -> None:
    field.errors = [*field.errors, why]


class WholeField(IntegerField):  # type: ignore[misc]
    """A whole number in digits."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            self.data = None
            self.data = read_whole(valuelist[0])  # a ValueError stands at the field


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """Choose a password by a link."""

    password = PasswordField(
        "Password",
        [InputRequired("Choose a password.")],
        description=f"At least {passwords.SHORTEST} characters. Four words that have nothing to do "
        "with each other are good, and easy to remember.",
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "The same once more",
        [InputRequired("Type the password once more.")],
        render_kw={"autocomplete": "new-password"},
    )

    def validate_again(self, field: Any) -> None:
        if field.data != self.password.data:
            raise ValidationError("These are not the same.")


class FirstOwnerForm(PasswordForm):
    """Who will own this installation."""

    email = EmailField(
        "Your e-mail address",
        [InputRequired("An e-mail address is needed to sign in."), Length(max=200)],
        render_kw={"autocomplete": "username"},
    )


class InviteForm(FlaskForm):  # type: ignore[misc]
    """Let somebody in."""

    email = EmailField("E-mail address", [InputRequired("Whom do you invite?"), Length(max=200)])
    role = SelectField(
        "Role",
        choices=[SelectChoice(name, name.title()) for name in permissions.ROLES],
        default=permissions.MANAGER,
    )


class OptionsForm(FlaskForm):  # type: ignore[misc]
    """What a successful payment does."""

    convert_lead = BooleanField(
        "Convert lead to customer", default=True,
        description="A payment whose e-mail belongs to a lead makes the lead a customer.",
    )  # fmt: skip
    associate_deal = BooleanField(
        "Associate deal with customer", default=True,
        description="A payment whose e-mail belongs to a deal brings its customer to the deal.",
    )  # fmt: skip
    create_transaction = BooleanField(
        "Create transaction from payment", default=True,
        description="The payment is recorded and rewards follow. Needs one of the two above.",
    )  # fmt: skip


class ConnectForm(OptionsForm):
    """Connect a Chargebee site."""

    site = StringField(
        "Chargebee site",
        [InputRequired("The name in front of .chargebee.com is needed."), Length(max=100)],
        description="The name in front of .chargebee.com, such as acme or acme-test.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
