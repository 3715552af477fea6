"""Work shared among processes: all of it is done once, or there is an error that says who died with what."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from multiprocessing import active_children

import pytest

from patchgate.errors import InputError, PatchgateError, Problem
from patchgate.rehearsal.campaign.series import Series, run_chunks
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.rehearsal.campaign.workers import WorkerDiedError, describe_end, run_in_processes
from tests.patience import within_patience

_BEGUN: list[int] = []


class MadeOfOtherThingsError(PatchgateError):
    """An error that cannot be made of its message, as pickle makes them."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}", remedy="look there")


def begin(offset: int) -> None:
    """What a process does first."""
    _BEGUN.append(offset)


def begin_badly(_offset: int) -> None:
    """A beginning that cannot be."""
    raise InputError(problems=(Problem("is wrong", "a.yaml", 3, 1),), remedy="correct it")


def work(task: int) -> int:
    """What the processes are for: a few tasks go wrong, each in a way of its own."""
    match task:
        case 101:
            os._exit(7)
        case 102:
            os.kill(os.getpid(), signal.SIGKILL)
        case 103:
            raise MadeOfOtherThingsError("here", "no room")
        case 104:
            raise KeyError("somewhere")
        case 105:
            sys.exit(9)
    (offset,) = _BEGUN
    return task + offset


def carry_out(*tasks: int, jobs: int = 2, first: Callable[[int], None] = begin) -> list[int]:
    """The tasks in processes."""

    def label(task: int) -> str:
        return f"task {task}"

    found = run_in_processes(work, tasks, jobs=jobs, begin=first, given=(1000,), label=label)
    return sorted(within_patience(lambda: list(found)))


@pytest.mark.parametrize(("tasks", "jobs"), [(range(7), 2), (range(1), 3), (range(2), 1), (range(0), 2)])
def test_every_task_is_done_once(tasks: range, jobs: int) -> None:
    assert carry_out(*tasks, jobs=jobs) == [1000 + task for task in tasks]
    assert not active_children()


@pytest.mark.parametrize(
    ("task", "how"),
    [
        (101, "ended with exit code 7"),
        pytest.param(102, "was ended by SIGKILL", marks=pytest.mark.skipif(os.name == "nt", reason="POSIX signals")),
        (105, "ended with exit code 9"),
    ],
)
def test_a_process_that_dies_is_an_error_and_ends_the_others(task: int, how: str) -> None:
    with pytest.raises(WorkerDiedError, match=rf"the worker process [0-9]+ {how} while it had task {task}") as caught:
        carry_out(1, 2, task, 3, 4)
    assert "fewer --jobs" in caught.value.remedy
    assert not active_children()


def test_what_a_process_raises_is_raised_here_with_its_traceback() -> None:
    with pytest.raises(KeyError, match="somewhere") as caught:
        carry_out(1, 104, 2)
    (note,) = caught.value.__notes__
    assert "in a worker process" in note
    assert 'raise KeyError("somewhere")' in note
    assert not active_children()


def test_an_error_that_does_not_pickle_keeps_its_words() -> None:
    with pytest.raises(PatchgateError, match="here") as caught:
        carry_out(103)
    assert (str(caught.value), caught.value.remedy) == ("here: no room", "look there")
    assert "MadeOfOtherThingsError" in caught.value.__notes__[0]


def test_a_beginning_that_fails_is_an_error() -> None:
    with pytest.raises(InputError, match=r"a\.yaml:3:1: is wrong") as caught:
        carry_out(1, 2, 3, first=begin_badly)
    assert caught.value.problems[0].line == 3
    assert not active_children()


def test_a_reader_that_leaves_ends_the_processes() -> None:
    with closing(run_in_processes(work, range(50), jobs=2, begin=begin, given=(0,))) as found:
        assert within_patience(lambda: next(found)) in range(50)
        assert len(active_children()) == 2
    assert not active_children()


def test_a_series_whose_process_is_killed_ends_with_its_seeds() -> None:
    series = Series(runs=400, mix="none", shapes=SHAPES[:1])
    with closing(run_chunks(series, series.chunks(), jobs=2)) as parts:
        within_patience(lambda: next(parts))
        for process in active_children():
            process.kill()
        with pytest.raises(WorkerDiedError, match=r"while it had seeds [0-9]*0 to [0-9]*9$"):
            within_patience(lambda: list(parts))
    assert not active_children()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (1, "ended with exit code 1"),
        (-signal.SIGTERM, "was ended by SIGTERM"),
        (-250, "was ended by signal 250"),
        (None, "stopped answering"),
    ],
)
def test_how_a_process_ended_is_told(code: int | None, said: str) -> None:
    assert describe_end(code) == said
