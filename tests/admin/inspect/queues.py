"""A Redis with a worker, jobs that wait, one of ours that failed, and one that somebody planted."""

from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from rewards_service.kit.listener import Listener
from rewards_service.kit.queue import DOORBELLS, put_job, queue_on

TRACE = """Traceback (most recent call last):
  File "rewards_service/rewards/jobs.py", line 40, in drain_rewards
OperationalError: postgresql://rewards:geheim@db/rewards of ada@one.example <script>x</script>
"""


def stand(connection: Redis) -> tuple[str, str]:
    """The ids of the failed job of ours, and of the planted one."""
    Listener(connection, "host-1-abc", list(DOORBELLS), {}).announce()
    put_job(queue_on(connection, "events"), DOORBELLS["events"])
    return fail(connection, DOORBELLS["rewards"]), fail(connection, "os.system", "reboot")


def fail(connection: Redis, function: str, *args: str) -> str:
    """A failed job of the queue of rewards; its id."""
    job = Job.create(function, args=args, connection=connection, serializer=JSONSerializer,
                     origin="rewards")  # fmt: skip
    job.save()
    with connection.pipeline() as pipeline:
        job._handle_failure(TRACE, pipeline, "host-1-abc")
        pipeline.execute()
    return str(job.id)
