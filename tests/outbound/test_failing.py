"""Attempts that fail: when they are repeated, when they end, and when an endpoint is left alone."""

from collections import defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.kit.db import transaction
from rewards_service.outbound import retrying, service
from rewards_service.outbound.models import DELIVERED, FAILED
from tests.outbound.office import Office, received, without_repeats
from tests.peers.misbehaving import Misbehaving, answer, hang_up
from tests.peers.misbehaving import silence as hang

OK = answer(200)


class TestRetrying:
    def test_it_is_tried_for_three_days_and_then_given_up_for_the_next(
        self, office: Office
    ) -> None:
        with Misbehaving(*[answer(500)] * retrying.MOST_TRIES, OK) as server:
            office.endpoint(server.url)
            office.tell(1, 2)
            office.work_for(hours=80)

        assert [one.state for one in office.deliveries()] == [FAILED, DELIVERED]
        assert received(server) == [1] * retrying.MOST_TRIES + [2]
        tried = [one.at for one in office.attempts() if one.delivery_id == 1]
        assert timedelta(days=2.9) < tried[-1] - tried[0] < timedelta(days=3.2)

    @pytest.mark.parametrize(
        ("asked", "seconds"), [("90", 90), ("0", 1), ("86400", 3600), ("soon", 5)]
    )
    def test_a_pause_that_is_asked_for_is_kept_within_bounds(
        self, office: Office, asked: str, seconds: int
    ) -> None:
        with Misbehaving(answer(503, b"", Retry_After=asked), OK) as server:
            office.endpoint(server.url)
            office.tell(1)
            office.work()
            if seconds > 5:
                office.tell(1, of=2)  # the whole endpoint asked for it
            office.pass_time(seconds=seconds - 0.5)
            assert office.work() == 0
            office.pass_time(seconds=0.5)
            assert office.work() >= 1

    def test_an_endpoint_that_does_not_answer_is_left_alone_for_a_while(
        self, office: Office
    ) -> None:
        with Misbehaving(*[hang_up] * 3, OK) as server:
            office.endpoint(server.url)
            for of in range(10):
                office.tell(1, of=of)

            assert office.work() == retrying.UNANSWERED_IN_A_ROW
            office.pass_time(seconds=retrying.PAUSE.total_seconds())
            office.work()

        found: dict[int, list[int]] = defaultdict(list)
        for of in range(10):
            found[of] = without_repeats(received(server, of))
        assert all(numbers == [1] for numbers in found.values())

    def test_the_log_tells_each_attempt(self, office: Office) -> None:
        secret = b"\x00<b>broken</b>\n" + b"x" * 5_000
        office.wait_for_answers(1.5)
        with Misbehaving(answer(500, secret), hang, OK) as server:
            office.endpoint(server.url)
            office.tell(1)
            office.work_for(hours=1)

        wrong, silent, good = office.attempts()
        assert (wrong.status, wrong.error) == (500, None)
        shown = wrong.excerpt or ""
        assert shown.startswith("<b>broken</b> xxx")
        assert len(shown) <= 500
        assert (silent.status, silent.error, silent.excerpt) == (None, "timed_out", None)
        assert silent.duration_ms >= 200
        assert (good.status, good.number) == (200, 3)


class TestDisabling:
    def reasons(self, office: Office) -> list[str | None]:
        query = select(AuditEntry.reason).where(AuditEntry.action == "webhook_endpoint.disabled")
        with Session(office.engine) as session:
            return list(session.scalars(query))

    def test_who_is_gone_is_switched_off_at_once_and_resumes_where_it_was(
        self, office: Office
    ) -> None:
        with Misbehaving(answer(410), OK) as server:
            office.endpoint(server.url)
            office.tell(1, 2)
            assert office.work() == 1
            endpoint = office.read()
            assert (endpoint.enabled, endpoint.disabled_reason) == (False, "gone")
            assert self.reasons(office) == ["gone"]
            office.tell(3)  # nobody listens
            office.pass_time(days=1)
            assert office.work() == 0

            with transaction(office.engine) as session:
                service.change_endpoint(session, 1, {"enabled": True}, "test")
            office.tell(4)
            office.work()

        assert received(server) == [1, 1, 2, 4]

    def test_who_only_fails_for_five_days_is_switched_off(self, office: Office) -> None:
        with Misbehaving(answer(500)) as server:
            office.endpoint(server.url)
            office.tell(1, 2)
            office.work_for(hours=119)
            assert office.read().enabled
            office.work_for(hours=48)

        endpoint = office.read()
        assert (endpoint.enabled, endpoint.disabled_reason) == (False, "failing")
        assert self.reasons(office) == ["failing"]

    def test_one_success_and_the_days_are_counted_anew(self, office: Office) -> None:
        with Misbehaving(*[answer(500)] * 3, OK, answer(500)) as server:
            office.endpoint(server.url)
            office.tell(1, 2)
            office.work_for(hours=119)
            assert office.read().failing_since_at is not None
            office.work_for(hours=1.5)

        assert office.read().enabled
