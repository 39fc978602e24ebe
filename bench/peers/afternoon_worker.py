"""RQ's forking worker with the application imported before it forks: the kinder way to run it.

The stock `rq worker` imports SQLAlchemy and the models anew for every job.
"""

from typing import Any

from redis import Redis
from rq import Queue, Worker
from sqlalchemy.orm import configure_mappers

from bench.peers import afternoon


class Preloaded(Worker):
    def main_work_horse(self, *args: Any, **kwargs: Any) -> None:
        afternoon.engine.dispose(close=False)  # the parent's connections stay the parent's
        super().main_work_horse(*args, **kwargs)


def main() -> None:
    configure_mappers()
    connection: Redis = afternoon.queue.connection
    queues = [Queue(afternoon.QUEUE, connection=connection)]
    Preloaded(queues, connection=connection).work(logging_level="ERROR")


if __name__ == "__main__":
    main()
