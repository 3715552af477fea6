"""Calls that may hang, which a test must not do with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0
"""Seconds after which a test says that something hangs."""


def within_patience(call: Callable[[], Any]) -> Any:
    """What a call comes to in a thread of its own, or AssertionError when it does not come to an end."""
    outcome: list[tuple[bool, Any]] = []

    def carry_out() -> None:
        try:
            outcome.append((True, call()))
        except BaseException as error:  # noqa: BLE001 - raised again below
            outcome.append((False, error))

    thread = threading.Thread(target=carry_out, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert outcome, "it hangs"
    worked, value = outcome[0]
    if not worked:
        raise value
    return value
