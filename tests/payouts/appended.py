"""A row in each table of payouts that is never changed."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.partners.models import Partner
from rewards_service.payouts.models import (
    ExchangeRate,
    Payout,
    PayoutExport,
    PayoutExportMember,
    PayoutInvoice,
    PayoutStatusChange,
)


def add_append_only_rows(session: Session) -> None:
    """For the first partner there is."""
    payout = Payout(
        partner_id=session.scalars(select(Partner.id)).first(), currency="USD",
        cut_off_on=date(2026, 4, 1), status="draft", total_minor=1, line_count=0,
        ledger_sha256="", pay_currency="USD", pay_total_minor=1, created_by="test",
    )  # fmt: skip
    export = PayoutExport(
        subject_sha256="", format="csv", part=1, parts=1, file_name="", sha256="", content=b"",
        actor="test",
    )  # fmt: skip
    session.add_all([payout, export])
    session.flush()
    session.add_all(
        [
            PayoutStatusChange(payout_id=payout.id, to_status="draft", actor="test"),
            PayoutInvoice(payout_id=payout.id, number="1", actor="test"),
            PayoutExportMember(payout_id=payout.id, export_id=export.id),
            ExchangeRate(
                from_currency="USD", to_currency="EUR", rate_on=date(2026, 4, 1), rate="1",
                source="test", actor="test",
            ),
        ]
    )  # fmt: skip
