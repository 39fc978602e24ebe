"""Slow work that nobody waits for, one piece at a time."""

from threading import Event

from structlog.testing import capture_logs

from rewards_service.kit.beside import Beside


class TestBeside:
    def test_one_piece_of_work_at_a_time_also_after_one_that_failed(self) -> None:
        beside, begun, go_on, ended = Beside("test"), Event(), Event(), Event()

        def fail() -> None:
            begun.set()
            go_on.wait(60)
            raise ValueError("meant")

        with capture_logs() as lines:
            assert beside.start(fail)
            assert begun.wait(60)
            assert not beside.start(ended.set)
            go_on.set()
            while not beside.start(ended.set):
                begun.wait(0)

        assert ended.wait(60)
        assert [line["event"] for line in lines] == ["work_beside_failed"]
