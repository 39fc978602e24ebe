"""Which addresses may be told: checked when they are entered, and again at each delivery."""

from queue import Empty, SimpleQueue
from threading import Thread

from rewards_service.kit.addresses import Address, Refused
from rewards_service.kit.errors import Unprocessable
from rewards_service.kit.outward import Outward
from rewards_service.kit.refusals import invalid_member
from rewards_service.settings import Settings

LOOK_UP_SECONDS = 2.0  # a person waits


class UrlRefused(Unprocessable):
    code = "webhook_url_refused"
    title = "This address is not called."


def check(settings: Settings, url: str) -> str:
    """The one spelling of a URL that may be called. Raises UrlRefused.

    A host that has no address right now may have one later, and is checked then in any case.
    """
    outward = Outward(loopback=settings.webhook_allow_loopback)
    try:
        address = outward.check(url)
        _look_up(outward, address)
    except Refused as problem:
        raise invalid_member("url", f"{problem} See docs/outbound.md.", UrlRefused) from problem
    return address.url


def _look_up(outward: Outward, address: Address) -> None:
    """As `Outward.reach`, for as long as a person waits: a look-up has no time-out of its own."""
    answers: SimpleQueue[Exception | None] = SimpleQueue()

    def look() -> None:
        try:
            outward.reach(address)
            answers.put(None)
        except Exception as problem:
            answers.put(problem)

    Thread(target=look, name="look-up", daemon=True).start()
    try:
        problem = answers.get(timeout=LOOK_UP_SECONDS)
    except Empty:
        return
    if isinstance(problem, Refused):
        raise problem
