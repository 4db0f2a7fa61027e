"""Signals to processes that may be gone."""

import contextlib
import os
import signal


def send(pid: int, signum: signal.Signals) -> None:
    """A signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)
