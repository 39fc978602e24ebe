"""What the pages of the first run show and do."""

import re

from flask import Flask
from redis import Redis
from sqlalchemy import Engine, select

from rewards_service.accounts.service import create_key
from rewards_service.accounts.user_models import User
from rewards_service.audit.service import record
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.partners.service import create_partner
from rewards_service.settings import Settings
from tests.admin.conftest import Enter
from tests.admin.visitor import PASSWORD, Visitor
from tests.builders.whole import violations
from tests.builders.world import World


def figure(page: str, title: str) -> str:
    """What stands in one card of the overview, as text."""
    found = re.search(rf'aria-label="{title}">(.*?)</section>', page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split())


class TestOverview:
    def test_its_figures_are_those_of_the_books(
        self, owner: Visitor, world: World, redis_connection: Redis
    ) -> None:
        redis_connection.flushall()  # workers of other tests are remembered for half a minute
        assert "All is well" not in owner.get("/").text  # no worker runs here, and it says so
        assert figure(owner.get("/").text, "To review").startswith("To review 0 nothing")
        owner.post("/setup/sample")
        world.drain()
        page = owner.get("/", **{"Accept-Language": "en"}).text

        assert "A sample company is loaded" in page
        assert re.search(r"To review 3 \$[\d,]+\.\d\d", figure(page, "To review"))
        assert figure(page, "Approved").startswith("Approved 0 nothing")

    def test_money_is_written_as_the_reader_writes_it(self, owner: Visitor, world: World) -> None:
        owner.post("/setup/sample")
        world.drain()
        for tag in ("de-DE@euro", "root"):  # no scripts know these
            assert 'data-locale="en"' in owner.get("/", **{"Accept-Language": tag}).text
        german = owner.get("/", **{"Accept-Language": "de-DE,de;q=0.9"}).text

        assert re.search(r"To review 3 [\d.]+,\d\d\s\$", figure(german, "To review"))

    def test_a_viewer_sees_it_and_nothing_to_change(self, enter: Enter) -> None:
        page = enter("viewer").get("/").text

        assert "An owner does this" in page
        assert 'href="/setup"' not in page
        assert 'href="/users"' not in page


class TestSetup:
    def test_it_shows_the_credentials_once_and_ends_with_a_green_event(
        self, owner: Visitor, world: World, engine: Engine
    ) -> None:
        options = {"convert_lead": "y", "associate_deal": "y", "create_transaction": "y"}
        made = owner.post("/setup", site="other-test.chargebee.com", **options)
        password = re.search(r'id="webhook-password" value="([^"]+)"', made.text)
        assert made.status_code == 201
        assert password is not None
        assert password.group(1) not in owner.get("/setup").text
        with transaction(engine) as session:
            site = session.scalars(
                select(Integration).where(Integration.site == "other-test")
            ).one()
        sent = owner.post(_form(owner.get("/setup").text, "other-test"))
        waiting = owner.get(sent.headers["Location"]).text
        world.drain()
        after = owner.get(sent.headers["Location"]).text

        assert "It came through" in owner.get("/setup").text  # known without the address, too
        assert (site.convert_lead, site.create_transaction) == (True, True)
        assert "On its way" in waiting
        assert "hx-get" in waiting
        assert "It came through" in after
        assert "hx-get" not in after

    def test_what_the_service_refuses_stands_at_its_field(self, owner: Visitor) -> None:
        alone = owner.post("/setup", site="other-test", create_transaction="y")
        bad = owner.post("/setup", site="acme.evil.example/x?")

        assert (alone.status_code, bad.status_code) == (422, 422)
        assert re.search(
            r'id="create_transaction-error"[^>]*>.*Options?|only convert_lead', alone.text
        )
        assert 'id="site-error"' in bad.text

    def test_the_sample_is_put_away_and_nothing_of_it_waits_but_what_was_booked_stays(
        self, owner: Visitor, world: World
    ) -> None:
        owner.post("/setup/sample")
        world.drain()
        answer = owner.post("/setup/sample/remove")

        assert answer.status_code == 302
        page = owner.get("/").text
        assert "A sample company is loaded" not in page
        assert figure(page, "To review").startswith("To review 0")
        assert owner.get("/rewards?status=declined").text.count("<tr data-row>") == 3
        assert violations(world.engine) == {}
        owner.post("/setup/sample")
        world.drain()
        assert figure(owner.get("/").text, "To review").startswith("To review 3")


class TestAudit:
    def test_it_pages_by_key_and_keeps_its_filters_in_the_address(
        self, owner: Visitor, engine: Engine
    ) -> None:
        with transaction(engine) as session:
            for number in range(120):
                record(session, "lead.changed", ("lead", number + 1), {}, "key:1", f"No. {number}")
        first = owner.get("/audit?subject_kind=lead&action=lead.changed")
        following = re.search(r'href="([^"]+)" rel="next"', first.text)
        assert following is not None
        second = owner.get(following.group(1).replace("&amp;", "&"))
        shown = [re.findall(r"No\. (\d+)", page.text) for page in (first, second)]

        assert shown[0] == [str(number) for number in range(119, 69, -1)]
        assert shown[1] == [str(number) for number in range(69, 19, -1)]
        assert 'value="lead" selected' in second.text
        assert "API key key_" in first.text
        assert "Nothing fits these filters" in owner.get("/audit?action=nothing").text

    def test_people_stand_there_by_their_address(self, owner: Visitor) -> None:
        owner.post("/users", email="mia@manager.example.com", role="manager")
        page = owner.get("/audit?subject_kind=user").text

        assert "user: created" in page
        assert re.search(r"owner-\w+@people\.example\.com</td>", page)
        assert "<bdi>mia@manager.example.com</bdi>" in page

    def test_keys_and_things_stand_there_by_their_names_for_those_who_may_see_them(
        self, enter: Enter, engine: Engine, settings: Settings
    ) -> None:
        owner, finance = enter("owner"), enter("finance")
        with transaction(engine) as session:
            key, _ = create_key(
                session, "Nightly import", ["crm:write"], secret_key=settings.secret_key
            )
            wanted = {"name": "Ann & Co", "email": "ann@a.example", "status": "active"}
            partner = create_partner(session, wanted, f"key:{key.id}")
            record(session, "api_key.renamed", ("api_key", key.id), {}, "cli")
        made = f"/audit?actor={ids.encode('key', key.id)}&subject_kind=partner"
        page = owner.get(made).text

        assert "API key Nightly import</td>" in page
        assert f'/partners/{ids.encode("par", partner.id)}"><bdi>Ann &amp; Co</bdi></a>' in page
        assert "<bdi>Nightly import</bdi>" in owner.get("/audit?subject_kind=api_key").text
        assert "<bdi>Nightly import</bdi>" not in finance.get("/audit?subject_kind=api_key").text

    def test_somebody_is_found_by_their_address_and_machines_by_what_they_are_called(
        self, owner: Visitor
    ) -> None:
        owner.post("/users", email="mia@manager.example.com", role="manager")
        page = owner.get("/audit?actor=the+command+line").text
        (own,) = set(re.findall(r"owner-\w+@people\.example\.com", page))

        assert "user: created" in owner.get(f"/audit?actor={own}").text
        assert "Nothing fits these filters" in owner.get("/audit?actor=who@nobody.example").text


class TestUsers:
    def test_an_invitation_lets_somebody_in_with_their_role_only(
        self, app: Flask, settings: Settings, owner: Visitor
    ) -> None:
        page = owner.post("/users", email="mia@manager.example.com", role="manager").text
        link = re.search(r'id="link" value="([^"]+)"', page)
        assert link is not None
        mia = Visitor(app, settings)
        path = link.group(1).removeprefix(settings.base_url)
        assert mia.post(path, password=PASSWORD, again=PASSWORD).status_code == 302
        mia.sign_in("mia@manager.example.com")

        assert mia.get("/").status_code == 200
        assert mia.get("/users").status_code == 403
        assert link.group(1) not in owner.get("/users").text

    def test_the_last_owner_stays(self, owner: Visitor, engine: Engine) -> None:
        path = _form(owner.get("/users").text, "", r"/users/usr_\w+(?=\")")
        owner.post(path, role="viewer")
        page = owner.get("/users").text

        assert "only owner" in page
        with transaction(engine) as session:
            assert session.scalars(select(User.role)).all() == ["owner"]

    def test_a_new_role_counts_at_once_and_signs_them_out(
        self, enter: Enter, owner: Visitor
    ) -> None:
        other = enter("manager")
        paths = re.findall(r'action="(/users/usr_\w+)"', owner.get("/users").text)
        owner.post(paths[-1], role="viewer")

        assert not other.is_signed_in()
        owner.get("/users")
        for same in ({"role": "viewer"}, {"active": "yes"}, {}):
            owner.post(paths[-1], **same)
            page = owner.get("/users").text
            assert "That is how it was already: nothing was changed." in page
            assert 'class="undo"' not in page

    def test_names_from_outside_are_text_and_nothing_else(self, owner: Visitor) -> None:
        bad = owner.post("/users", email='"><script>alert(1)</script>@x.example', role="viewer")

        assert bad.status_code == 422
        assert "<script>alert" not in bad.text


class TestTheme:
    def test_it_is_drawn_as_chosen_from_the_first_byte(self, visitor: Visitor) -> None:
        assert "data-bs-theme" not in visitor.get("/login").text
        answer = visitor.post("/theme", theme="dark", next="/login")

        assert answer.headers["Location"] == "/login"
        assert 'data-bs-theme="dark"' in visitor.get("/login").text
        away = visitor.post("/theme", theme="dark", next="//evil.example")
        assert away.headers["Location"] == "/"


def _form(page: str, text: str, pattern: str = r"/setup/int_\w+/test") -> str:
    """The address of the form that a button with this text is in."""
    found = re.search(rf'action="({pattern})"', page)
    assert found is not None, (text, page[:300])
    return found.group(1)
