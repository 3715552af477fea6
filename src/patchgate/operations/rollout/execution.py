"""A plan carried out: wave by wave, in each stage by stage, and in a stage several stacks at once.

The first failure ends its wave: what is under way comes to its end, nothing new begins, later waves do not either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from patchgate.errors import PatchgateError
from patchgate.operations.deployment import CAPABILITIES
from patchgate.operations.ports import StackFailedError
from patchgate.operations.rollout.ports import StackSetFailedError
from patchgate.operations.rollout.set_execution import SetExecution
from patchgate.operations.rollout.steps import STAGES, Plan, PlannedWave, SetStep, Stage, Step

if TYPE_CHECKING:
    from patchgate.operations.ports import StackControl
    from patchgate.operations.rollout.facts import Place, StackKey
    from patchgate.operations.rollout.journal import Journal
    from patchgate.operations.rollout.ports import StackSetControl, Watcher

WORKERS = 8
_LOOK_AGAIN = 0.5
_BUCKET = "S3Bucket"
_LANES_LISTED = 2
GO_ON = "run the same again: it goes on from here"

Confirm = Callable[[PlannedWave], Sequence[str]]
"""Reads a wave's stacks anew; what is not as it should be."""


class StoppedError(PatchgateError):
    """The operator stopped the deployment."""

    exit_code = 130


class LaneFailedError(PatchgateError):
    """A stack failed, or an operation on a stack set: with the lanes that it is for."""


class WaveFailedError(PatchgateError):
    """A wave failed; ``failures`` are the errors of its stacks."""

    def __init__(self, environment: str, failures: Sequence[Exception]) -> None:
        lines = "\n".join(f"  {each}" for each in failures)
        remedies = dict.fromkeys(each.remedy for each in failures if isinstance(each, PatchgateError) and each.remedy)
        way_on = "then run the same again: what is done stays, and later waves have not begun"
        super().__init__(f"wave {environment} failed:\n{lines}", remedy="; ".join([*remedies, way_on]))
        self.failures = failures


class StopSignal:
    """Ends all waiting at once: ``pause`` raises StoppedError as soon as ``set`` was called."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Stop everything that waits."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether it was asked for."""
        return self._event.is_set()

    def pause(self, seconds: float) -> None:
        """Let so much time pass."""
        if self._event.wait(seconds):
            raise StoppedError("stopped while waiting")


@dataclass(slots=True)
class Execution:
    """Carries out one plan. ``done``: stacks and sets that an earlier attempt finished, ``failed``: stacks that it
    began and AWS rolled back. ``bake`` is in minutes.
    """

    plan: Plan
    stacks: StackControl
    sets: StackSetControl | None
    journal: Journal
    watcher: Watcher
    stop: StopSignal
    confirm: Confirm
    bake: float = 0
    workers: int = WORKERS
    done: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    _fingerprint: str = ""
    _buckets: dict[StackKey, str] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _done: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Carry it out. Raises WaveFailedError, and StoppedError on Ctrl-C."""
        self._fingerprint = self.plan.fingerprint
        self._record("begin", stacks=self.plan.changes)
        waves = [wave for wave in self.plan.waves if wave.changes]
        for number, wave in enumerate(waves, 1):
            self.watcher.wave_begins(wave, number, len(waves))
            self._run_wave(wave)
            self._bake(wave, self.bake if number < len(waves) else 0)
            self._record("wave-done", wave=wave.environment)
            self.watcher.wave_ends(wave)
        self._record("end")

    def _run_wave(self, wave: PlannedWave) -> None:
        for stage in STAGES:
            self._run_stage(wave, list(self._tasks(wave, stage, removing=False)))
        for stage in reversed(STAGES):
            self._run_stage(wave, list(self._tasks(wave, stage, removing=True)))

    def _tasks(self, wave: PlannedWave, stage: Stage, *, removing: bool) -> Iterator[Callable[[], None]]:
        """What is to do in a stage: plain stacks one by one, a stack set with all of its instances."""
        steps = [
            step
            for step in wave.steps
            if step.stage == stage
            and (step.action == "remove") == removing
            and step.action != "leave"
            and "/".join(step.key) not in self.done
        ]
        for step in steps:
            if not step.stack_set:
                yield partial(self._stack, step)
        sets = {
            each.name: replace(each, action="leave") if each.name in self.done else each
            for each in wave.sets
            if each.stage == stage
        }
        for name in dict.fromkeys([step.stack_set for step in steps if step.stack_set] + list(sets)):
            change = sets.get(name)
            mine = [step for step in steps if step.stack_set == name]
            whole = change is not None and (change.action == "remove") == removing and change.action != "leave"
            if mine or whole:
                yield partial(self._set, name, change, mine, removing=removing)

    def _run_stage(self, wave: PlannedWave, tasks: Sequence[Callable[[], None]]) -> None:
        failures: list[Exception] = []
        waiting, running = list(reversed(tasks)), set[Future[None]]()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="deploy") as pool:
            try:
                while running or (waiting and not failures):
                    while waiting and len(running) < self.workers and not failures:
                        running.add(pool.submit(waiting.pop()))
                    over, running = wait(running, timeout=_LOOK_AGAIN, return_when=FIRST_COMPLETED)
                    failures += [error for each in over if isinstance(error := each.exception(), Exception)]
            except KeyboardInterrupt:
                self.stop.set()
                wait(running)
                self._record("stopped", wave=wave.environment)
                raise StoppedError(self._describe_stop(wave), remedy=GO_ON) from None
        defects = [each for each in failures if not isinstance(each, PatchgateError)]
        if failures:
            self._record("failed", wave=wave.environment, reasons=[str(each) for each in failures])
            if defects:
                raise defects[0]
            raise WaveFailedError(wave.environment, failures)

    def _describe_stop(self, wave: PlannedWave) -> str:
        open_ones = sorted(self._begun - self._done)
        said = f"stopped in wave {wave.environment}: {len(self._done)} of {len(self._changing())} stacks are done"
        if open_ones:
            said += f"; AWS goes on by itself with {', '.join(open_ones)}"
        return said

    def _changing(self) -> list[Step]:
        return [step for step in self.plan.steps() if step.action != "leave"]

    def _stack(self, step: Step) -> None:
        try:
            self._change_stack(step)
        except StackFailedError as error:
            raise LaneFailedError(f"{_describe_lanes(step)}: {error}", remedy=error.remedy) from error

    def _change_stack(self, step: Step) -> None:
        account, region, name = step.key
        with _Watched(self, [step]):
            left_over = step.action == "create" and "/".join(step.key) in self.failed
            if step.action == "remove" or step.clear_first or left_over:
                self.stacks.delete(account, region, name)
            if step.action != "remove":
                parameters = dict(step.parameters) | self._bucket_of(step)
                body, tags = self.plan.bodies[step.template], dict(step.tags)
                capabilities = CAPABILITIES if step.stage != "freezes" else ()
                result = self.stacks.create_or_update(account, region, name, body, parameters, capabilities, tags)
                if step.stage == "logs":
                    self._buckets[step.key] = result.outputs["BucketName"]

    def _set(self, name: str, change: SetStep | None, steps: Sequence[Step], *, removing: bool) -> None:
        if self.sets is None or self.plan.administration is None:
            raise PatchgateError(f"the plan has stack set {name}, but does not say where it is")
        watched = _Watched(self, steps)
        execution = SetExecution(self.sets, self.plan.administration, self.plan.bodies, watched.tell)
        resolved = self._bucket_of(change) if change is not None else {}
        try:
            with watched:
                if removing:
                    execution.remove(name, steps, whole=change is not None and change.action == "remove")
                elif change is not None:
                    execution.deploy(change, steps, resolved)
        except StackSetFailedError as error:
            lanes = {step.place: _describe_lanes(step) for step in steps}
            lines = [f"{lanes.get(at, '')} ({'/'.join(at)}): {said}" for at, said in sorted(error.places.items())]
            message = "\n    ".join([f"stack set {name}: {error.reason}", *lines])
            raise LaneFailedError(message, remedy=error.remedy) from error

    def _bucket_of(self, step: Step | SetStep) -> dict[str, str]:
        """S3Bucket, where only the log bucket's stack knows it."""
        key = step.bucket_of
        if key is None:
            return {}
        if key not in self._buckets:
            found = self.stacks.describe(*key)
            if found is None or "BucketName" not in found.outputs:
                raise PatchgateError(f"stack {'/'.join(key)} has no log bucket", remedy="deploy again")
            self._buckets[key] = found.outputs["BucketName"]
        return {_BUCKET: self._buckets[key]}

    def _bake(self, wave: PlannedWave, minutes: float) -> None:
        """Look at the wave again, so many minutes later."""
        if minutes:
            self.watcher.bakes(wave, minutes)
            try:
                self.stop.pause(minutes * 60)
            except KeyboardInterrupt:
                self.stop.set()
                self._record("stopped", wave=wave.environment)
                raise StoppedError(self._describe_stop(wave), remedy=GO_ON) from None
        if problems := self.confirm(wave):
            failures = [PatchgateError(each) for each in problems]
            self._record("failed", wave=wave.environment, reasons=list(problems))
            raise WaveFailedError(wave.environment, failures)

    def _record(self, event: str, **facts: object) -> None:
        self.journal.record(event, self._fingerprint, **facts)

    def note_begun(self, step: Step) -> None:
        """Record that a stack is worked on."""
        key = "/".join(step.key)
        self._begun.add(key)
        self._record("begun", stack=key, action=step.action)
        self.watcher.step_begins(step)

    def note_done(self, step: Step) -> None:
        """Record that a stack is as it should be."""
        key = "/".join(step.key)
        self._done.add(key)
        self._record("done", stack=key)


def _describe_lanes(step: Step) -> str:
    """The lanes that a stack is for."""
    if len(step.lanes) <= _LANES_LISTED:
        return ", ".join(step.lanes) or f"{step.account}/{step.region}"
    return f"{', '.join(step.lanes[:_LANES_LISTED])} and {len(step.lanes) - _LANES_LISTED} more lanes"


class _Watched:
    """A context in which steps are worked on: journal and watcher hear of their begin and of their end."""

    def __init__(self, execution: Execution, steps: Sequence[Step]) -> None:
        self._execution = execution
        self._steps = {step.place: step for step in steps}
        self._open = dict(self._steps)

    def __enter__(self) -> None:
        for step in self._steps.values():
            self._execution.note_begun(step)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for place, step in self._steps.items():
            if error is None:
                self._execution.note_done(step)
            if not isinstance(error, StoppedError):
                self.tell(place, succeeded=error is None)

    def tell(self, place: Place, succeeded: bool) -> None:  # noqa: FBT001 - as Told says
        """Tell the watcher, once, that a stack's part is over."""
        step = self._open.pop(place, None)
        if step is not None:
            self._execution.watcher.step_ends(step, failed=not succeeded)
