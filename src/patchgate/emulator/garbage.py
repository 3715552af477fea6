"""How often Python looks for cycles of garbage while an embedded AWS runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLD = 50_000
"""Objects made between two looks. A cloud keeps most of what it makes and makes few cycles: at Python's own threshold,
the looks take half the time of a cycle of 10,000 machines."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look rarely while the context lasts; for the whole process."""
    usual = gc.get_threshold()
    gc.set_threshold(THRESHOLD, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
