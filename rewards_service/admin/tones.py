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
# What its own name does not say well enough; mostly why a payment earned nothing, or a hold.
_SAID = {
    "before_attribution": "paid before the registration",
    "partner_inactive": "partner not active",
    "rule_not_effective": "rule not in force yet",
    "not_eligible_lines": "its items do not count",
    "window_over": "time of the rule is over",
    "unapplied_payment": "not applied yet",
    "parked_missing_parent": "waits for its invoice",
    "no_change": "nothing left to reward",
    "lead_pending": "lead not accepted yet",
    "refund_open": "refund not settled yet",
    "rate_missing": "exchange rate missing",
}


def tone_of(status: str) -> str:
    """The tone of a status; neutral where nothing is known of it."""
    return TONES.get(status, NEUTRAL)


def worded(status: str) -> str:
    """`in_payout` as "in payout"."""
    return _SAID.get(status) or status.replace("_", " ")
