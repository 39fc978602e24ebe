"""Where partners are paid: written in full, shown masked, kept sealed."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.kit.crypto import SecretUnreadable
from rewards_service.partners.models import Partner
from rewards_service.partners.payout_details import payout_details
from rewards_service.settings import Settings
from tests.builders.api import Caller, Json

ANN = {"name": "Ann", "email": "ann@partner.example"}
IBAN, BIC = "DE89370400440532013000", "COBADEFFXXX"
ALL: Json = {
    "paypal_email": "pay@ann.example", "iban": "de89 3704 0044 0532 0130 00", "bic": BIC,
    "account_name": "Ann Müller", "wise_email": "ann@wise.example",
}  # fmt: skip


def kept(engine: Engine, settings: Settings) -> dict[str, str]:
    with Session(engine) as session:
        return payout_details(session.scalars(select(Partner)).one(), settings)


class TestPayoutDetails:
    def test_they_are_shown_masked(self, api: Caller) -> None:
        made = api.create("/partners", **ANN, payout_details=ALL)

        assert made["payout_details"] == {
            "paypal_email": "p***@ann.example", "iban": "DE89************3000",
            "bic": "COBA*******", "account_name": "A***", "wise_email": "a***@wise.example",
        }  # fmt: skip
        assert api.get("/partners")["data"] == [made]
        assert api.create("/partners", **ANN)["payout_details"] is None

    def test_payouts_get_them_in_clear_and_the_row_holds_none_of_it(
        self, api: Caller, engine: Engine, settings: Settings
    ) -> None:
        api.create("/partners", **ANN, payout_details=ALL)
        with Session(engine) as session:
            sealed = session.scalars(select(Partner.payout_details_encrypted)).one()

        assert kept(engine, settings) == {**ALL, "iban": IBAN}
        assert sealed is not None
        assert not [value for value in (IBAN, "ann.example", "@") if value in sealed]

    def test_what_is_left_out_stays_and_null_removes(
        self, api: Caller, engine: Engine, settings: Settings
    ) -> None:
        path = f"/partners/{api.create('/partners', **ANN, payout_details=ALL)['id']}"
        api.change(path, payout_details={"iban": None, "bic": None, "account_name": "Ann"})
        api.change(path, name="Anna")

        assert kept(engine, settings) == {
            "paypal_email": "pay@ann.example", "account_name": "Ann",
            "wise_email": "ann@wise.example",
        }  # fmt: skip
        assert api.change(path, payout_details=None)["payout_details"] is None
        assert kept(engine, settings) == {}

    @pytest.mark.parametrize("member", list(ALL))
    def test_what_is_shown_cannot_be_sent_back_by_mistake(self, api: Caller, member: str) -> None:
        made = api.create("/partners", **ANN, payout_details=ALL)
        shown = {member: made["payout_details"][member]}
        pointers = api.pointers("PATCH", f"/partners/{made['id']}", payout_details=shown)

        assert pointers == [f"/payout_details/{member}"]

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("iban", "DE89370400440532013001"), ("iban", "XX00"), ("iban", ""), ("iban", 5),
            ("iban", "9" * 10_000), ("iban", "\ud800"), ("bic", "COBADEFFXX"), ("bic", "1"),
            ("bic", True), ("bic", "1OBADEFF"), ("paypal_email", "no-at"), ("paypal_email", " "),
            ("paypal_email", "a@b\x00.example"), ("paypal_email", "a" * 130 + "@b.example"),
            ("wise_email", ["a@b.example"]), ("account_name", "x" * 71), ("account_name", "a\nb"),
            ("swift", BIC), ("unreadable", True),
        ],
    )  # fmt: skip
    def test_what_is_no_account_is_refused(self, api: Caller, member: str, value: Any) -> None:
        pointers = api.pointers("POST", "/partners", **ANN, payout_details={member: value})

        assert pointers == [f"/payout_details/{member}"]

    def test_the_log_names_members_and_no_values(self, api: Caller, engine: Engine) -> None:
        path = f"/partners/{api.create('/partners', **ANN, payout_details={'iban': IBAN})['id']}"
        api.change(path, payout_details={"iban": "GB33BUKB20201555555555", "bic": BIC})
        api.change(path, payout_details={"bic": BIC})
        with Session(engine) as session:
            query = select(AuditEntry.detail).where(
                AuditEntry.action == "partner.payout_details_changed"
            )
            details = session.scalars(query.order_by(AuditEntry.id)).all()

        assert details == [
            {"set": ["iban"], "changed": ["iban"]},
            {"set": ["bic", "iban"], "changed": ["bic", "iban"]},
        ]

    def test_a_lost_key_breaks_no_list_and_they_can_be_removed(
        self, api: Caller, engine: Engine, settings: Settings
    ) -> None:
        path = f"/partners/{api.create('/partners', **ANN, payout_details=ALL)['id']}"
        lost = replace(settings, encryption_keys=(Fernet.generate_key().decode(),))
        with pytest.raises(SecretUnreadable):
            kept(engine, lost)
        with Session(engine) as session:
            session.execute(update(Partner).values(payout_details_encrypted="gAAAA"))
            session.commit()

        assert api.get(path)["payout_details"] == {"unreadable": True}
        assert api.refused("PATCH", path, 500, payout_details=ALL)["code"] == "secret_unreadable"
        assert api.change(path, payout_details=None)["payout_details"] is None
