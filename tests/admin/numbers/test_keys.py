"""API keys as pages."""

import re

from flask.testing import FlaskClient

from rewards_service.accounts.service import SCOPES
from rewards_service.admin.numbers.scopes import EXPLAINED
from rewards_service.kit import ids
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.world import World


def made(page: str) -> str:
    found = re.search(r'id="key" value="(rk_[^"]+)"', page)
    assert found is not None, page[:500]
    return found.group(1)


class TestKeys:
    def test_a_key_is_shown_once_and_opens_what_was_chosen(
        self, owner: Visitor, client: FlaskClient
    ) -> None:
        answer = owner.post("/keys/new", name="<b>BI</b>", scopes=["rewards:read", "crm:read"])
        text = made(answer.text)
        place = re.search(r'href="(/keys/key_\w+)"', answer.text)
        assert place is not None
        pages = [owner.get("/keys").text, owner.get(place.group(1)).text]
        head = {"Authorization": f"Bearer {text}"}

        assert answer.status_code == 201
        assert client.get("/api/v1/rewards", headers=head).status_code == 200
        assert client.get("/api/v1/payouts", headers=head).status_code == 403
        assert all(text not in page and "&lt;b&gt;BI" in page for page in pages)
        assert "approve" not in pages[1].lower().split("what it may do")[1].split("</dl>")[0]

    def test_revoking_ends_it_at_once(self, owner: Visitor, client: FlaskClient) -> None:
        answer = owner.post("/keys/new", name="BI", scopes=["rewards:read"])
        place = re.search(r'href="(/keys/key_\w+)"', answer.text)
        assert place is not None
        owner.post(place.group(1), name="Other")
        assert "Yes, revoke it" in owner.get(place.group(1)).text
        owner.post(f"{place.group(1)}/revoke")
        page = owner.get(place.group(1)).text

        head = {"Authorization": f"Bearer {made(answer.text)}"}
        assert client.get("/api/v1/rewards", headers=head).status_code == 401
        assert "Yes, revoke it" not in page
        assert "revoked" in page
        assert "Other" in page

    def test_what_is_refused_stands_at_its_field_with_what_was_entered(
        self, owner: Visitor, world: World
    ) -> None:
        partner = ids.encode("par", world.partner())
        page = owner.post(
            "/keys/new", name="Portal", scopes=["rewards:write"], partner_id=partner,
            expires_at="2020-01-01",
        )  # fmt: skip
        bound = owner.post("/keys/new", name="Portal", scopes=["rewards:read"], partner_id=partner)

        assert page.status_code == 422
        assert 'id="expires_at-error"' in page.text
        assert f'value="{partner}"' in page.text
        assert re.search(r'value="rewards:write"[^>]* checked', page.text)
        assert bound.status_code == 201
        assert "Portal" in owner.get(f"/keys?partner_id={partner}").text
        assert "Nothing fits" in owner.get("/keys?partner_id=par_nonsense").text
        barred = owner.post("/keys/new", name="P", scopes=["rewards:write"], partner_id=partner)
        assert "Not for a key of a partner" in barred.text

    def test_every_scope_is_explained(self) -> None:
        assert set(EXPLAINED) == set(SCOPES)

    def test_only_owners_see_them(self, enter: Enter) -> None:
        assert [enter(role).get("/keys").status_code for role in ("manager", "finance")] == [
            403
        ] * 2
