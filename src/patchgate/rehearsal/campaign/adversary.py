"""Carries out a plan while a run goes on: timers for what is done once, and the cloud's meddler for the rest."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import AwsError
from patchgate.emulator.kernel import ProcessKilled
from patchgate.rehearsal.campaign.acts import ACTS, Scene

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Scope
    from patchgate.emulator.meddling import Call
    from patchgate.rehearsal.campaign.acts.scene import Shows
    from patchgate.rehearsal.campaign.plan import Injection
    from patchgate.rehearsal.campaign.terrain import Terrain

READS = ("Get", "List", "Describe")
HANGS_SECONDS = 1000
"""Longer than any function or script step may run."""
_AT_ONCE = (timedelta(0),)
_THROTTLES = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
}
_THROTTLED = ("ThrottlingException", "Rate exceeded", 400)
CALL, DELIVERY, REFUSAL, CAPACITY, PAGES = "call", "delivery", "refusal", "capacity", "pages"


class Adversary:
    """One run's worth of trouble. Set as the cloud's meddler, it does what its plan says and nothing else.

    The history tells what came of each injection. FaultInjected: something went wrong, here and now, or (``laid``) by
    now. FaultLaid: it was decided how something will fare. FaultMissed: there was nothing to change, or (``laid``)
    nothing came of it.
    """

    def __init__(self, cloud: Cloud, terrain: Terrain, injections: Sequence[Injection]) -> None:
        self._cloud = cloud
        self._terrain = terrain
        self._injections = injections
        self._memory: dict[Hashable, Any] = {}
        self._undo: dict[int, Callable[[], object]] = {}
        self._laid: dict[int, tuple[Shows, int]] = {}
        """Of acts that decide how something will fare: how that shows, and how long the history was then."""
        self._left = {index: int(str(each.given.get("times", 1))) for index, each in enumerate(injections)}
        self._seen: dict[tuple[int, str], int] = {}
        self._calls = self._meddling(CALL)
        self._deliveries = self._meddling(DELIVERY)
        self._refusals = self._meddling(REFUSAL)
        self._refused: set[int] = set()
        """The injections that were told already."""
        self._capacity = self._meddling(CAPACITY)
        self._pages = self._meddling(PAGES)
        self._cut: set[tuple[int, str, str]] = set()
        """Whose lists were cut short already: injection, program, operation."""

    def begin(self) -> None:
        """Put everything on the agenda of a cloud that stands at the run's start."""
        start = self._terrain.start
        meddles = self._calls or self._deliveries or self._refusals or self._capacity or self._pages
        self._cloud.meddler = self if meddles else None
        for index, injection in enumerate(self._injections):
            if injection.act in ACTS:
                self._cloud.kernel.at(start + timedelta(seconds=injection.begins), self._do, index)
                if injection.ends is not None:
                    self._cloud.kernel.at(start + timedelta(seconds=injection.ends), self._end, index)

    def _meddling(self, act: str) -> list[tuple[int, Injection]]:
        return [(index, each) for index, each in enumerate(self._injections) if each.act == act]

    def run(self) -> None:
        """Let the clock run to the end, and say of everything that was laid whether it came out."""
        self._cloud.kernel.run_until(self._terrain.end)
        for index in sorted(self._laid):
            self._settle(index)

    def _do(self, index: int) -> None:
        injection = self._injections[index]
        harm = ACTS[injection.act](Scene(self._cloud, self._terrain, index, self._memory), injection.given)
        if harm is None:
            self._say("FaultMissed", injection)
            return
        if harm.undo is not None:
            self._undo[index] = harm.undo
        if harm.shows is None:
            self._say("FaultInjected", injection)
        else:
            self._say("FaultLaid", injection)
            self._laid[index] = (harm.shows, len(self._cloud.history))

    def _settle(self, index: int) -> None:
        """What was laid is judged by what came of it: only that is a fault that struck."""
        laid = self._laid.pop(index, None)
        if laid is not None:
            shows, since = laid
            came_out = shows(self._cloud.history.since(since))
            self._say("FaultInjected" if came_out else "FaultMissed", self._injections[index], laid=True)

    def _say(self, event: str, injection: Injection, **facts: bool) -> None:
        given = dict(injection.given)
        self._cloud.record(self._terrain.scope, event, fault=injection.fault, act=injection.act, given=given, **facts)

    def _end(self, index: int) -> None:
        self._settle(index)
        undo = self._undo.pop(index, None)
        if undo is not None:
            self._cloud.record(self._terrain.scope, "FaultEnded", fault=self._injections[index].fault)
            undo()

    # What a Meddler does

    def before(self, call: Call) -> None:
        """As Meddler says."""
        self._meddle(call, after=False)

    def after(self, call: Call) -> None:
        """As Meddler says."""
        self._meddle(call, after=True)

    def _meddle(self, call: Call, *, after: bool) -> None:
        for index, injection in self._calls:
            if str(injection.given["effect"]).endswith("-after") == after and self._hits(index, injection, call):
                self._left[index] -= 1
                self._strike(injection, call)

    def deliveries(self, scope: Scope, schedule: str, scheduled_at: datetime) -> Sequence[timedelta]:  # noqa: ARG002
        """As Meddler says."""
        for _, injection in self._deliveries:
            label = str(injection.given["schedule"])
            if self._terrain.schedules.get(label) == schedule and self._rages(injection, scheduled_at):
                delays = injection.given["delays"]
                self._note(injection, schedule)
                return [timedelta(seconds=seconds) for seconds in delays] if isinstance(delays, tuple | list) else ()
        return _AT_ONCE

    def refuses(self, scope: Scope, schedule: str) -> bool:  # noqa: ARG002 - as Meddler says
        """As Meddler says."""
        for index, injection in self._refusals:
            wanted = self._terrain.schedules.get(str(injection.given["schedule"]))
            if wanted == schedule and self._rages(injection, self._cloud.now):
                if index not in self._refused:
                    self._refused.add(index)
                    self._note(injection, f"{schedule}: Lambda takes no invocation from it")
                return True
        return False

    def page_size(self, call: Call) -> int | None:
        """As Meddler says."""
        sizes = [int(str(injection.given["size"])) for _, injection in self._raging_pages(call)]
        return min(sizes, default=None)

    def was_cut(self, call: Call) -> None:
        """As Meddler says; told once of every list of a program."""
        program = call.process.partition(" ")[0].partition("/")[0]
        for index, injection in self._raging_pages(call):
            if (index, program, call.operation) not in self._cut:
                self._cut.add((index, program, call.operation))
                self._note(injection, f"{call.service}:{call.operation} of {call.process}")

    def _raging_pages(self, call: Call) -> list[tuple[int, Injection]]:
        """The injections that cut this list short; all of them, or one operation's."""
        return [
            (index, injection)
            for index, injection in self._pages
            if self._rages(injection, self._cloud.now)
            and str(injection.given.get("which", "any")) in ("any", f"{call.service}:{call.operation}")
        ]

    def throttles(self, scope: Scope, function: str) -> bool:  # noqa: ARG002 - as Meddler says
        """As Meddler says."""
        for _, injection in self._capacity:
            wanted = self._terrain.programs.get(str(injection.given["program"]))
            if wanted == function and self._rages(injection, self._cloud.now):
                self._note(injection, function)
                return True
        return False

    def _hits(self, index: int, injection: Injection, call: Call) -> bool:
        """Whether an injection concerns this call, now: it is one of those it is about, and their turn has come."""
        if self._left[index] <= 0 or not self._rages(injection, self._cloud.now):
            return False
        prefix = self._terrain.programs.get(str(injection.given["program"]))
        if prefix is None or not (call.process.startswith(f"{prefix} ") if prefix else "/" in call.process):
            return False
        which = str(injection.given.get("which", "any"))
        is_read = call.operation.startswith(READS)
        if which not in ("any", "read" if is_read else "write", f"{call.service}:{call.operation}"):
            return False
        seen = self._seen[index, call.process] = self._seen.get((index, call.process), -1) + 1
        return seen >= int(str(injection.given.get("nth", 0)))

    def _strike(self, injection: Injection, call: Call) -> None:
        self._note(injection, f"{call.service}:{call.operation} of {call.process}")
        match str(injection.given["effect"]):
            case "throttle":
                code, message, status = _THROTTLES.get(call.service, _THROTTLED)
                raise AwsError(code, message, status=status)
            case "fail" | "lose-after":
                raise AwsError("InternalServerError", "An internal error has occurred.", status=500)
            case "deny":
                message = "User is not authorized to perform: kms:GenerateDataKey on the resource"
                raise AwsError("AccessDeniedException", message, status=403)
            case "crash" | "crash-after":
                raise ProcessKilled("Runtime exited without providing a reason")
            case "hang" | "hang-after":
                self._cloud.kernel.sleep(HANGS_SECONDS)
            case "slow" | "slow-after":
                self._cloud.kernel.sleep(int(str(injection.given["seconds"])))
            case other:
                raise ValueError(f"no call has the effect {other!r}")

    def _rages(self, injection: Injection, when: datetime) -> bool:
        since = (when - self._terrain.start).total_seconds()
        return injection.begins <= since and (injection.ends is None or since < injection.ends)

    def _note(self, injection: Injection, what: str) -> None:
        self._cloud.record(self._terrain.scope, "FaultInjected", fault=injection.fault, act=injection.act, given=what)
