"""Identifiers of services that the cloud does not own: the same behind both doors, none by its chance."""

from __future__ import annotations

import hashlib


class NumberedIds:
    """UUIDs that follow from a run's seed, a service's name, and how many it has given out before."""

    def __init__(self, seed: int, service: str) -> None:
        self._stem = f"{seed} {service}"
        self._given = 0

    def draw(self) -> str:
        """The next one."""
        self._given += 1
        digits = hashlib.sha256(f"{self._stem} {self._given}".encode()).hexdigest()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
