"""Do what a form or a button asks, and say at its fields, or on top, why it was refused."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import flash
from flask_wtf import FlaskForm
from marshmallow import Schema, ValidationError

from rewards_service.kit.errors import RewardsError
from rewards_service.kit.problems import walk
from rewards_service.kit.web import current_session

Result = TypeVar("Result")
# Address of the opposite action, and the fields it wants beside the token.
Undo = tuple[str, Mapping[str, str | Sequence[str]]]
LONGEST_UNDO = 1_500  # characters; browsers keep 4096 bytes of a cookie


def carry_out(form: FlaskForm, action: Callable[[], Result]) -> Result | None:
    """What `action` returns once the form is valid; None when anything refused.

    Then nothing was changed: the session is rolled back, and the objections stand at the fields
    whose names they point to, or on top of the form (`ui.form_errors`).
    """
    if not form.validate_on_submit():
        return None
    try:
        done = action()
        current_session().flush()
    except ValidationError as error:
        current_session().rollback()
        _object(form, list(walk(error.messages, "")), "")
    except RewardsError as error:
        if error.status >= 500:
            raise
        current_session().rollback()
        _object(form, error.errors, error.detail)
    else:
        return done
    return None


def read_as(schema: Schema, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the API would make of these members; empty texts and None count as not given.

    Raises marshmallow's ValidationError: within `carry_out` it goes to the fields.
    """
    given = {name: value for name, value in fields.items() if value not in ("", None)}
    loaded: dict[str, Any] = schema.load(given)
    return loaded


def attempt(
    action: Callable[[], Result], said: str | Callable[[Result], str], undo: Undo | None = None
) -> bool:
    """Do what a button asks, and tell so on the next page; or tell why it was refused.

    `said`: the words, or what makes them of what `action` returned.
    `undo` is the opposite as an action of its own: the address it is posted to and the fields of
    its form (a list: one field for each). It is offered beside `said`, and allowed, audited and
    refused like any other: only what such an action lawfully takes back may have one.
    """
    try:
        done = action()
        current_session().flush()
    except RewardsError as error:
        if error.status >= 500:
            raise
        current_session().rollback()
        flash(error.detail, "danger")
        return False
    tell(said(done) if callable(said) else said, undo)
    return True


def tell(said: str, undo: Undo | None = None) -> None:
    """Say on the next page what was done, with a button that undoes it (see `attempt`)."""
    offer = _offer(*undo) if undo else None
    message: Any = {"text": said, "undo": offer} if offer else said
    flash(message, "success")


def _offer(address: str, fields: Mapping[str, str | Sequence[str]]) -> dict[str, Any] | None:
    """What the button sends. None when it would not fit into the cookie that carries it."""
    pairs = [
        (name, one)
        for name, value in fields.items()
        for one in ([value] if isinstance(value, str) else value)
    ]
    if sum(len(name) + len(value) for name, value in pairs) > LONGEST_UNDO:
        return None
    return {"address": address, "fields": pairs}


def _object(form: FlaskForm, errors: list[dict[str, Any]], detail: str) -> None:
    """Put objections where they belong; `/caps/0/scope`: caps-0-scope, scope, caps-0 or caps."""
    left = []
    for error in errors:
        steps = [step for step in error["pointer"].split("/") if step]
        outwards = ["-".join(steps[:end]) for end in range(len(steps), 0, -1)]
        names = [*outwards[:1], *steps[-1:], *outwards[1:]]
        field = next((form[name] for name in names if name in form), None)
        if field is None:
            left.append(": ".join(filter(None, (" ".join(steps), error["detail"]))))
        else:
            field.errors = [*field.errors, error["detail"]]
    if left or not errors:
        form.form_errors.extend(left or [detail])
