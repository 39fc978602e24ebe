"""What outcomes, likenesses and conflicts mean, in plain words (pure)."""

from collections.abc import Mapping
from typing import NamedTuple

from rewards_service.inbox.models import DEAD, PENDING, QUARANTINED


class Meaning(NamedTuple):
    """How an event ended: the word and tone of its badge, a few words, why, and what to do."""

    word: str
    tone: str
    short: str
    why: str
    todo: str = ""


_BY_HAND = "Give the payment to a lead, a deal or a customer: rewards are worked out at once."
_WAITS = "Nothing to do: it is taken up by itself as soon as that arrives."
_SET_ASIDE = "Nothing followed from it. Mend it in Chargebee, or replay it after an update."
OUTCOMES: Mapping[str, Meaning] = {
    "transaction_recorded": Meaning(
        "processed", "success", "payment recorded",
        "The payment was recorded as a transaction of its customer.",
    ),
    "converted": Meaning(
        "processed", "success", "lead converted",
        "The payer's e-mail address belongs to a lead, which became a customer.",
    ),
    "associated": Meaning(
        "processed", "success", "customer associated",
        "The payer was brought together with deals, or with a customer that was there already.",
    ),
    "reversed": Meaning(
        "processed", "success", "payment taken back",
        "It takes back money of a payment; the rewards on it were brought down accordingly.",
    ),
    "mirrored": Meaning(
        "processed", "success", "noted",
        "What it says of Chargebee's objects was noted. No payment was made or taken back by it.",
    ),
    "no_change": Meaning(
        "processed", "neutral", "nothing new",
        "The payer is known, and nothing more was to be done about this payment.",
    ),
    "observed": Meaning(
        "observed", "info", "worked out, not kept",
        "The integration only observes: what would have happened was worked out and undone.",
        "Switch the integration to live when you trust what you see.",
    ),
    "already_processed": Meaning(
        "duplicate", "neutral", "known payment",
        "Another event had told of the same payment before. It counts once.",
    ),
    "ignored": Meaning(
        "ignored", "neutral", "not about rewards",
        "Events of this type have nothing to do with rewards. They are kept and not acted on.",
    ),
    "all_off": Meaning(
        "ignored", "neutral", "options were off",
        "All three options of the integration were off when it came, so nothing was wanted of it.",
        "Options count for what arrives after them: this event stays as it is.",
    ),
    "unknown_customer": Meaning(
        "no match", "warning", "payer not known",
        "The payer is no customer, and no lead or deal with this e-mail address could be used. "
        "No transaction was made.", _BY_HAND,
    ),
    "no_email": Meaning(
        "no match", "warning", "no e-mail address",
        "The payer has no e-mail address in Chargebee, so no lead or deal is found by it.",
        _BY_HAND,
    ),
    "no_lead": Meaning(
        "no match", "warning", "no lead",
        "No lead with the payer's e-mail address could be used, so nothing was made.", _BY_HAND,
    ),
    "no_deal": Meaning(
        "no match", "warning", "no deal",
        "No deal whose contact has the payer's e-mail address could be used.", _BY_HAND,
    ),
    "parked_missing_parent": Meaning(
        "parked", "warning", "waits for its payment",
        "It is about a payment or invoice that has not arrived yet.", _WAITS,
    ),
    "bad_payload": Meaning(
        "set aside", "warning", "contents cannot be trusted",
        "Something that money depends on is missing, of the wrong kind or impossible.", _SET_ASIDE,
    ),
    "api_v1": Meaning(
        "set aside", "warning", "old API version",
        "The webhook of Chargebee sends API version 1. Only version 2 is understood.",
        "Choose API version 2 at the webhook in Chargebee, then have it send the event again.",
    ),
    "customer_mismatch": Meaning(
        "set aside", "warning", "two different payers",
        "The payment belongs to neither the event's customer nor the invoice's owner.", _SET_ASIDE,
    ),
    "verification_failed": Meaning(
        "set aside", "warning", "Chargebee says otherwise",
        "Chargebee was asked for its own copy of this event, and that says something else, or is "
        "not there.", "Ask Chargebee again, or see whether somebody else knows the password.",
    ),
}  # fmt: skip
FAILED = Meaning(
    "failed", "danger", "every try failed",
    "Every try to handle it failed. Nothing followed from it.",
    "See the error, mend its cause, then replay the event.",
)  # fmt: skip
WAITING = Meaning("waiting", "info", "to be handled", "A worker will handle it in a moment.")
ASKING = Meaning(
    "waiting", "info", "asks Chargebee",
    "Chargebee is asked for its own copy first; until then nothing follows from it.",
)  # fmt: skip
RETRYING = Meaning(
    "waiting",
    "warning",
    "tries again",
    "A try to handle it failed; it is tried again by itself, up to eight times.",
)
UNMATCHED = ("unknown_customer", "no_email", "no_lead", "no_deal")
STATES = {
    PENDING: "Waiting", "done": "Done", QUARANTINED: "Set aside", DEAD: "Failed",
}  # fmt: skip
SOURCES = {"webhook": "webhook", "poll": "event log", "backfill": "history import"}


def meaning_of(state: str, outcome: str | None, verification: str | None, attempts: int) -> Meaning:
    """What the end of an event means, or why it has none yet."""
    if state == DEAD:
        return FAILED
    if state == PENDING:
        if verification == "wanted":
            return ASKING
        return RETRYING if attempts else WAITING
    return OUTCOMES[outcome or "ignored"]


LIKENESSES: Mapping[str, str] = {
    "same_email": "same e-mail address",
    "typing_error": "one letter off",
    "same_loose_key": "same but for +tag or dots",
    "same_domain": "same company domain",
    "registered_later": "registered after the payment",
    "lost": "lost",
    "archived": "archived",
    "converted": "is a customer already",
    "associated": "belongs to a customer",
    "superseded": "another lead went first",
    "has_chargebee_id": "has another Chargebee id",
}


class Dispute(NamedTuple):
    """A kind of conflict: its title, what happened, and what each decision does."""

    title: str
    what: str
    decisions: Mapping[str, str]


DISPUTES: Mapping[str, Dispute] = {
    "attribution": Dispute(
        "Two partners, one customer",
        "Leads or deals of different partners claim the same customer. Unless the policy is that "
        "the first wins, its rewards are on hold until somebody decides.",
        {
            "keep": "The present partner keeps the customer. The hold is lifted.",
            "choose": "gets the customer, with all rewards that are not settled yet. "
            "The hold is lifted.",
        },
    ),
    "same_email_other_chargebee_id": Dispute(
        "Known e-mail, another Chargebee customer",
        "The payer has the e-mail address of a converted lead, but another Chargebee id than the "
        "customer that came of it. A second account was made, without a partner.",
        {
            "keep": "The second account stays without a partner.",
            "inherit": "The second account gets the partner of the first, also for its payments "
            "so far.",
        },
    ),
    "ambiguous_email": Dispute(
        "Several customers have this e-mail",
        "Customers that people entered share the payer's e-mail address. The payment was given to "
        "none of them.",
        {
            "keep": "Nobody gets the payment.",
            "choose": "gets the payer's Chargebee id, and the payment with its rewards.",
        },
    ),
    "late_payment": Dispute(
        "An earlier payment came late",
        "A payment arrived that was made before the one that got the deal, but rewards on that one "
        "were approved already.",
        {
            "keep": "The deal stays where it is.",
            "reattribute": "The deal goes to who paid first, with all rewards that are not "
            "settled yet.",
        },
    ),
    "inconsistent_invoice": Dispute(
        "An invoice contradicts itself",
        "Adjustments leave nothing payable on an invoice, although money for it was kept. Its "
        "rewards stay as they were.",
        {"keep": "Seen: nothing changes."},
    ),
}
