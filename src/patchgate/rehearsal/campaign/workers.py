"""Work shared among processes. They are spawned, never forked, and one that dies ends the work with an error.

``multiprocessing.Pool`` starts another process in the place of a dead one and waits for ever for the task that the dead
one had. Here every process has a pipe of its own, over which it is handed one task at a time: who dies is known, and
with what.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from patchgate.errors import PatchgateError

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST = 60
"""Processes at most: Windows waits for 63 things at once (``MAXIMUM_WAIT_OBJECTS``)."""
_LOOK = 1.0
"""Seconds after which it is looked whether a silent process still lives; its pipe tells that at once on POSIX."""
_FAREWELL = 5.0
"""Seconds that a process is given to end before it is ended by force."""


class WorkerDiedError(PatchgateError):
    """A process ended before its task did: the system ended it, or it crashed."""


@dataclass(slots=True)
class _Worker(Generic[Task]):
    """A process with our end of its pipe, and what it was last handed."""

    process: BaseProcess
    pipe: Connection
    task: Task

    def hand(self, task: Task, label: Callable[[Task], str]) -> None:
        self.task = task
        try:
            self.pipe.send(task)
        except OSError:
            raise self.died(label) from None

    def take(self, label: Callable[[Task], str]) -> Any:
        """What came of its task. Raises what the work raised, and WorkerDiedError when nothing more will come."""
        try:
            worked, value = self.pipe.recv()
        except (EOFError, OSError):
            raise self.died(label) from None
        if not worked:
            raise value
        return value

    def is_gone(self) -> bool:
        """Whether it ended without a word."""
        return not self.process.is_alive() and not self.pipe.poll()

    def died(self, label: Callable[[Task], str]) -> WorkerDiedError:
        """The error that says how it ended, and with which task."""
        self.process.join(_FAREWELL)
        how = describe_end(self.process.exitcode)
        return WorkerDiedError(
            f"the worker process {self.process.pid} {how} while it had {label(self.task)}",
            remedy="where memory was short, give fewer --jobs",
        )


def run_in_processes(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    jobs: int,
    begin: Callable[..., None],
    given: tuple[Any, ...] = (),
    label: Callable[[Task], str] = str,
) -> Generator[Result, None, None]:
    """What ``work`` makes of each task, as it is done, in any order. All that is handed over must pickle.

    Each process calls ``begin`` with what is ``given`` once, before its first task; ``label`` names a task in errors.
    Raises what either raises, with the process's traceback as a note, and WorkerDiedError for a process that died. The
    processes end with the iterator, however that ends, and with this process.
    """
    waiting = iter(tasks)
    with _ending() as workers:
        for _, task in zip(range(min(jobs, MOST)), waiting, strict=False):
            workers.append(_start(work, begin, given, task))
            workers[-1].hand(task, label)
        busy = list(workers)
        while busy:
            ready = wait([worker.pipe for worker in busy], _LOOK)
            for worker in tuple(busy):
                if worker.pipe in ready:
                    result = worker.take(label)
                    for task in waiting:
                        worker.hand(task, label)
                        break
                    else:
                        busy.remove(worker)
                    yield result
                elif worker.is_gone():
                    raise worker.died(label)


def describe_end(code: int | None) -> str:
    """How a process ended, by its exit code as multiprocessing has it: negative for a signal, None for not at all."""
    if code is None:
        return "stopped answering"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _start(
    work: Callable[[Task], Result], begin: Callable[..., None], given: tuple[Any, ...], task: Task
) -> _Worker[Task]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work, begin, given), daemon=True)
    process.start()
    theirs.close()  # so that nobody holds it but the process, and its death is the end of the pipe
    return _Worker(process, ours, task)


@contextmanager
def _ending() -> Iterator[list[_Worker[Any]]]:
    """The processes that are put in the list are ended at the end."""
    workers: list[_Worker[Any]] = []
    try:
        yield workers
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join(_FAREWELL)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()


def _serve(pipe: Connection, work: Callable[[Any], Any], begin: Callable[..., None], given: tuple[Any, ...]) -> None:
    """What a process does: begin, then one task after the other, until the pipe ends or something is raised."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    answer: tuple[bool, Any] = (True, None)
    begun = False
    while answer[0]:
        try:
            task = pipe.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        try:
            if not begun:
                begin(*given)
                begun = True
            answer = (True, work(task))
        except Exception as error:  # noqa: BLE001 - raised again in the parent
            answer = (False, _portable(error))
        try:
            pipe.send(answer)
        except OSError:  # the parent is gone
            return


def _portable(error: Exception) -> Exception:
    """An error that arrives in another process with its traceback as a note: itself, or one that says what it said."""
    told = f"in a worker process:\n{''.join(traceback.format_exception(error))}"
    error.add_note(told)
    if _arrives(error):
        return error
    if isinstance(error, PatchgateError):
        spoken: Exception = PatchgateError(str(error), remedy=error.remedy)
    else:
        spoken = RuntimeError(f"{type(error).__name__}: {error}")
    spoken.add_note(told)
    return spoken


def _arrives(error: Exception) -> bool:
    """Whether an error is the same on the other side: many a class is made of other things than its message."""
    try:
        return str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever a class of others makes of it: it does not arrive
        return False
