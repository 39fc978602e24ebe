"""Payouts as a SEPA credit transfer: ISO 20022 pain.001.001.09, checked against its schema."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError, try_valid_xml

from rewards_service.kit.errors import Conflict
from rewards_service.payouts.rows import Payable

SCHEMA = "pain.001.001.09"
_NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
_LONGEST_NAME = 70


class SepaRefused(Conflict):
    code = "sepa_refused"
    title = "No valid SEPA file can be made of these payouts."


class Payer(NamedTuple):
    """Whose account is debited; `bic` None: the bank finds it by the IBAN."""

    name: str
    iban: str
    bic: str | None


def render(payables: Sequence[Payable], payer: Payer, message_id: str) -> bytes:
    """One batch of transfers in EUR, to be executed on the day on which the last became ready.

    message_id: up to 35 characters; the same payouts have the same one, so that a bank which sees
    the file twice can tell. Names are spelled in the letters that SEPA knows. Raises SepaRefused
    when the result does not keep to the schema.
    """
    ready_at = max(one.ready_at for one in payables if one.ready_at is not None).astimezone(UTC)
    config = {"name": payer.name, "IBAN": payer.iban, "batch": True, "currency": "EUR"}
    if payer.bic is not None:
        config["BIC"] = payer.bic
    transfer = SepaTransfer(config, schema=SCHEMA, clean=True)
    for one in payables:
        payment = {
            "name": one.account_name[:_LONGEST_NAME],
            "IBAN": one.details["iban"],
            "amount": one.pay_minor,
            "execution_date": ready_at.date(),
            "description": f"Payout {one.payout_id}",
            "endtoend_id": one.payout_id,
        }
        if "bic" in one.details:
            payment["BIC"] = one.details["bic"]
        transfer.add_payment(payment)
    written = _repeatable(transfer.export(validate=False), message_id, ready_at)
    try:
        try_valid_xml(written, SCHEMA)
    except ValidationError as problem:
        raise SepaRefused(str(problem.__cause__ or problem)[:500]) from problem
    return written


def _repeatable(written: bytes, message_id: str, ready_at: datetime) -> bytes:
    """The same file with our ids and time in place of random ones and of the present.

    An account without BIC is said to have none, which banks ask for.
    """
    root = ET.fromstring(written)  # noqa: S314
    space = {"p": _NAMESPACE}
    for path in (".//p:GrpHdr/p:MsgId", ".//p:PmtInf/p:PmtInfId"):
        for element in root.iterfind(path, space):
            element.text = message_id
    for element in root.iterfind(".//p:GrpHdr/p:CreDtTm", space):
        element.text = ready_at.strftime("%Y-%m-%dT%H:%M:%S")
    for agent in root.iterfind(".//p:DbtrAgt/p:FinInstnId", space):
        if len(agent) == 0:
            other = ET.SubElement(agent, f"{{{_NAMESPACE}}}Othr")
            ET.SubElement(other, f"{{{_NAMESPACE}}}Id").text = "NOTPROVIDED"
    ET.register_namespace("", _NAMESPACE)
    text: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text
