"""A child process that does not outlive the process that started it, not even one killed hard."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that has Linux send `death_signal` to the child when its parent ends.

    None elsewhere: there the next start ends what a killed run left over. The parent, for Linux,
    is the thread that started the child: start from the main thread only.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: after a fork nothing may allocate much
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the request was made
            os._exit(1)

    return ask_kernel
