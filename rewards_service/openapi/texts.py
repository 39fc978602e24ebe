"""Words of the description: what the interface is, its scopes and tags (tables)."""

DESCRIPTION = """\
Payments in Chargebee become rewards of the partners who brought the customer.

- Bodies are JSON, strict: unknown members and parameters are refused with 422.
- Ids are opaque: a prefix and 13 letters or digits. An id of another kind is refused.
- Times are RFC 3339 in UTC, days `YYYY-MM-DD`.
- Money is an integer of the minor unit in `*_minor` beside `currency`: `1250`, `USD` is 12.50 USD.
- Rates are decimal strings: `"0.20"` is 20 %.
- Lists come in pages: `next_cursor`, and `Link` with `rel="next"`, lead on.
- Lists and reports come as files, too: `Accept`, or `format`, as CSV or XLSX.
- A `PATCH` must send `If-Match`; `If-None-Match` on a read answers 304 while nothing has changed.
- A `POST` may send `Idempotency-Key`, and is then safe to be sent again.
- `RateLimit` says how many requests are left. 429 and 503 come with `Retry-After`.
- A key that is bound to a partner sees what belongs to that partner only, and changes nothing.
- Answers of 1,000 bytes and more come in gzip for who sends `Accept-Encoding: gzip`.
- Every error is `application/problem+json` (RFC 9457); programs decide by `code`.
- A method that an address does not know is answered with 405, and `Allow` names those it knows.
"""

SCOPES = {
    "admin": "everything; alone may make and revoke keys",
    "integrations:read": "see integrations, their history and comparisons with Chargebee",
    "integrations:write": "connect, change and delete integrations; fetch history; compare",
    "programs:read": "see programmes, levels and reward rules; preview rules",
    "programs:write": "make and change programmes, levels and reward rules",
    "partners:read": "see partners",
    "partners:write": "make and change partners",
    "crm:read": "see leads, deals and customers; near-misses of events",
    "crm:write": "make and change leads, deals and customers; match an event by hand",
    "transactions:read": "see transactions, and what they earned",
    "rewards:read": "see rewards and how they came about",
    "rewards:write": "approve, hold, decline, release and adjust rewards; post those for the past",
    "payouts:read": "see payouts, balances, schedules and exchange rates; make files of payouts",
    "payouts:write": "make, move and cancel payouts; schedules; exchange rates",
    "events:read": "see received events with their bodies",
    "events:write": "nothing in this release",
    "events:replay": "handle an event again",
    "conflicts:read": "see conflicts with their evidence",
    "conflicts:write": "resolve conflicts",
    "audit:read": "see the audit log",
    "webhooks:read": "see webhook endpoints, and what was delivered to them",
    "webhooks:write": "make, change, test and delete webhook endpoints; send deliveries again",
}

TAGS = {
    "api-keys": "Keys to this interface",
    "audit-log": "Who did what to what, when and why",
    "conflicts": "What the machine must not decide",
    "customers": "Those who pay",
    "deals": "Sales that partners work on",
    "deliveries": "What was told to webhook endpoints",
    "events": "What Chargebee sent, and what became of it",
    "exchange-rates": "Rates that payouts are converted at",
    "exports": "Lists and reports as files that a worker writes",
    "integrations": "Connected Chargebee sites: webhooks, event logs, history, comparisons",
    "leads": "People that partners brought",
    "me": "The key of the request",
    "partners": "Those who bring leads and deals, and earn rewards",
    "payout-schedules": "When payouts are made by themselves",
    "payouts": "What partners are paid",
    "program-levels": "Levels of programmes, such as Gold",
    "programs": "Sets of rules that partners are enrolled in",
    "reports": "Figures and comparisons",
    "reward-rules": "How rewards are calculated, and what a change of a rule would cost",
    "rewards": "What partners earn",
    "webhook-endpoints": "Addresses that are told of what happens",
    "transactions": "Payments of known customers, and why they earned what they did",
}

# By the name of a parameter, where its schema says nothing.
PARAMETERS = {
    "limit": "How many at most.",
    "cursor": "Where to go on: `next_cursor` of the page before, as it came.",
    "sort": "The order, from the first made or, with `-`, from the last.",
    "email": "Any spelling of an address.",
    "contact_email": "Any spelling of an address.",
}
