"""What an installation came to, and what the same business comes to where nothing ever fails."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from rewards_service.app import create_app
from rewards_service.crm.service import create_lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import READ_ONLY, transaction
from rewards_service.kit.migrate import upgrade
from rewards_service.rewards import jobs as rewards
from rewards_service.rewards.models import LedgerEntry
from rewards_service.samples.company import make_company
from rewards_service.transactions.models import RewardDue
from rewards_service.webhooks import jobs
from tests.builders.chargebee import Json, at
from tests.builders.whole import Read, read, settings_for, violations
from tests.operations.business import LEADS
from tests.operations.traffic import basic


def drain(engine: Engine) -> None:
    while jobs.drain(engine) + rewards.drain(engine):
        pass


def waiting(engine: Engine) -> int:
    """Events and invoices that are not done yet."""
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        pending = select(func.count()).where(ReceivedEvent.state == "pending")
        due = select(func.count()).select_from(RewardDue)
        return int(session.execute(pending).scalar_one() + session.execute(due).scalar_one())


def held(engine: Engine) -> set[str]:
    """Ids of the events that are kept."""
    with Session(engine) as session:
        return set(session.scalars(select(ReceivedEvent.event_id)))


def undisturbed(folder: Path, happened: Iterable[Json]) -> Read:
    """The digest, by section, of the same people and events on an SQLite of its own."""
    url = f"sqlite:///{folder / 'undisturbed.db'}"
    upgrade(url)
    settings = settings_for(url)
    app, engine = create_app(settings), create_engine(url)
    with transaction(engine) as session:
        made = make_company(session, settings, "proof")
        path = f"/webhooks/chargebee/{made.integration.endpoint_key}"
        login = {"Authorization": basic(*made.credentials)}
        for number in range(LEADS):
            email, registered_at = f"p{number}@one.example", at(-365)
            row = {"email": email, "partner_id": made.partner.id, "status": "accepted"}
            create_lead(session, {**row, "registered_at": registered_at}, "proof")
    client = app.test_client()
    for event in happened:
        assert client.post(path, json=event, headers=login).status_code == 200
    app.extensions["rewards_webhooks"].close()
    drain(engine)
    with Session(engine) as session:
        assert session.execute(select(func.count(LedgerEntry.id))).scalar_one() > 0
    found = read(engine)
    engine.dispose()
    return found


def assert_as_undisturbed(engine: Engine, folder: Path, happened: list[Json]) -> None:
    """Every event is kept once and done, no invariant is broken, and the books are those of a run
    in which nothing failed."""
    assert held(engine) == {event["id"] for event in happened}
    with Session(engine) as session:
        states = select(ReceivedEvent.state).distinct()
        assert set(session.scalars(states)) == {"done"}
    assert violations(engine) == {}
    assert read(engine) == undisturbed(folder, happened)
