"""Every part of botocore that is no documented interface and that both doors use alike; each has the rest in its own.

Nothing here loads moto. Each name has a test that fails when an upgrade removes it or changes its shape.

==================================  ================================================================================
name                                what the doors need it for
==================================  ================================================================================
``botocore.waiter.time``            where waiters sleep
``botocore.retryhandler.random``    jitter of legacy retries
``botocore.configprovider``         ``BOTOCORE_DEFAUT_SESSION_VARIABLES``, to read no environment
==================================  ================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Protocol

import botocore.configprovider
import botocore.retryhandler
import botocore.waiter


class Waiting(Protocol):
    """The clock and the dice that stand in for the system's."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def time(self) -> float:
        """Seconds since the Unix epoch."""

    def random(self) -> float:
        """A number in [0, 1)."""


@contextmanager
def replaced(holder: Any, name: str, value: Any) -> Iterator[None]:
    """``holder.name`` is ``value`` inside, and what it was afterwards. AttributeError when there is no such name."""
    original = getattr(holder, name)
    setattr(holder, name, value)
    try:
        yield
    finally:
        setattr(holder, name, original)


@contextmanager
def virtual_time(waiting: Waiting) -> Iterator[None]:
    """Waiters sleep with ``waiting``, and the retries of the mode ``legacy`` throw its dice."""
    with (
        replaced(botocore.waiter, "time", SimpleNamespace(sleep=waiting.sleep)),
        replaced(botocore.retryhandler, "random", SimpleNamespace(random=waiting.random)),
    ):
        yield


def isolated_session_variables() -> dict[str, tuple[Any, ...]]:
    """botocore's session variables with their defaults, reading neither environment nor configuration files."""
    known = botocore.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES
    variables = {name: (config, None, default, conversion) for name, (config, _, default, conversion) in known.items()}
    variables["config_file"] = (None, None, os.devnull, None)
    variables["credentials_file"] = (None, None, os.devnull, None)
    variables["ignore_configured_endpoint_urls"] = (None, None, True, None)
    return variables
