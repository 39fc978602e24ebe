"""How the statuses of all things are shown: a word, and a tone that goes with it (pure)."""

_TONES = {
    "success": "active approved paid done connected accepted converted won delivered succeeded "
               "verified enabled ready published matched equal complete",
    "warning": "hold paused pending_review quarantined draft partially_refunded waiting_for_rate "
               "observe parked stale retrying disputed unmatched missing different",
    "danger": "declined failed dead disabled refunded reversed lost rejected cancelled "
              "charged_back voided closed revoked expired",
    "info": "pending in_payout new open running received waiting queued processing registered "
            "scheduled applicant",
}  # fmt: skip
TONES = {word: tone for tone, words in _TONES.items() for word in words.split()}
NEUTRAL = "neutral"


def tone_of(status: str) -> str:
    """The tone of a status; neutral where nothing is known of it."""
    return TONES.get(status, NEUTRAL)


def worded(status: str) -> str:
    """`in_payout` as "in payout"."""
    return status.replace("_", " ")
