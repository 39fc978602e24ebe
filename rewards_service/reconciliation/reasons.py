"""What can be said of an object on both sides, why, and what mends it (pure)."""

from typing import NamedTuple

EQUAL, DIFFERENT = "equal", "different"
MISSING_HERE, MISSING_THERE = "missing_here", "missing_there"
STATES = (EQUAL, MISSING_HERE, MISSING_THERE, DIFFERENT)

POLL, FETCH, REPLAY, BACKFILL = "poll", "fetch", "replay", "backfill"
WAIT, LOOK, NOTHING = "wait", "look", "nothing"
REPAIRS = (POLL, FETCH, REPLAY, BACKFILL, WAIT, LOOK, NOTHING)


class Reason(NamedTuple):
    """In plain words, and the repair. `{event}`, `{error}`: of the event that is to blame."""

    words: str
    repair: str


REASONS = {
    # Differences.
    "event_missing": Reason("Its event never arrived.", POLL),
    "payment_event_missing": Reason(
        "It is known here from other events, but payment_succeeded, which makes a payment count, "
        "never arrived.", POLL,
    ),
    "newer_there": Reason("It was changed in Chargebee, and that event never arrived.", POLL),
    "deleted_there": Reason("It was deleted in Chargebee, and that event never arrived.", POLL),
    "too_old": Reason(
        "Its event never arrived, and is too old for Chargebee's list of events.", FETCH
    ),
    "before_connection": Reason(
        "It is older than the connection, and history was not imported. See `rewards backfill`.",
        BACKFILL,
    ),
    "event_pending": Reason("Its event {event} arrived and is still to be handled.", WAIT),
    "event_dead": Reason("Its event {event} failed too often: {error}", REPLAY),
    "event_quarantined": Reason("Its event {event} is quarantined: {error}", LOOK),
    "not_live": Reason(
        "The integration is not live, or all its options are off: events change nothing.", NOTHING
    ),
    "not_in_chargebee": Reason(
        "Chargebee does not know it: it was deleted there for good, or never was of this site.",
        LOOK,
    ),
    "not_looked_up": Reason(
        "Chargebee's list does not show it; too many are missing to look up each.", LOOK
    ),
    "same_version": Reason("Both sides hold the same version, and yet it differs.", LOOK),
    "newer_here": Reason("What is held here is newer than what Chargebee shows.", LOOK),
    "books_differ": Reason(
        "The payment as recorded in the books differs from Chargebee's. See `rewards check`.", LOOK
    ),
    "unreadable": Reason("Chargebee's own record cannot be read: {error}", LOOK),
    # Equal, and still worth a word.
    "unknown_customer": Reason(
        "Known here, but recorded for nobody: no lead or deal matched its payer.", NOTHING
    ),
    "no_email": Reason("Known here, but recorded for nobody: its payer has no e-mail.", NOTHING),
    "not_posted": Reason(
        "Known from the import of history, whose payments count once they are posted. See "
        "`rewards backfill`.", NOTHING,
    ),
    "transactions_off": Reason(
        "Known here, but not recorded: payments were not to be recorded when it came.", NOTHING
    ),
    "before_attribution": Reason(
        "Recorded; it earns nothing, being dated before the lead or deal was registered.", NOTHING
    ),
}  # fmt: skip


def words(reason: str, event: str | None = None, error: str | None = None) -> str:
    """A reason as a sentence. event: the id at Chargebee of the event that is to blame."""
    text = REASONS[reason].words
    return text.replace("{event}", event or "").replace("{error}", error or "no reason given.")
