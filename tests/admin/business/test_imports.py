"""Files: what they would do is shown first; what is confirmed is what was shown."""

import re
from io import BytesIO
from secrets import token_urlsafe

from rewards_service.admin.layout import PLACE
from rewards_service.crm.models import Deal, Lead
from tests.admin.business.test_changes import field
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.world import World

GOOD = b"email,company,external_id\nA@one.example,One,crm-1\nb@two.example,,crm-2\n"


def send(person: Visitor, path: str, body: bytes) -> str:
    answer = person.post(path, file=(BytesIO(body), "leads.csv"))
    return re.sub(r"\s+", " ", answer.text)


class TestImport:
    def test_a_form_without_the_file_itself_is_asked_for_it(self, owner: Visitor) -> None:
        for path in ("/leads/import", "/deals/import"):
            answer = owner.post(path, file="leads.csv")  # only its name: no multipart/form-data

            assert answer.status_code == 422
            assert "Choose a file." in answer.text

    def test_it_shows_makes_and_finds_everything_as_it_is(self, enter: Enter, world: World) -> None:
        manager = enter("manager")
        shown = send(manager, "/leads/import", GOOD)
        assert "would be registered</span><b>2</b>" in shown
        assert "A@one.example" in shown
        assert world.all(Lead) == []
        done = manager.post("/leads/import", sealed=field(shown, "sealed"))
        assert done.headers["Location"] == "/leads"
        assert "Imported 2 rows: 2 registered" in manager.get("/leads").text
        assert sorted(lead.email for lead in world.all(Lead)) == ["A@one.example", "b@two.example"]

        late = manager.post("/leads/import", sealed=field(shown, "sealed"))
        assert late.status_code == 422
        assert "the file would do something else than was shown" in late.text
        assert "say what is there already</span><b>2</b>" in re.sub(r"\s+", " ", late.text)

    def test_amounts_are_shown_as_what_they_would_be(self, enter: Enter, world: World) -> None:
        manager = enter("manager")
        rows = b"Desk,1240,USD\nSeat,1240,JPY\nRug,1240,KWD\nLamp,,\n"
        page = send(manager, "/deals/import", b"name,amount_minor,currency\n" + rows)
        shown = re.findall(r'data-label="Amount">([^<]*)</td>', page)

        assert [one.replace("\xa0", "") for one in shown] == ["$12.40", "¥1,240", "KWD1.240", "-"]
        for wrong in ("12.40", "1,240", "1e3", "１２"):
            body = f'name,amount_minor,currency\nDesk,"{wrong}",USD\n'.encode()
            assert "Not a whole number of minor units" in send(manager, "/deals/import", body)
        assert "Amount" not in send(manager, "/leads/import", GOOD)

    def test_flaws_are_told_by_line_and_column(self, enter: Enter, world: World) -> None:
        manager = enter("manager")
        body = b"email,partner_id\nc@three.example,nobody\n=cmd,\n"
        page = re.sub(r"<[^>]+>", " ", send(manager, "/leads/import", body))
        page = re.sub(r"\s+", " ", page)

        assert "2 partner_id There is no such partner." in page
        assert "3 email Begins like a formula" in page
        assert "Nothing was imported" in page
        assert "Choose a file." in manager.post("/deals/import").text
        assert world.all(Lead) == []

    def test_what_was_not_shown_to_this_person_is_not_taken(
        self, enter: Enter, world: World
    ) -> None:
        manager, other = enter("manager"), enter("manager")
        sealed = field(send(manager, "/leads/import", GOOD), "sealed")
        taken = [
            other.post("/leads/import", sealed=sealed),
            manager.post("/deals/import", sealed=sealed),
            manager.post("/leads/import", sealed="A" + sealed[1:]),
            manager.post("/leads/import", sealed="no base64"),
        ]

        assert [answer.status_code for answer in taken] == [400] * 4
        assert world.all(Lead) == []

    def test_large_files_come_through_and_too_large_ones_are_refused(
        self, enter: Enter, world: World
    ) -> None:
        manager = enter("manager")
        rows = [f"n{number}@many.example,x{token_urlsafe(140)}" for number in range(4_000)]
        shown = send(manager, "/leads/import", "\n".join(["email,company", *rows]).encode())
        sealed = field(shown, "sealed")
        manager.post("/leads/import", sealed=sealed)

        assert len(sealed) > 500_000  # what forms may have elsewhere
        assert len(world.all(Lead)) == 4_000
        huge = send(manager, "/leads/import", b"x" * (5 * 1024 * 1024 + 1))
        assert "larger than 5 MiB" in huge

    def test_the_samples_are_files_that_can_be_imported(self, owner: Visitor, world: World) -> None:
        for kind, model in (("leads", Lead), ("deals", Deal)):
            body = (PLACE / f"static/own/samples/{kind}.csv").read_bytes()
            shown = send(owner, f"/{kind}/import", body)
            owner.post(f"/{kind}/import", sealed=field(shown, "sealed"))
            assert len(world.all(model)) == 2
