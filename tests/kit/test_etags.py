"""Changes that meet, and representations that change by themselves."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from rewards_service.kit.db import db, transaction
from rewards_service.partners.models import Partner
from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.webhooks.deciding import public


class TestCheck:
    def test_of_changes_that_know_the_same_state_one_wins(self, app: Flask, api: Caller) -> None:
        made = api.call("POST", "/partners", json={"name": "Ann", "email": "ann@p.example"})
        path, tag = made.headers["Location"], made.headers["ETag"]
        headers = {"Authorization": f"Bearer {api.key}", "If-Match": tag}

        def rename(number: int) -> int:
            client = app.test_client()
            return client.patch(path, json={"name": f"N{number}"}, headers=headers).status_code

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(rename, range(6)))

        assert sorted(answers) == [200] + [412] * 5
        winner = answers.index(200)
        assert api.client.get(path, headers=headers).get_json()["name"] == f"N{winner}"

    def test_figures_of_health_do_not_stand_in_the_way_of_a_change(
        self, world: World, api: Caller
    ) -> None:
        path = f"/integrations/{public('int', world.site.id)}"
        before = api.call("GET", path).headers["ETag"]
        world.receive(paid("p", "cb_1", "ada@one.example"))

        now = api.call("GET", path, headers={"If-None-Match": before})
        assert now.status_code == 200  # what a reader has is out of date
        assert now.headers["ETag"] != before
        changed = api.call("PATCH", path, json={"name": "New"}, headers={"If-Match": before})
        assert changed.status_code == 200
        late = api.call("PATCH", path, json={"name": "Newer"}, headers={"If-Match": before})
        assert late.status_code == 412

    def test_the_warnings_of_a_site_are_no_change_of_it(self, world: World, api: Caller) -> None:
        path = f"/integrations/{public('int', world.site.id)}"
        before = api.call("GET", path).headers["ETag"]
        world.receive({**paid("p", "cb_1", "ada@one.example"), "api_version": "v1"})

        assert api.get(path)["warnings"] != []
        changed = api.call("PATCH", path, json={"name": "New"}, headers={"If-Match": before})
        assert changed.status_code == 200

    def test_a_change_that_was_refused_leaves_the_tag(self, api: Caller) -> None:
        made = api.call("POST", "/partners", json={"name": "Ann", "email": "ann@p.example"})
        path, tag = made.headers["Location"].removeprefix("/api/v1"), made.headers["ETag"]
        wrong = api.call("PATCH", path, json={"status": "odd"}, headers={"If-Match": tag})

        assert wrong.status_code == 422
        assert api.call("GET", path).headers["ETag"] == tag

    def test_a_tag_made_weak_by_a_proxy_is_as_good(self, api: Caller) -> None:
        made = api.call("POST", "/programs", json={"name": "P"})
        path, tag = made.headers["Location"].removeprefix("/api/v1"), made.headers["ETag"]
        answer = api.call("PATCH", path, json={"name": "Q"}, headers={"If-Match": f"W/{tag}"})

        assert answer.status_code == 200

    def test_what_is_read_for_the_comparison_is_read_again_for_the_change(
        self, app: Flask, api: Caller
    ) -> None:
        """The view must meet the row as its own lock finds it, not as it was compared."""
        made = api.call("POST", "/partners", json={"name": "Ann", "email": "ann@p.example"})
        path, tag = made.headers["Location"], made.headers["ETag"]
        with app.app_context(), transaction(db.engine) as session:
            session.query(Partner).update({Partner.external_id: "by the back door"})
        headers = {"Authorization": f"Bearer {api.key}", "If-Match": tag}

        assert app.test_client().patch(path, json={"name": "B"}, headers=headers).status_code == 412


class TestTagChange:
    def test_a_rehearsal_names_the_state_that_stays(self, world: World, api: Caller) -> None:
        partner, other = world.partner("Ann"), world.partner("Bob")
        world.lead("ada@one.example", partner)
        world.receive(paid("p", "cb_1", "ada@one.example"))
        path = f"/customers/{public('cus', world.customer_of('cb_1').id)}"
        tag = api.call("GET", path).headers["ETag"]
        body = {
            "source_partner_id": public("par", other), "reason": "theirs", "retroactive": True,
            "dry_run": True,
        }  # fmt: skip
        tried = api.call("PATCH", path, json=body, headers={"If-Match": tag})

        assert tried.get_json()["reward_changes"] != []
        assert tried.headers["ETag"] == tag
