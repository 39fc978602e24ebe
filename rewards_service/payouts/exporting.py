"""Hand out files of payouts, keep what was handed out, and hand out the same again."""

from collections.abc import Collection, Sequence
from hashlib import sha256

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from rewards_service.audit.service import record
from rewards_service.kit import ids
from rewards_service.kit.db import chunks, insert_many
from rewards_service.kit.errors import Conflict, Unprocessable
from rewards_service.kit.refusals import invalid_member
from rewards_service.partners.models import Partner
from rewards_service.partners.payout_details import payout_details
from rewards_service.payouts import export_csv, export_sepa, export_xlsx, queries
from rewards_service.payouts.models import Payout, PayoutExport, PayoutExportMember
from rewards_service.payouts.rows import Line, Payable
from rewards_service.payouts.service import PayoutWrongStatus, check_not_held
from rewards_service.settings import Settings

# Files that move money: only what was accepted goes into one.
TO_PAY = ("paypal", "wise", "sepa")
# Most payouts in one file; what is more goes into further parts.
LARGEST = {"paypal": 5_000, "wise": 1_000, "sepa": 5_000}
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "paypal": "csv", "wise": "csv", "sepa": "xml"}
_ONE_OF = {"paypal": ("paypal_email",), "wise": ("iban", "wise_email"), "sepa": ("iban",)}
_NAMED = 20  # partners that are named in a refusal


class PayoutDetailsMissing(Conflict):
    code = "payout_details_missing"
    title = "It is not known where a partner is to be paid."


class PayerMissing(Conflict):
    code = "payer_missing"
    title = "It is not known from which account is to be paid."


class MixedPayouts(Unprocessable):
    code = "mixed_payouts"
    title = "These payouts cannot stand in one file of this format."


def export(
    session: Session, settings: Settings, payout_ids: Collection[int], kind: str, part: int,
    actor: str,
) -> PayoutExport:  # fmt: skip
    """The file of payouts in a format (`models.FORMATS`), with its content.

    The same payouts give the same bytes as long as nothing in them has changed; once all of them
    are paid, the file that was handed out last stays the file. Raises NotFound,
    PayoutWrongStatus, PayoutHeld, PayoutDetailsMissing, PayerMissing, MixedPayouts, SepaRefused;
    Unprocessable for a part that does not exist.
    """
    payouts = queries.get_payouts(session, payout_ids)
    subject = sha256(orjson.dumps([payout.id for payout in payouts])).hexdigest()
    kept = _kept(session, subject, kind, part)
    if kept is not None and all(payout.status == "paid" for payout in payouts):
        return kept
    _check(payouts, kind)
    pages = list(chunks(payouts, LARGEST.get(kind, len(payouts))))
    if part > len(pages):
        raise invalid_member("part", f"There are {len(pages)} parts.")
    shown = pages[part - 1]
    message_id = f"{subject[:28]}-{part}"
    content = _render(session, settings, shown, kind, message_id)
    digest = sha256(content).hexdigest()
    if kept is not None and kept.sha256 == digest:
        return kept
    made = PayoutExport(
        subject_sha256=subject, format=kind, part=part, parts=len(pages), sha256=digest,
        file_name=_file_name(payouts, kind, subject, part, len(pages)), content=content,
        actor=actor,
    )  # fmt: skip
    _keep(session, made, shown, actor)
    return made


def _kept(session: Session, subject: str, kind: str, part: int) -> PayoutExport | None:
    query = (
        select(PayoutExport)
        .where(
            PayoutExport.subject_sha256 == subject,
            PayoutExport.format == kind,
            PayoutExport.part == part,
        )
        .order_by(PayoutExport.id.desc())
        .limit(1)
        .options(undefer(PayoutExport.content))
    )
    return session.scalars(query).first()


def _check(payouts: Sequence[Payout], kind: str) -> None:
    allowed = ("ready", "paid") if kind in TO_PAY else ("draft", "pending", "ready", "paid")
    for payout in payouts:
        if payout.status not in allowed:
            raise PayoutWrongStatus(
                f"Payout {ids.encode('pay', payout.id)} is {payout.status}: a {kind} file holds "
                f"payouts that are {' or '.join(allowed)} only, so that nothing is paid which "
                "nobody accepted, or which was given up."
            )
        if kind in TO_PAY:
            check_not_held(payout)
    currencies = {payout.pay_currency for payout in payouts}
    if kind == "paypal" and len(currencies) > 1:
        raise MixedPayouts("PayPal takes one currency a file: export each currency by itself.")
    if kind == "sepa" and currencies != {"EUR"}:
        raise MixedPayouts("SEPA transfers are in EUR: export payouts in EUR only.")


def _render(
    session: Session, settings: Settings, payouts: Sequence[Payout], kind: str, message_id: str
) -> bytes:
    payables = _payables(session, settings, payouts, kind)
    if kind == "paypal":
        return export_csv.render_paypal(payables)
    if kind == "wise":
        return export_csv.render_wise(payables)
    if kind == "sepa":
        return export_sepa.render(payables, _payer(settings), message_id)
    lines = [
        line for one, of in zip(payouts, payables, strict=True) for line in _lines(session, one, of)
    ]
    return export_csv.render_lines(lines) if kind == "csv" else export_xlsx.render(payables, lines)


def _payables(
    session: Session, settings: Settings, payouts: Sequence[Payout], kind: str
) -> list[Payable]:
    keys = sorted({payout.partner_id for payout in payouts})
    partners = {
        partner.id: partner
        for some in chunks(keys)
        for partner in session.scalars(select(Partner).where(Partner.id.in_(some)))
    }
    details: dict[int, dict[str, str]] = {}
    if kind in TO_PAY:
        details = {key: payout_details(partner, settings) for key, partner in partners.items()}
        _check_details(details, kind)
    return [
        _payable(payout, partners[payout.partner_id], details.get(payout.partner_id, {}))
        for payout in payouts
    ]


def _payable(payout: Payout, partner: Partner, details: dict[str, str]) -> Payable:
    return Payable(
        payout_id=ids.encode("pay", payout.id),
        partner_id=ids.encode("par", partner.id),
        partner_name=partner.name,
        partner_email=partner.email,
        currency=payout.currency,
        total_minor=payout.total_minor,
        pay_currency=payout.pay_currency,
        pay_minor=payout.pay_total_minor,
        cut_off=payout.cut_off_on,
        invoice_number=payout.invoice_number,
        ready_at=payout.ready_at,
        details=details,
    )


def _check_details(details: dict[int, dict[str, str]], kind: str) -> None:
    wanted = _ONE_OF[kind]
    lacking = [key for key, known in details.items() if not any(known.get(n) for n in wanted)]
    if lacking:
        named = ", ".join(ids.encode("par", key) for key in lacking[:_NAMED])
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        raise PayoutDetailsMissing(
            f"A {kind} file needs {' or '.join(wanted)} in the payout_details of {named}{more}."
        )


def _payer(settings: Settings) -> export_sepa.Payer:
    if settings.payer_name is None or settings.payer_iban is None:
        raise PayerMissing("Set PAYER_NAME and PAYER_IBAN, and PAYER_BIC if your bank wants it.")
    return export_sepa.Payer(settings.payer_name, settings.payer_iban, settings.payer_bic)


def _lines(session: Session, payout: Payout, of: Payable) -> list[Line]:
    lines = queries.lines_of(session, payout.id)
    invoices = queries.invoices_of(session, [line.reward_id for line in lines])
    return [
        Line(
            of.payout_id, of.partner_id, of.partner_name, ids.encode("rew", line.reward_id),
            invoices[line.reward_id], of.currency, line.amount_minor, of.pay_currency,
            line.pay_amount_minor, line.rate, line.rate_on, line.rate_source,
        )
        for line in lines
    ]  # fmt: skip


def _file_name(payouts: Sequence[Payout], kind: str, subject: str, part: int, parts: int) -> str:
    name = ids.encode("pay", payouts[0].id) if len(payouts) == 1 else f"payouts-{subject[:12]}"
    number = f"-{part}-of-{parts}" if parts > 1 else ""
    return f"{name}-{kind}{number}.{ENDINGS[kind]}"


def _keep(session: Session, made: PayoutExport, payouts: Sequence[Payout], actor: str) -> None:
    session.add(made)
    session.flush()
    members = [{"payout_id": payout.id, "export_id": made.id} for payout in payouts]
    insert_many(session, PayoutExportMember, members)
    for payout in payouts:
        detail = {"format": made.format, "sha256": made.sha256, "part": made.part}
        record(session, "payout.exported", ("payout", payout.id), detail, actor)
