"""Files of leads and deals as nobody would write them."""

from hypothesis import strategies as st

HEADS = ["email", "company", "partner_id", "external_id", "registered_at", "name", "amount_minor",
         "currency", "contact_email", "shares", "stage", "first_name", "", "email"]  # fmt: skip
FIELDS = [*HEADS, "step", "role", "ids", "reason", "site"]
_CELLS = st.text(max_size=12) | st.sampled_from(
    ["a@b.example", "=cmd()", "par_0", "1", "-1", "9" * 30, "USD", "2026-01-01", '"', "\x00", "é"]
)
_GOOD = [b"email\na@b.example\n", b"name,contact_email\nOne,c@d.example\n",
         b"email;external_id\ne@f.example;x-1\n"]  # fmt: skip
FILES = (
    st.sampled_from(_GOOD)
    | st.binary(max_size=200)
    | st.builds(
        lambda head, rows, separator: "\n".join(
            separator.join(row) for row in [head, *rows]
        ).encode("utf-8", "surrogatepass"),
        st.lists(st.sampled_from(HEADS), max_size=6),
        st.lists(st.lists(_CELLS, max_size=6), max_size=4),
        st.sampled_from([",", ";", "\t", "|"]),
    )
)
