import socket
import threading
from dataclasses import replace
from datetime import timedelta

from rewards_service.app import create_app
from rewards_service.kit.db import db, transaction
from rewards_service.kit.queue import DOORBELLS, WEBHOOKS
from rewards_service.outbound import jobs, service
from rewards_service.outbound.models import FAILED, PENDING
from rewards_service.outbound.sending import Sender
from tests.outbound.office import Office, received
from tests.peers.misbehaving import Misbehaving, answer, silence

OK = answer(200)


class TestSend:
    def test_what_is_due_is_sent_with_the_settings_of_the_service(self, office: Office) -> None:
        assert DOORBELLS[WEBHOOKS] == "rewards_service.outbound.jobs.drain_webhooks"
        with Misbehaving(OK) as server:
            office.endpoint(server.url)
            office.tell(1, 2)
            sender = Sender.of(office.engine, office.settings)

            assert jobs.due(office.engine) == [1]
            assert jobs.send(sender, 1) == 2
            assert received(server) == [1, 2]
            assert jobs.due(office.engine) == []
            assert jobs.send(sender, 1) == 0

    def test_this_machine_is_not_called_unless_the_setting_says_so(self, office: Office) -> None:
        """Also when it could be entered: each delivery checks anew."""
        with Misbehaving(OK) as server:
            office.endpoint(server.url)
            office.tell(1)
            settings = replace(office.settings, webhook_allow_loopback=False)
            jobs.send(Sender.of(office.engine, settings), 1)

            assert server.connections == 0
        assert [one.error for one in office.attempts()] == ["address_refused"]


class TestDrainWebhooks:
    def test_it_sends_beside_its_caller_and_who_hangs_holds_up_nobody_else(
        self, office: Office
    ) -> None:
        both = threading.Event()

        def last(connection: socket.socket, over: threading.Event) -> bool:
            both.set()
            return OK(connection, over)

        app = create_app(office.settings)
        with Misbehaving(silence) as stuck, Misbehaving(OK, last) as good:
            for server in (stuck, good):
                office.endpoint(server.url)
            office.tell(1, 2)
            with app.app_context():
                assert jobs.drain_webhooks() == 0
            assert both.wait(60)
            assert received(good) == [1, 2]
        for thread in threading.enumerate():
            if thread.name == "webhooks":
                thread.join(timeout=60)

        assert [lane.endpoint_id for lane in office.lanes()] == [1]
        with app.app_context():
            db.engine.dispose()
        app.extensions["rewards_webhooks"].close()


class TestKeep:
    def test_what_is_old_is_forgotten_and_what_waits_too_long_is_given_up(
        self, office: Office
    ) -> None:
        with Misbehaving(OK) as server:
            office.endpoint(server.url)
            office.endpoint("http://127.0.0.1:1")
            office.tell(1)
            office.work()
        days = office.settings.webhook_retention_days
        keep = office.now + timedelta(days=days)

        assert jobs.keep(office.engine, office.settings, keep - timedelta(minutes=2)) == 0
        assert [one.state for one in office.deliveries()] == ["delivered", PENDING]
        jobs.keep(office.engine, office.settings, keep + timedelta(minutes=2))
        assert [one.state for one in office.deliveries()] == [FAILED]
        assert office.attempts() == []
        office.now = keep
        assert office.work(2) == 0
        assert office.lanes() == []
        jobs.keep(office.engine, office.settings, keep + timedelta(days=days + 1))
        assert office.deliveries() == []

    def test_what_waits_for_an_endpoint_that_was_deleted_goes_at_once(self, office: Office) -> None:
        office.endpoint("http://127.0.0.1:1")
        office.tell(1, 2)
        office.work()
        with transaction(office.engine) as session:
            service.delete_endpoint(session, 1, "test")

        assert jobs.keep(office.engine, office.settings) == 2
        assert (office.deliveries(), office.attempts(), office.lanes()) == ([], [], [])
