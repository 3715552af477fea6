"""Faults that no API can cause: what goes wrong between a program and AWS, and inside of AWS.

A ``Meddler`` is asked at every such place while one is set on the cloud; without one nothing is asked. Who meddles
decides from a seed, so that the same run goes wrong in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from patchgate.emulator.cloud import Scope


@dataclass(frozen=True, slots=True)
class Call:
    """One API call of a program: ``process`` names the kernel's process that makes it."""

    process: str
    scope: Scope
    service: str
    operation: str
    params: Mapping[str, Any]


class Meddler(Protocol):
    """Where a cloud can go wrong.

    ``before`` and ``after`` see every API call that a program (a function, a script step) makes, before it is carried
    out and after it took effect. They may raise AwsError (the caller's SDK sees it and retries as it does), let time
    pass with the kernel's ``sleep``, or raise ProcessKilled (the program is gone).
    """

    def before(self, call: Call) -> None:
        """The request is on its way."""

    def after(self, call: Call) -> None:
        """The request took effect; its answer is on its way."""

    def deliveries(self, scope: Scope, schedule: str, scheduled_at: datetime) -> Sequence[timedelta]:
        """How long after it is due each delivery of a schedule's firing comes; none is a firing that is lost."""

    def page_size(self, call: Call) -> int | None:
        """How many items a page of this list has at most, whatever was asked for; None: as many as were asked for."""

    def was_cut(self, call: Call) -> None:
        """There were more items than that, so that the page was cut short."""

    def refuses(self, scope: Scope, schedule: str) -> bool:
        """Whether what a schedule invokes takes no invocation from it now: Scheduler tries again, and gives up."""

    def throttles(self, scope: Scope, function: str) -> bool:
        """Whether Lambda has no capacity for a run of the function now."""
