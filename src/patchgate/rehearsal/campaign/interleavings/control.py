"""The embedded AWS as a system that can be searched: each API call of an actor waits until its turn is given.

Within a search no time passes: calls take none, and the clock stands still until every actor has ended. Then the rest
happens as in any run, with latency, retries, the window, its close and a watchdog, and the judge reads the history.

Every actor draws chance, and counts its requests, from a stream of its own: what it makes (ids, tokens) is then named
alike, whoever else drew meanwhile, and equal states have equal histories to the byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.errors import AwsError
from patchgate.emulator.history import iso
from patchgate.emulator.kernel import ProcessKilled, ThrownByKernel
from patchgate.judge.judge import judge
from patchgate.rehearsal.campaign.adversary import READS
from patchgate.rehearsal.campaign.interleavings.graph import Choice, Kind
from patchgate.rehearsal.campaign.interleavings.search import Observation, Verdict
from patchgate.rehearsal.campaign.unemulated import refuse_unemulated

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Scope
    from patchgate.emulator.kernel import Process
    from patchgate.emulator.meddling import Call
    from patchgate.emulator.snapshot import Snapshot
    from patchgate.judge.lane import LaneFacts

CRASH = "Runtime exited without providing a reason"
_FOR_EVER = timedelta(days=365).total_seconds()
_REQUESTS_OF_EACH = 1_000_000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes part. ``begin`` starts its program in a cloud, as the operator or a schedule would; the program's first
    API call then waits for its turn. An actor with an ``act`` instead is one call of the operator, made in one step.

    ``delivery`` is the schedule's firing that the actor stands for: (schedule, scheduled time).
    """

    name: str
    begin: Callable[[Cloud], object] | None = None
    act: Callable[[Cloud], object] | None = None
    call: str = ""
    delivery: tuple[str, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Where actors meet. ``taken`` is a snapshot a moment before ``at``, the instant at which they start; the run goes
    on until ``end``, and the judge knows the lane by ``facts``.
    """

    taken: Snapshot
    at: datetime
    end: datetime
    facts: LaneFacts


class Withheld:
    """A meddler that loses deliveries of schedules, (schedule, scheduled time) each, and does nothing else."""

    def __init__(self, deliveries: frozenset[tuple[str, datetime]]) -> None:
        self._deliveries = deliveries

    def before(self, call: Call) -> None:
        """As Meddler says."""

    def after(self, call: Call) -> None:
        """As Meddler says."""

    def deliveries(self, scope: Scope, schedule: str, scheduled_at: datetime) -> Sequence[timedelta]:  # noqa: ARG002
        """As Meddler says."""
        return () if (schedule, scheduled_at) in self._deliveries else (timedelta(0),)

    def page_size(self, call: Call) -> int | None:  # noqa: ARG002 - as Meddler says
        """As Meddler says."""
        return None

    def was_cut(self, call: Call) -> None:
        """As Meddler says."""

    def refuses(self, scope: Scope, schedule: str) -> bool:  # noqa: ARG002 - as Meddler says
        """As Meddler says."""
        return False

    def throttles(self, scope: Scope, function: str) -> bool:  # noqa: ARG002 - as Meddler says
        """As Meddler says."""
        return False


class OutOfTurnError(ThrownByKernel):
    """Somebody else than the actors made a call: no program may take it for its own failure."""


class ControlledDoor(DirectDoor):
    """A direct door whose programs' calls wait for their turn while a ``run`` is under way."""

    run: ControlledRun | None = None

    def carry_out(self, scope: Scope, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """As Door says."""
        if self.run is None or self.cloud.kernel.current is None or not scope.principal:
            return super().carry_out(scope, service, operation, params)

        def work() -> dict[str, Any]:
            return super(ControlledDoor, self).carry_out(scope, service, operation, params)

        return self.run.called(f"{service}:{operation}", params, work)


class EmbeddedSystem:
    """search.System: some actors in a scene, on a cloud behind a ControlledDoor."""

    def __init__(self, door: ControlledDoor, scene: Scene, actors: Sequence[Actor]) -> None:
        self._door = door
        self._scene = scene
        self._cast = tuple(actors)
        self.actors = tuple(actor.name for actor in actors)
        self.mortal = tuple(actor.act is None for actor in actors)

    def begin(self) -> ControlledRun:
        """As System says."""
        return ControlledRun(self._door, self._scene, self._cast)


class ControlledRun:
    """search.Run: from the snapshot on, each step as it is chosen."""

    def __init__(self, door: ControlledDoor, scene: Scene, cast: Sequence[Actor]) -> None:
        self._door, self._scene, self._cast = door, scene, cast
        self._cloud = cloud = door.cloud
        door.run = None
        cloud.restore(scene.taken)
        self._latency, cloud.api_latency = cloud.api_latency, 0.0
        withheld = frozenset(actor.delivery for actor in cast if actor.delivery)
        cloud.meddler = Withheld(withheld)
        self.calls = [actor.call for actor in cast]
        self._processes: list[Process | None] = [None] * len(cast)
        self._streams: list[Any] = [None] * len(cast)
        self._requests = [_REQUESTS_OF_EACH * (number + 1) for number in range(len(cast))]
        self._turn = -1
        self._kind = Kind.CALL
        self._learned = ""
        self._changes: list[str] = []
        self._recorded = 0
        self._start()

    def _start(self) -> None:
        """Bring every program to its first call. A runbook takes a moment to begin: it is started before the rest."""
        cloud, scene = self._cloud, self._scene
        self._door.run = self

        def start(actor: Actor) -> None:
            if actor.begin is not None:
                actor.begin(cloud)
            cloud.kernel.run_until(scene.at)

        for number, actor in sorted(enumerate(self._cast), key=lambda each: each[1].delivery is not None):
            if actor.act is None:
                self._as_actor(number, partial(start, actor))
        self._turn = -1
        cloud.kernel.run_until(scene.at)
        silent = [actor.name for actor, call in zip(self._cast, self.calls, strict=True) if not call]
        if silent:
            raise RuntimeError(f"at {scene.at.isoformat()} no call is made by {', '.join(silent)}")

    def _as_actor(self, number: int, work: Callable[[], object]) -> None:
        """Do something with an actor's own chance and its own count of requests."""
        cloud = self._cloud
        if self._streams[number] is None:
            cloud.random.seed(f"actor {number}")
        else:
            cloud.random.setstate(self._streams[number])
        cloud.requests = self._requests[number]
        self._turn = number
        work()
        self._streams[number] = cloud.random.getstate()
        self._requests[number] = cloud.requests

    # A program's call, in its process

    def called(self, label: str, params: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A call of the process that runs: waits for its turn, and is carried out."""
        kernel = self._cloud.kernel
        process, number = kernel.current, self._turn
        if process is None or number < 0 or self._processes[number] not in (None, process):
            raise OutOfTurnError(f"{label} of {process.name if process else 'nobody'}, whose turn it is not")
        self._processes[number], self.calls[number] = process, label
        kernel.sleep(_FOR_EVER)
        if self._kind is Kind.CRASH_BEFORE:
            raise ProcessKilled(CRASH)
        reads = label.partition(":")[2].startswith(READS)
        try:
            answer = work()
        except AwsError as error:
            self._note(label, params, {"error": [error.code, error.message]}, reads=reads)
            if self._kind is Kind.CRASH_AFTER:
                raise ProcessKilled(CRASH) from None
            raise
        self._note(label, params, answer, reads=reads)
        if self._kind is Kind.CRASH_AFTER:
            raise ProcessKilled(CRASH)
        return answer

    def _note(self, label: str, params: dict[str, Any], answer: dict[str, Any], *, reads: bool) -> None:
        self._learned = _text([label, params, answer])
        self._take_records()
        if not reads:
            self._changes.append(_digest(self._learned))

    def _take_records(self) -> None:
        """What the history holds since the last time, without the records' numbers: their places say them."""
        for record in islice(self._cloud.history, self._recorded, None):
            self._changes.append(_digest(_text({key: value for key, value in record.items() if key != "seq"})))
        self._recorded = len(self._cloud.history)

    # Steps

    def step(self, choice: Choice) -> Observation:
        """As Run says."""
        number, self._kind = choice.actor, choice.kind
        self._learned, self._changes, self.calls[number] = "", [], ""
        self._recorded = len(self._cloud.history)
        actor, process = self._cast[number], self._processes[number]
        if actor.act is not None:
            self._as_actor(number, partial(actor.act, self._cloud))
        else:
            self._as_actor(number, partial(self._resume, process))
        self._take_records()
        following = self.calls[number]
        if not following:
            self._changes.append("ends" if choice.kind is Kind.CALL else "crashes")
        if not any(self.calls):
            self._door.run = None  # from here on calls are made as ever
        return Observation(tuple(self._changes), _digest(self._learned), following)

    def _resume(self, process: Process | None) -> None:
        kernel = self._cloud.kernel
        if process is None or process.wake is None:
            raise RuntimeError("the actor waits for no turn")
        process.wake.cancel()
        kernel.resume_now(process)
        kernel.run_until(self._scene.at)
        if not process.finished and not self.calls[self._turn]:
            raise RuntimeError(f"{process.name} waits for something else than its turn")

    def finish(self) -> Verdict:
        """As Run says."""
        cloud = self._cloud
        cloud.api_latency = self._latency
        cloud.random.seed("when all have ended")
        cloud.requests = _REQUESTS_OF_EACH * (len(self._cast) + 1)
        with refuse_unemulated(cloud.history, of_others=False):
            cloud.kernel.run_until(self._scene.end)
        facts = replace(self._scene.facts, end=self._scene.end)
        judgement = judge(cloud.history, lanes=[facts])
        digest = hashlib.sha256(cloud.history.to_json_lines().encode("ascii")).hexdigest()
        return Verdict(digest, tuple(str(violation) for violation in judgement.violations))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"a {type(value).__name__} in a call or its answer")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
