"""The service on several hosts, whose cables are pulled and whose power goes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from rewards_service.kit.connecting import connect_args
from tests.operations.books import assert_as_undisturbed, waiting
from tests.operations.business import events
from tests.operations.cluster import DATA, ONE, TWO, Cluster, answered
from tests.operations.hosts import Hosts, why_not
from tests.postgres_server import UNAVAILABLE, PostgresServer, start_server

NOT_HERE = why_not()
pytestmark = pytest.mark.skipif(NOT_HERE is not None, reason=NOT_HERE or "")
LIMIT_S = 10.0
CONNECT = """
import json, sys, psycopg
arguments = json.loads(sys.argv[1])
with psycopg.connect(host=sys.argv[2], user="rewards", dbname="postgres", **arguments) as one:
    one.execute("CREATE TABLE t (id int)"); one.commit()
    one.execute("INSERT INTO t VALUES (1)"); one.commit()
    one.execute("SELECT * FROM t FOR UPDATE")
    print("locked", flush=True)
    sys.stdin.readline()
    one.execute("SELECT 1")
"""


def seconds_until(condition: Callable[[], object], limit: float = 30.0) -> float:
    """How long it takes until something holds."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > limit:
            return limit
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with Hosts(("client", "server")) as hosts:
        yield hosts


@pytest.fixture
def server(hosts: Hosts) -> Iterator[PostgresServer]:
    server = start_server(host=hosts.host("server"))
    if server is None:
        pytest.skip(UNAVAILABLE)
    yield server
    server.stop()


class TestCutOff:
    def test_either_side_finds_out_within_ten_seconds_and_locks_end(
        self, hosts: Hosts, server: PostgresServer
    ) -> None:
        """A worker is cut off in mid-transaction: the row is free again, the worker is told."""
        address = hosts.addresses["server"]
        arguments = json.dumps(connect_args(f"postgresql+psycopg://{address}/postgres"))
        client = subprocess.Popen(
            [*hosts.within("client"), sys.executable, "-c", CONNECT, arguments, address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == "locked\n", client.communicate()
        hosts.cut("client")
        begun = time.monotonic()
        client.stdin.write("\n")
        client.stdin.flush()
        onlooker = f"host={server.folder} user=rewards dbname=postgres"
        with psycopg.connect(onlooker, options="-c lock_timeout=20000") as other:
            other.execute("SELECT * FROM t FOR UPDATE")
        free_after = time.monotonic() - begun
        _, told = client.communicate(timeout=30)
        told_after = time.monotonic() - begun

        assert free_after < LIMIT_S
        assert told_after < LIMIT_S
        assert "OperationalError" in told


class Figures(NamedTuple):
    """Seconds that things took, for the page on operations."""

    cut_free: float  # until nothing of a worker that was cut off holds anything
    lost_free: float  # the same of one that lost its power
    slowest_refusal: float  # the longest that Chargebee waited for an answer other than 200
    slowest_ack: float
    drained: float  # from the end of the load until nothing waited


def prove(folder: Path, number: int, per_second: float, away_s: float) -> Figures:
    """Faults one after the other while events come in; at the end the books of a run without."""
    with Cluster(folder) as cluster:
        caller = cluster.call(number, per_second)
        cluster.cut_at_work(TWO)
        cut_free = seconds_until(lambda: cluster.at_work(TWO) == 0)
        time.sleep(max(0.0, away_s - cut_free))
        cluster.hosts.heal(TWO)
        assert seconds_until(lambda: cluster.sessions(TWO), 20) < 20
        cluster.hosts.cut(DATA)
        time.sleep(away_s)
        cluster.hosts.heal(DATA)
        cluster.lose_at_work(ONE)
        lost_free = seconds_until(lambda: cluster.at_work(ONE) == 0)
        log = answered(caller, number / per_second + 240)
        drained = seconds_until(lambda: waiting(cluster.engine) == 0, 90)
        assert_as_undisturbed(cluster.engine, folder, events(number))
    assert len(log["acked"]) == number
    refusals = [took for answer, took in log["slowest"].items() if answer != "200"]
    return Figures(
        cut_free, lost_free, max(refusals, default=0.0), max(log["acked"].values()), drained
    )


class TestHosts:
    @pytest.mark.slow
    def test_nothing_is_lost_and_no_lock_stays(self, tmp_path: Path) -> None:
        """`make hosts-proof`: web on one host, workers on two, databases on a fourth."""
        found = prove(tmp_path, 2_000, 20, 30)
        print(", ".join(f"{name} {value:.1f} s" for name, value in found._asdict().items()))

        assert found.cut_free < LIMIT_S
        assert found.lost_free < LIMIT_S
        assert found.slowest_refusal < LIMIT_S
        assert found.drained < 60
