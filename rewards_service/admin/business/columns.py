"""What the columns of an imported file mean, as the page explains them (pure)."""

_COMMON = {
    "partner_id": ("Who brought it: the partner's id, e-mail address or external id.",
                   "ann@partner.example"),
    "registered_at": ("From when on payments count, with a zone. Empty: now.",
                      "2026-01-31T08:30:00Z"),
    "external_id": ("Its id in your CRM. A row whose id is known changes that one; without it "
                    "every row makes a new one.", "crm-4711"),
}  # fmt: skip
OF = {
    "lead": {
        "email": ("E-mail address by which its payment will be found.", "eve@buyer.example"),
        "first_name": ("First name.", "Eve"),
        "last_name": ("Last name.", "Adams"),
        "company": ("Company.", "Eve & Söhne"),
        "status": ("pending, accepted or lost. Empty: accepted.", "accepted"),
        **_COMMON,
    },
    "deal": {
        "name": ("What the deal is called.", "Eve & Söhne, 50 seats"),
        "contact_email": ("E-mail address by which its payment will be found.",
                          "eve@buyer.example"),
        "amount_minor": ("Amount in the smallest unit: 12.50 USD are 1250.", "124000"),
        "currency": ("Currency of the amount.", "EUR"),
        "stage": ("open, won, lost or archived. Empty: open.", "open"),
        "shares": ("Partners who share it, in basis points that come to 10000.",
                   "ann@partner.example:2500|bob-1:7500"),
        **_COMMON,
    },
}  # fmt: skip
