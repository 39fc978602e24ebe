"""The search over everything: what is found, for whom, and by which way."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, event, select, text

from rewards_service.accounts.user_models import User
from rewards_service.audit.subjects import public_id
from rewards_service.crm.models import Customer
from rewards_service.kit.db import transaction
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.chargebee import paid
from tests.builders.world import World

NOTHING = ("z", "%%", "\x00\x00", "\ud800x", "' OR 1=1", "@@", "x" * 999, "par_0", "_____")
# Tables of a handful of rows, of which an index would save nothing.
_SMALL = {"programs", "integrations", "property_definitions"}


def found(person: Visitor, wanted: str) -> dict[str, list[str]]:
    """Headline -> the names below it, on the page of the search."""
    page = person.get(f"/search?q={quote(wanted)}").text
    cards = re.findall(r'<section class="card"(.*?)</section>', page, re.S)
    return {
        re.findall(r"<h2[^>]*>(.*?)</h2>", card)[0]: re.findall(
            r'class="result-name">.*?<bdi>(.*?)</bdi>', card
        )
        for card in cards
    }


@pytest.fixture
def busy(world: World) -> World:
    """A lead of a partner has paid an invoice."""
    world.lead("ada@buyer.example", world.partner("Ann & Sons"))
    world.deal("other@buyer.example")
    world.receive(paid("7", "cb_7", "ada@buyer.example"))
    return world


class TestFind:
    def test_every_kind_is_found_by_its_own_names(
        self, busy: World, enter: Enter, engine: Engine
    ) -> None:
        owner = enter("owner")
        with transaction(engine) as session:
            transaction_id = session.scalars(select(Transaction.id)).one()
            reward_id = session.scalars(select(Reward.id)).one()
            payer = session.scalars(select(Customer)).one()
            somebody = session.scalars(select(User)).one().email
            ids: dict[str, Any] = {
                "Transactions": public_id("transaction", transaction_id),
                "Rewards": public_id("reward", reward_id),
                "Customers": public_id("customer", payer.id),
                "Programmes": public_id("program", busy.program),
                "Integrations": public_id("integration", busy.site.id),
            }
        for title, name in ids.items():
            answer = owner.get(f"/search?q={name}")
            # Straight to its page; a line of the results where there is none.
            assert (
                answer.location.endswith(name)
                if answer.location
                else (list(found(owner, name)) == [title])
            ), name

        assert set(found(owner, " Ada@BUYER.example ")) == {"Customers", "Leads"}
        assert set(found(owner, "other@buyer.example")) == {"Deals"}
        assert found(owner, "ann & s") == {"Partners": ["Ann &amp; Sons"]}
        assert found(owner, "partn")["Programmes"] == ["Partners"]
        assert set(found(owner, "txn_7")) == {"Transactions"}
        assert set(found(owner, "inv_7")) == {"Transactions", "Rewards"}
        assert set(found(owner, "ev_7")) == {"Events"}
        assert set(found(owner, "cb_7")) == {"Customers"}
        assert found(owner, somebody) == {"Users": [somebody]}
        assert found(owner, "audit l") == {"Pages": ["Audit log"]}

    def test_what_means_nothing_finds_nothing(self, busy: World, enter: Enter) -> None:
        owner = enter("owner")
        for wanted in NOTHING:
            answer = owner.get("/search?q=" + quote(wanted, errors="surrogatepass"))
            assert answer.status_code == 200, wanted
            assert "Nothing is called that." in answer.text, wanted

    def test_nobody_finds_what_is_not_for_them(self, busy: World, enter: Enter) -> None:
        owner, viewer = enter("owner"), enter("viewer")
        page = viewer.get("/search?q=owner").text
        somebody = re.findall(r"Signed in as <b>([^<]+)", owner.get("/account").text)[0]

        assert "Users" in found(owner, somebody)
        assert found(viewer, somebody) == {}
        assert found(viewer, "users") == {}
        assert somebody not in page


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestPlans:
    def test_every_look_up_can_go_by_an_index(
        self, busy: World, enter: Enter, engine: Engine
    ) -> None:
        owner, asked = enter("owner"), []
        owner.get("/search?q=warm")

        def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            asked.append((statement, values))

        event.listen(Engine, "before_cursor_execute", note)
        for wanted in ("ada@buyer.example", "ann", public_id("partner", 1)):
            owner.get(f"/search?q={wanted}")
        event.remove(Engine, "before_cursor_execute", note)
        scans: set[str] = set()
        with engine.connect() as connection:
            connection.execute(text("SET enable_seqscan = off"))
            for statement, values in asked:
                if not statement.startswith("SELECT"):
                    continue
                plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
                scans.update(re.findall(r"Seq Scan on (\w+)", "\n".join(plan)))

        assert len(asked) > 15
        assert scans <= _SMALL
        assert any("~>=~" in statement for statement, _ in asked)
