"""Who is measured beside whom: how each is set up, served, spoken to and counted afterwards."""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from sqlalchemy import create_engine, text

from bench import bodies, servers, world
from bench.bodies import Charges, Payments, Source
from bench.ground import Ground, socket_of
from bench.peers import install
from bench.peers.install import Missing, Peer
from rewards_service.kit.migrate import upgrade

HOOK = f"/webhooks/chargebee/{world.ENDPOINT}"
HEADERS = f"Authorization: Basic {world.BASIC}\r\n"
PAYERS = 10_000
PEERS = Path(__file__).parent / "peers"


class Subject(ABC):
    """One that takes payments over HTTP. `peer` is None for what needs no installation."""

    name: str
    label: str
    peer: Peer | None = None

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def make(self) -> None:  # noqa: B027 - the bare route has nothing to make
        """Its database and what it knows beforehand; once, before the first round."""

    @abstractmethod
    def command(self, port: int) -> list[str]: ...

    def environ(self) -> dict[str, str]:
        return {}

    @contextmanager
    def serve(self, port: int) -> Iterator[psutil.Process]:
        with servers.serving(self.command(port), port, self.environ(), PEERS.parent.parent) as it:
            yield it

    def source(self, mark: str) -> Source:
        return Payments(HOOK, HEADERS, mark, PAYERS)

    def recorded(self) -> int | None:
        """Distinct payments that its database holds; None where it keeps nothing."""
        return None

    def _count(self, url: str, rows: str) -> int:
        engine = create_engine(url)
        query = text(f"SELECT count(*) FROM {rows}")  # noqa: S608 - our own words
        with engine.connect() as connection:
            found = int(connection.execute(query).scalar_one())
        engine.dispose()
        return found


class Bare(Subject):
    name, label = "bare", "bare Flask route"

    def command(self, port: int) -> list[str]:
        return [*servers.gunicorn(port), "bench.bare:app"]


class Ours(Subject):
    name, label = "ours", "rewards_service, acknowledged webhook"

    def make(self) -> None:
        self.url = self.ground.make_database("ours")
        upgrade(self.url)
        engine = create_engine(self.url)
        _, _, partner_id = world.set_up(engine)
        world.add_leads(engine, partner_id, [bodies.payer_email(n) for n in range(PAYERS)])
        engine.dispose()
        servers.vacuum(self.url)

    def command(self, port: int) -> list[str]:
        return [*servers.gunicorn(port), "wsgi:app"]

    def environ(self) -> dict[str, str]:
        return self.ground.environ(self.url)

    def recorded(self) -> int:
        return self._count(self.url, "received_events")

    @contextmanager
    def work(self) -> Iterator[psutil.Process]:
        """A worker of ours."""
        command = [sys.executable, "-m", "rewards_service", "worker"]
        log = install.folder() / "worker.log"
        with servers.running(command, self.environ(), log=log) as process:
            yield process


class Afternoon(Subject):
    name, label = "afternoon", "afternoon baseline"

    def make(self) -> None:
        self.url = self.ground.make_database("afternoon")
        made = "from bench.peers import afternoon as a; a.Base.metadata.create_all(a.engine)"
        subprocess.run([sys.executable, "-c", made], env=_with(self.environ()), check=True)
        customers = (
            "INSERT INTO customers (chargebee_id, email, partner_id) SELECT 'cus_' || n, "
            "'payer' || n || '@company.example', 1 FROM generate_series(0, :last) n"
        )
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text(customers), {"last": PAYERS - 1})
        engine.dispose()
        servers.vacuum(self.url)

    def command(self, port: int) -> list[str]:
        return [*servers.gunicorn(port), "bench.peers.afternoon:app"]

    def environ(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url, "REDIS_URL": self.ground.redis_url}

    def recorded(self) -> int:
        same = "substr(e.event_id, 4) = substr(t.chargebee_id, 5)"
        return self._count(self.url, "events e JOIN transactions t ON " + same)

    @contextmanager
    def work(self) -> Iterator[psutil.Process]:
        """RQ's forking worker, preloaded."""
        command = [sys.executable, "-m", "bench.peers.afternoon_worker"]
        with servers.running(command, self.environ()) as process:
            yield process


class DjStripe(Subject):
    name, label = "dj_stripe", "dj-stripe"
    _PATH = f"/stripe/webhook/{'0' * 8}-0000-0000-0000-{'7'.zfill(12)}/"

    def __init__(self, ground: Ground, peer: Peer) -> None:
        super().__init__(ground)
        self.peer = peer
        self._python = str(install.python_of(peer.folder))

    def make(self) -> None:
        self.url = self.ground.make_database("dj_stripe")
        site = [self._python, str(PEERS / "djstripe_site.py")]
        subprocess.run(site, env=_with(self.environ()), check=True)
        servers.vacuum(self.url)

    def command(self, port: int) -> list[str]:
        place = ["--chdir", str(PEERS), "djstripe_site:application"]
        return [*servers.gunicorn(port, self._python), *place]

    def environ(self) -> dict[str, str]:
        more = {"PEER_SECRET": bodies.STRIPE_SECRET, "PEER_PAYERS": str(PAYERS)}
        return socket_of(self.url) | more

    def source(self, mark: str) -> Source:
        return Charges(self._PATH, mark, PAYERS)

    def recorded(self) -> int:
        same = "substr(e.id, 5) = substr(c.id, 4)"
        return self._count(self.url, "djstripe_event e JOIN djstripe_charge c ON " + same)


class SyncEngine(Subject):
    name, label = "sync_engine", "stripe-sync-engine"

    def __init__(self, ground: Ground, peer: Peer) -> None:
        super().__init__(ground)
        self.peer = peer

    def make(self) -> None:
        self.ground.say("CREATE ROLE postgres")  # its migrations name it
        self.url = self.ground.make_database("sync_engine")
        subprocess.run(self._node("migrate"), env=_with(self.environ()), check=True)
        servers.vacuum(self.url)

    def _node(self, wanted: str) -> list[str]:
        assert self.peer is not None
        return ["node", str(PEERS / "sync_engine.mjs"), str(self.peer.folder), wanted]

    def command(self, port: int) -> list[str]:
        return self._node(str(port))

    def environ(self) -> dict[str, str]:
        at = socket_of(self.url)
        url = f"postgres://{at['PEER_USER']}@/{at['PEER_DATABASE']}?host={quote(at['PEER_HOST'])}"
        return {"PEER_URL": url, "PEER_SECRET": bodies.STRIPE_SECRET, "NODE_ENV": "production"}

    def source(self, mark: str) -> Source:
        return Charges("/hook", mark, PAYERS)

    def recorded(self) -> int:
        return self._count(self.url, "stripe.charges")


def found(ground: Ground, with_peers: bool = True) -> tuple[list[Subject], dict[str, str]]:
    """All that can be measured here, in their order; and the names of the others, with reasons."""
    subjects: list[Subject] = [Bare(ground), Ours(ground), Afternoon(ground)]
    missing: dict[str, str] = {}
    for kind, get in ((DjStripe, install.dj_stripe), (SyncEngine, install.sync_engine)):
        peer = get() if with_peers else Missing("left out of this run")
        if isinstance(peer, Peer):
            subjects.append(kind(ground, peer))
        else:
            missing[kind.label] = peer.reason
    return subjects, missing


def _with(environ: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **environ}
