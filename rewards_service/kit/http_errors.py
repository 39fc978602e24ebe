"""What can go wrong between us and another service, before its answer means anything (pure)."""

from rewards_service.kit.errors import RewardsError


class HttpError(RewardsError):
    """A call that brought no usable answer.

    `passes`: the same call may do better later. `unsent`: the other side did nothing for sure, so
    even a call that must not happen twice may be repeated. `wait_seconds`: how long the other side
    asked us to wait. Texts name the operation, never its address, parameters or answer: those may
    hold secrets and personal data.
    """

    status = 502
    code = "upstream_failed"
    title = "Another service could not be asked."

    def __init__(
        self,
        detail: str | None = None,
        *,
        passes: bool = False,
        unsent: bool = False,
        wait_seconds: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.passes = passes
        self.unsent = unsent
        self.wait_seconds = wait_seconds


class Unreachable(HttpError):
    code = "upstream_unreachable"
    title = "Another service cannot be reached."


class TimedOut(HttpError):
    status = 504
    code = "upstream_timeout"
    title = "Another service took too long."


class CutOff(HttpError):
    code = "upstream_cut_off"
    title = "The answer of another service ended too early."


class TooLarge(HttpError):
    code = "upstream_too_large"
    title = "The answer of another service is larger than any should be."


class Redirected(HttpError):
    code = "upstream_redirects"
    title = "Another service sent us elsewhere, and our credentials do not follow."


class RateSpent(HttpError):
    status = 503
    code = "upstream_rate_spent"
    title = "The rate of calls to another service is spent for now."
