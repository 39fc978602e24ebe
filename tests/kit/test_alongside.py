import threading

from rewards_service.kit.alongside import Alongside


class TestAlongside:
    def test_nothing_runs_that_nobody_asked_for(self) -> None:
        done: list[int] = []

        with Alongside("test", lambda: done.append(1)):
            pass

        assert done == []

    def test_what_was_asked_is_done_before_the_caller_leaves(self) -> None:
        done: list[int] = []

        with Alongside("test", lambda: done.append(1)) as work:
            work.ask()

        assert done

    def test_work_asked_for_meanwhile_is_done_once_more(self) -> None:
        begun, go_on = threading.Event(), threading.Event()
        done: list[int] = []

        def slow() -> None:
            begun.set()
            assert go_on.wait(60)
            done.append(1)

        with Alongside("test", slow) as work:
            work.ask()
            assert begun.wait(60)
            work.ask()
            go_on.set()

        assert len(done) >= 2

    def test_an_error_does_not_keep_later_work_from_being_done(self) -> None:
        tried = threading.Semaphore(0)

        def fail() -> None:
            tried.release()
            raise ValueError("on purpose")

        with Alongside("test", fail) as work:
            work.ask()
            assert tried.acquire(timeout=60)
            work.ask()

        assert tried.acquire(timeout=60)
