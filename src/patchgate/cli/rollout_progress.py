"""How far a deployment is: bars for its waves and lanes at a terminal, a line for each stack where nobody watches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from patchgate.cli.console import sanitise

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from patchgate.cli.console import Terminal
    from patchgate.operations.rollout.facts import StackKey
    from patchgate.operations.rollout.steps import PlannedWave, Step

MOST_SHOWN = 8
"""Stacks that are shown while they are worked on; an operation on a stack set may have thousands."""

_DONE = {"create": "created", "update": "updated", "remove": "removed", "leave": "left"}
_DOING = {"create": "creating", "update": "updating", "remove": "removing", "leave": "leaving"}


class LineWatcher:
    """Watcher that writes a line for everything that ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Write a line."""
        with self._lock:
            self._stream.write(f"{sanitise(text)}\n")
            self._stream.flush()

    def wave_begins(self, wave: PlannedWave, number: int, total: int) -> None:
        """See Watcher."""
        self.say(f"wave {number} of {total}, {wave.environment}: {wave.changes} changes")

    def step_begins(self, step: Step) -> None:
        """See Watcher."""

    def step_ends(self, step: Step, *, failed: bool) -> None:
        """See Watcher."""
        self.say(f"  {'failed ' if failed else _DONE[step.action]} {describe_step(step)}")

    def bakes(self, wave: PlannedWave, minutes: float) -> None:
        """See Watcher."""
        self.say(f"  {wave.environment} is through; it is looked at again in {minutes:g} minutes")

    def wave_ends(self, wave: PlannedWave) -> None:
        """See Watcher."""
        self.say(f"wave {wave.environment} is done")


class BarWatcher:
    """Watcher that draws a bar for each wave, and below it a line for every stack that is worked on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._wave: TaskID | None = None
        self._running: dict[StackKey, TaskID] = {}

    def say(self, text: str) -> None:
        """Write a line above the bars."""
        self._progress.console.print(sanitise(text), markup=False, highlight=False)

    def wave_begins(self, wave: PlannedWave, number: int, total: int) -> None:
        """See Watcher."""
        steps = sum(step.action != "leave" for step in wave.steps)
        with self._lock:
            self._wave = self._progress.add_task(f"{number}/{total} {wave.environment}", total=max(steps, 1))

    def step_begins(self, step: Step) -> None:
        """See Watcher."""
        with self._lock:
            if len(self._running) >= MOST_SHOWN:
                return
            text = f"  {_DOING[step.action]} {describe_step(step)}"
            self._running[step.key] = self._progress.add_task(sanitise(text), total=None)

    def step_ends(self, step: Step, *, failed: bool) -> None:
        """See Watcher."""
        with self._lock:
            task = self._running.pop(step.key, None)
            if task is not None:
                self._progress.remove_task(task)
            if self._wave is not None and not failed:
                self._progress.advance(self._wave)
        if failed:
            self.say(f"failed {describe_step(step)}")

    def bakes(self, wave: PlannedWave, minutes: float) -> None:
        """See Watcher."""
        self.say(f"{wave.environment} is through; it is looked at again in {minutes:g} minutes")

    def wave_ends(self, wave: PlannedWave) -> None:
        """See Watcher."""
        with self._lock:
            if self._wave is not None:
                task = self._progress.tasks[self._progress.task_ids.index(self._wave)]
                self._progress.update(self._wave, completed=task.total, description=f"{wave.environment} is done")


def describe_step(step: Step) -> str:
    """The stack, and the lane that it is for."""
    lane = step.lanes[0] if len(step.lanes) == 1 else f"{step.account}/{step.region}"
    return f"{lane}: {step.name}"


@contextmanager
def open_watcher(stream: TextIO, terminal: Terminal) -> Iterator[LineWatcher | BarWatcher]:
    """A watcher that suits the stream, for as long as the context lasts."""
    if not terminal.interactive:
        yield LineWatcher(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(file=stream, no_color=not terminal.color, width=terminal.width)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield BarWatcher(progress)
