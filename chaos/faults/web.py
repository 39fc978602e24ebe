"""Faults of the web processes: killed, reloaded, out of file descriptors, besieged."""

import resource
import signal
import socket
import time
from http.client import HTTPConnection
from itertools import pairwise

import psutil

from chaos.answers import Answer, figures, percentile
from chaos.lab import Figures, Lab
from chaos.storm import kill_web_worker
from chaos.stream import email_of, poison
from chaos.tour import named_points, tour
from rewards_service.crm.models import Customer
from rewards_service.integrations import service as integrations
from rewards_service.kit.db import transaction
from tests.builders.chargebee import paid

RATE = 50.0


def size(lab: Lab, events: int) -> int:
    return max(int(events * lab.scale), 20)


def longest_silence(answers: list[Answer]) -> float:
    """The longest time between two answers of 200, seconds."""
    times = sorted(answer.at for answer in answers if answer.status == 200)
    return max((after - before for before, after in pairwise(times)), default=0)


def kill_workers(lab: Lab) -> Figures:
    load = lab.load("f1", size(lab, 400), RATE)
    kills = 0
    for _ in lab.while_running(load, 0.2, 1.0):
        kill_web_worker(lab.stack, lab.chance)
        kills += 1
    return {"kills": kills, **figures(lab.finish(load))}


def kill_master(lab: Lab) -> Figures:
    load = lab.load("f2", size(lab, 300), RATE)
    lab.stack.rest(1.5)
    lab.stack.web.kill()
    killed = time.monotonic()
    lab.stack.tend()  # orphans might answer for a moment
    assert lab.stack.wait_for(lab.stack.web_answers, 120), "The web process did not come back."
    back = time.monotonic() - killed
    return {"back_s": back, **figures(lab.finish(load))}


def reload(lab: Lab) -> Figures:
    """A rolling restart: gunicorn lets each worker finish and puts a new one in its place."""
    load = lab.load("f3", size(lab, 600), RATE)
    lab.stack.rest(2.0)
    lab.stack.web.kill(signal.SIGHUP)
    found = figures(lab.finish(load))
    refused = {status for status in found["tries"] if status not in ("0", "200", "400", "415")}
    assert not refused, f"A reload answered {refused}."
    return found


def crash_points(lab: Lab) -> Figures:
    return tour(lab, named_points("web."), 1, "f4")


def hundredfold(lab: Lab) -> Figures:
    answers = lab.send("f24", 10, 1_000.0, hundredfold=True)
    not_taken = [answer for answer in answers if answer.status != 200]
    assert not not_taken, f"{len(not_taken)} of {len(answers)} were not answered 200."
    return figures(answers)


def same_payer_at_once(lab: Lab) -> Figures:
    """Two payments of somebody new, at the same moment: one customer."""
    pairs = 40
    bodies = [
        paid(f"f25_{n}_{which}", f"cb_f25_{n}", email_of("f25", n), 5_000)
        for n in range(pairs)
        for which in "ab"
    ]
    lab.order("f25", pairs * 8, RATE)
    lab.post_at_once(bodies)
    lab.stack.drain()
    made = lab.stack.world.all(Customer)
    mine = [row.email for row in made if row.email and row.email.startswith("f25.")]
    assert len(mine) == len(set(mine)), "A payer has become two customers."
    return {"pairs": pairs, "customers": len(mine)}


def late_duplicates(lab: Lab) -> Figures:
    """All that was sent and done is sent again: known for ever."""
    lab.send("f27", size(lab, 100))
    lab.stack.drain()
    before = lab.stack.world.earned()
    answers = lab.finish(lab.load("f27", size(lab, 100), 200.0, log_name="again"))
    lab.stack.drain()
    assert lab.stack.world.earned() == before, "A repetition earned something."
    return figures(answers)


def poisoned(lab: Lab) -> Figures:
    sent = [poison(f"f29_{n}", n) for n in range(size(lab, 320))]
    statuses = lab.post_at_once(sent)
    assert max(statuses) < 500, f"Poison was answered {max(statuses)}."
    return {"poison": len(sent), "taken": statuses.count(200)}


def besieged(lab: Lab) -> Figures:
    """200 connections that never finish their headers, straight at gunicorn, then they go away."""
    links = []
    for _ in range(200):
        link = socket.create_connection(("127.0.0.1", lab.stack.settings.port), timeout=5)
        link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
        links.append(link)
    load = lab.load("f37", size(lab, 200), RATE)
    lab.stack.rest(4.0)
    gone = time.time()
    for link in links:
        link.close()
    answers = lab.finish(load)
    after = min((a.at for a in answers if a.status == 200 and a.at > gone), default=gone) - gone
    return {"first_ack_after_siege_s": after, **figures(answers)}


def out_of_files(lab: Lab) -> Figures:
    """Each web worker may open two files more than it has, for a while."""
    load = lab.load("f38", size(lab, 300), RATE)
    lab.stack.rest(1.0)
    before = {child: child.rlimit(resource.RLIMIT_NOFILE) for child in lab.stack.web.children()}
    for child, (_, hard) in before.items():
        child.rlimit(resource.RLIMIT_NOFILE, (child.num_fds() + 2, hard))
    lab.stack.rest(3.0)
    for child, limits in before.items():
        try:
            child.rlimit(resource.RLIMIT_NOFILE, limits)
        except psutil.NoSuchProcess:
            continue
    answers = lab.finish(load)
    return {"longest_silence_s": longest_silence(answers), **figures(answers)}


def rotate(lab: Lab) -> Figures:
    """The password changes during the load: the old one and the new one are both good."""
    old = lab.load("f39", size(lab, 200), RATE)
    lab.stack.rest(1.0)
    site = lab.stack.world.site
    with transaction(lab.stack.engine) as session:
        made = integrations.rotate_secret(session, lab.stack.settings, site.id, 24, "chaos")
    site.authorization = lab.basic(*made[1])
    new = lab.load("f39n", size(lab, 200), RATE)
    answers = lab.finish(old) + lab.finish(new)
    refused = sum(answer.status == 401 for answer in answers)
    assert refused == 0, f"{refused} were answered 401."
    return figures(answers)


def ask(lab: Lab, body: bytes) -> tuple[int, str | None, float]:
    """(status, Retry-After, seconds) of one delivery that is not repeated."""
    begun = time.monotonic()
    site = lab.stack.world.site
    headers = {"Authorization": site.authorization, "Content-Type": "application/json"}
    link = HTTPConnection("127.0.0.1", lab.stack.settings.port, timeout=20)
    link.request("POST", site.path, body, headers)
    answer = link.getresponse()
    answer.read()
    link.close()
    return answer.status, answer.getheader("Retry-After"), time.monotonic() - begun


def slowest(answers: list[Answer], status: int) -> float:
    """p99 of how long answers of this status took, ms."""
    return percentile([answer.ms for answer in answers if answer.status == status], 0.99)
