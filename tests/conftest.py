"""What the tests must not take over from whoever runs them."""

from __future__ import annotations

import os
import signal

_SETTINGS = (
    "COLUMNS",
    "FORCE_COLOR",
    "LINES",
    "NO_COLOR",
    "PATCHGATE_DEBUG",
    "PATCHGATE_POLL_SECONDS",
    "PATCHGATE_STATE_DIR",
)


def pytest_configure() -> None:
    """Forget the caller's terminal and settings, here and in every process that is started from here.

    A shell starts what runs in the background deaf to Ctrl-C, and its children with it: the tests of Ctrl-C would wait
    for ever.
    """
    for name in list(os.environ):
        if name in _SETTINGS or name.startswith("AWS_"):
            del os.environ[name]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
