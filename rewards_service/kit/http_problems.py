"""The exceptions of the network as errors of ours."""

import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectTimeout,
    ContentDecodingError,
    SSLError,
    Timeout,
)
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from rewards_service.kit.http_errors import CutOff, HttpError, TimedOut, Unreachable


def problem_of(name: str, error: Exception) -> HttpError:
    """What an exception of requests, urllib3 or the socket means for the operation `name`."""
    if isinstance(error, SSLError):
        return Unreachable(f"To {name} failed: the certificate of the other side is not good.")
    reason = _reason(error)
    if isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Unreachable(
            f"To {name} failed: nobody answers at its address.", passes=True, unsent=True
        )
    if isinstance(error, Timeout | TimeoutError) or isinstance(reason, ReadTimeoutError):
        return TimedOut(f"To {name} took too long.", passes=True)
    made = (requests.ConnectionError, ChunkedEncodingError, ContentDecodingError)
    if isinstance(error, requests.RequestException) and not isinstance(error, made):
        return HttpError(f"To {name} failed: the request cannot be made.")
    return CutOff(f"To {name} failed: the answer ended early or is broken.", passes=True)


def _reason(error: Exception) -> object:
    """What urllib3 said below an error of requests."""
    first = error.args[0] if error.args else None
    return getattr(first, "reason", None) or first
