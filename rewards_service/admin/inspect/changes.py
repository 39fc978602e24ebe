"""What a decision would do to payments and rewards, and whether that is what was agreed to."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from flask_wtf import FlaskForm
from marshmallow import ValidationError
from sqlalchemy.orm import Session
from wtforms import HiddenField, TextAreaField
from wtforms import ValidationError as WrongField
from wtforms.validators import InputRequired, Length

from rewards_service.admin.doing import carry_out
from rewards_service.admin.inspect.led import names_of
from rewards_service.crm.schemas import LONGEST_REASON
from rewards_service.kit.errors import Conflict
from rewards_service.kit.web import current_session
from rewards_service.webhooks.consequences import RewardChange, totals
from rewards_service.webhooks.workbench_schemas import reason_field

Result = TypeVar("Result")


class Preview(NamedTuple):
    """What would follow, with the names of the partners; `mark` tells it from anything else."""

    changes: Sequence[RewardChange]
    totals: Sequence[tuple[int, str, int]]  # partner, currency, minor units
    names: dict[int, str]
    payments: Sequence[dict[str, Any]]
    mark: str


class DecideForm(FlaskForm):  # type: ignore[misc]
    """Something that is decided after it was seen what follows. `seen` is the mark of that."""

    reason = TextAreaField(
        "Why",
        [InputRequired("Say why: it stands in the audit log."), Length(max=LONGEST_REASON)],
        render_kw={"rows": 2},
    )
    seen = HiddenField()

    def validate_reason(self, field: Any) -> None:
        """As the API has it: no control characters."""
        if not field.data:
            return
        try:
            reason_field().deserialize(field.data)
        except ValidationError as error:
            raise WrongField(" ".join(map(str, error.messages))) from error


class SeenOtherwise(Conflict):
    title = "What follows has changed since you looked. Look again, then decide."


def preview(
    session: Session, changes: Sequence[RewardChange], payments: Sequence[dict[str, Any]] = (),
    also: Sequence[Any] = (),
) -> Preview:  # fmt: skip
    """also: what else is agreed to, such as how the event ends."""
    sums = [(partner, currency, amount) for (partner, currency), amount in totals(changes).items()]
    names = names_of(session, {one.partner_id for one in changes})
    # Without keys of what is made: a rehearsal's are others than those of the real thing.
    told = [
        *also,
        *(one._replace(text="") for one in changes),
        *((one["chargebee_transaction_id"], one["amount_minor"], one["reason"])
          for one in payments),
    ]  # fmt: skip
    mark = sha256(repr(told).encode()).hexdigest()[:32]
    return Preview(changes, sums, names, payments, mark)


def decide(
    form: DecideForm,
    act: Callable[[bool], Result],
    told: Callable[[Result], Preview],
) -> tuple[Preview | None, Any]:
    """First what would follow, then, once that was seen, the thing itself.

    act: does it, or rehearses it (True). The real thing must come to what was seen, or it is
    undone. Returns (what would follow, None) before, (None, what was done) after; both None when
    anything refused, then `form` says why.
    """
    if form.seen.data:
        done = carry_out(form, lambda: _agreed(form, act(False), told))
        if done is not None:
            return None, done
        if not any(SeenOtherwise.title in str(error) for error in form.form_errors):
            return None, None
    rehearsed = carry_out(form, lambda: told(act(True)))
    current_session().rollback()
    return rehearsed, None


def _agreed(form: DecideForm, done: Result, told: Callable[[Result], Preview]) -> Result:
    if told(done).mark != form.seen.data:
        raise SeenOtherwise
    return done
