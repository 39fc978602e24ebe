"""The list of events and the inspector."""

import re
from html import unescape

from rewards_service.admin.inspect.wording import DISPUTES, OUTCOMES
from rewards_service.crm.conflicts import KINDS
from rewards_service.crm.models import Lead
from rewards_service.inbox.models import OUTCOMES as KNOWN
from rewards_service.kit import ids
from rewards_service.webhooks.resolving import LAWFUL
from tests.admin.conftest import Enter
from tests.admin.inspect import stories
from tests.admin.inspect.stories import Lived, path_of
from tests.admin.visitor import Visitor


def text_of(page: str) -> str:
    """What a page says, without its mark-up."""
    body = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def listed(page: str) -> set[str]:
    """Chargebee ids in a list."""
    return set(re.findall(r"<bdi>(ev_\w+)</bdi>", page))


SEARCHES: list[tuple[str, set[str]]] = [
    ("state=dead", {"ev_dead"}),
    ("outcome=parked_missing_parent", {"ev_park"}),
    ("event_type=feature_created", {"ev_ignored"}),
    ("received_at[gte]=2200-01-01", set()),
    ("received_at[lt]=2200-01-01T00:00:00Z&state=quarantined", {"ev_bad"}),
    ("q=ev_n", {"ev_n"}),
    ("q=EVE@two.example", {"ev_u"}),
    ("q=txn_p", {"ev_p", "ev_r"}),
    ("q=txn_r", {"ev_p", "ev_r"}),
    ("q=inv_p", {"ev_p", "ev_r"}),
    ("q=cb_3", {"ev_n"}),
    ("q=no%25", set()),
    ("q=a%00@b", set()),
]


WHY = [
    ("ev_bad", "Something that money depends on is missing"),
    ("ev_dead", "OperationalError: the connection of 10.0.0.1 <b>was lost</b>"),
    ("ev_ignored", "Events of this type have nothing to do with rewards"),
    ("ev_park", "a payment or invoice that has not arrived yet"),
    ("ev_wait", "A worker will handle it in a moment"),
    ("ev_n", "The payer has no e-mail address in Chargebee"),
]


class TestWords:
    def test_every_outcome_and_conflict_is_explained(self) -> None:
        assert set(OUTCOMES) == set(KNOWN)
        assert set(DISPUTES) == set(KINDS)
        assert all(set(LAWFUL[kind]) == set(DISPUTES[kind].decisions) for kind in LAWFUL)


class TestList:
    def test_each_says_what_became_of_it(self, owner: Visitor, lived: Lived) -> None:
        rows = re.findall(r"<tr data-row>(.*?)</tr>", owner.get("/events").text, re.DOTALL)
        shown = {next(iter(listed(row))): re.search(r"</svg>([\w ]+)</span>", row) for row in rows}
        words = {name: found and found.group(1) for name, found in shown.items()}

        assert words == {
            "ev_p": "processed", "ev_r": "processed", "ev_u": "no match", "ev_n": "no match",
            "ev_bad_28": "processed", "ev_bad_24": "no match", "ev_bidi": "no match",
            "ev_ignored": "ignored", "ev_park": "parked", "ev_bad": "set aside",
            "ev_dead": "failed", "ev_wait": "waiting",
        }  # fmt: skip

    def test_filters_and_search(self, owner: Visitor, lived: Lived) -> None:
        found = {query: listed(owner.get(f"/events?{query}").text) for query, _ in SEARCHES}

        assert found == dict(SEARCHES)

    def test_our_own_ids_lead_to_their_events(self, owner: Visitor, lived: Lived) -> None:
        payment = lived.transaction_of("txn_p")
        for name, key in (("txn", payment.id), ("cus", payment.customer_id)):
            page = owner.get(f"/events?q={ids.encode(name, key)}").text
            assert "ev_p" in listed(page)
        assert listed(owner.get(f"/events?q={path_of(lived, 'ev_u')[8:]}").text) == {"ev_u"}


class TestInspector:
    def test_it_tells_what_happened_with_the_times_that_are_kept(
        self, owner: Visitor, lived: Lived
    ) -> None:
        page = owner.get(path_of(lived, "ev_p")).text
        said = text_of(page)
        order = ["Happened in Chargebee", "Received by webhook", "Verified", "Told apart",
                 "Matched a lead", "Matched a deal", "Payer is a customer", "Transaction recorded",
                 "Ended: processed", "Reward computed", "Came again under the same id"]  # fmt: skip

        assert [said.find(words) for words in order] == sorted(said.find(one) for one in order)
        assert -1 not in [said.find(words) for words in order]
        steps = page.partition('id="steps"')[2].partition("</ol>")[0]
        # Six of the eleven have a time that is stored.
        assert len(re.findall("<time ", steps)) == 6
        assert re.search(r"\+ \d+(\.\d)? (ms|s)<", steps)
        assert "$20.00 for Ann" in said
        assert "occurred_at : 1767268800 → 1767300000" in said

    def test_it_says_why(self, owner: Visitor, lived: Lived) -> None:
        for name, words in WHY:
            assert words in text_of(owner.get(path_of(lived, name)).text), name

    def test_hostile_contents_are_shown_and_do_nothing(self, owner: Visitor, lived: Lived) -> None:
        html = owner.get(path_of(lived, "ev_bad_28")).text
        bidi = owner.get(path_of(lived, "ev_bidi")).text
        homoglyph = owner.get(path_of(lived, "ev_bad_24", "/attach")).text

        assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>" in html
        assert "<script>alert" not in html
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", bidi)
        assert "Acme U+202E gnp.exe" in text_of(bidi)
        assert stories.CARD not in bidi
        assert "411111" not in bidi
        assert "************1111" in bidi
        assert stories.LONG not in bidi
        assert "4,700 more letters not shown here" in bidi
        assert "50 more not shown here" in bidi
        assert "cyrillic small letter a" in homoglyph

    def test_no_secret_stands_in_the_command(self, owner: Visitor, lived: Lived) -> None:
        path = path_of(lived, "ev_p")
        command = text_of(owner.get(path).text).partition("curl")[2].partition(" Copy")[0]

        assert command.split() == [
            "-H", '"Authorization:', "Bearer", '$REWARDS_API_KEY"',
            f"https://rewards.example.com/api/v1{path}",
        ]  # fmt: skip

    def test_what_is_not_ones_to_do_is_not_drawn(self, enter: Enter, lived: Lived) -> None:
        page = enter("viewer").get(path_of(lived, "ev_u")).text

        assert "/replay" not in page
        assert "/attach" not in page

    def test_what_was_given_by_hand_is_told_as_such_and_in_order(
        self, owner: Visitor, lived: Lived
    ) -> None:
        path = path_of(lived, "ev_u")
        lead = next(row.id for row in lived.all(Lead) if row.email == "eve@two.exmaple")
        wanted = {"chosen": ids.encode("led", lead), "reason": "mistyped"}
        seen = owner.post(f"{path}/attach", **wanted).text
        mark = re.findall(r'name="seen" value="([^"]+)"', seen)[0]
        owner.post(f"{path}/attach", **wanted, seen=mark)
        said = text_of(owner.get(path).text)
        order = ["Received by webhook", "Handled The rest came later", "Event: attached",
                 "Went to a lead", "Transaction recorded", "Ended: processed"]  # fmt: skip

        assert -1 not in [said.find(words) for words in order]
        assert [said.find(words) for words in order] == sorted(said.find(one) for one in order)
        assert "by its e-mail address" not in said
