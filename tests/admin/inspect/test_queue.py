"""The queue page: what stands in Redis, told without trusting it."""

from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import Engine

from rewards_service.app import create_app
from rewards_service.kit import queue_view
from rewards_service.kit.errors import NotFound
from rewards_service.kit.queue import DOORBELLS, queue_on
from rewards_service.settings import Settings
from tests.admin.conftest import Enter
from tests.admin.inspect import queues
from tests.admin.inspect.stories import Lived
from tests.admin.inspect.test_events import text_of
from tests.admin.visitor import Visitor, make_user


@pytest.fixture
def jobs(redis_connection: Redis) -> tuple[str, str]:
    """Ids of a failed job of ours and of one that was planted."""
    return queues.stand(redis_connection)


class TestQueue:
    def test_it_shows_who_works_and_what_failed_without_secrets(
        self, owner: Visitor, lived: Lived, jobs: tuple[str, str]
    ) -> None:
        page = owner.get("/queue").text
        said = text_of(page)

        assert "host-1-abc waits for a ring" in said
        assert (
            "Events matches payments and records transactions when an event arrives 1 0 0" in said
        )
        assert "OperationalError: postgresql://rewards:[redacted]@db/rewards of [email]" in said
        assert "geheim" not in page
        assert "<script>x" not in page
        assert page.count("Try again<") == 1  # the planted one can only be removed
        assert page.count("Remove<") == 2

    def test_a_job_of_ours_is_tried_again_by_a_fresh_one(
        self, owner: Visitor, jobs: tuple[str, str], redis_connection: Redis
    ) -> None:
        waiting = queue_on(redis_connection, "rewards")
        owner.post("/queue/requeue", queue="rewards", job=jobs[0])
        owner.post("/queue/requeue", queue="rewards", job=jobs[1])

        (fresh,) = waiting.jobs
        assert fresh.func_name == DOORBELLS["rewards"]
        assert fresh.id not in jobs
        assert [job.id for job in queue_view.read_failed(redis_connection)] == [jobs[1]]
        assert "none of ours" in owner.get("/queue").text

    def test_a_job_is_removed_once(
        self, owner: Visitor, jobs: tuple[str, str], redis_connection: Redis
    ) -> None:
        for _ in range(2):
            owner.post("/queue/remove", queue="rewards", job=jobs[1])
        page = owner.get("/queue").text

        assert [job.id for job in queue_view.read_failed(redis_connection)] == [jobs[0]]
        assert "no such failed job any more" in page
        with pytest.raises(NotFound):
            queue_view.remove(redis_connection, "nowhere", jobs[0])

    def test_a_manager_looks_and_does_nothing(self, enter: Enter, jobs: tuple[str, str]) -> None:
        page = enter("manager").get("/queue").text

        assert "Traceback" in page
        assert "/queue/remove" not in page

    def test_what_cannot_be_read_is_told_as_such(
        self, owner: Visitor, jobs: tuple[str, str], redis_connection: Redis
    ) -> None:
        redis_connection.hset(f"rq:job:{jobs[0]}", "data", b"\xff\x00 no job")
        redis_connection.delete(f"rq:job:{jobs[1]}")
        answer = owner.get("/queue")

        assert answer.status_code == 200
        assert "It is gone, or cannot be read." in answer.text

    def test_without_redis_it_says_so_and_shows_what_the_database_knows(
        self, settings: Settings, engine: Engine, lived: Lived
    ) -> None:
        away = replace(settings, redis_url="redis://127.0.0.1:1/0")
        person = Visitor(create_app(away), away)
        person.sign_in(make_user(engine, away))
        page = person.get("/queue")
        refused = person.post("/queue/remove", queue="rewards", job="x")

        assert page.status_code == 200
        assert "Redis does not answer (ConnectionError)" in page.text
        assert "Events waiting 1" in text_of(page.text)
        assert refused.status_code == 303
        assert "Nothing was changed" in person.get("/queue").text
