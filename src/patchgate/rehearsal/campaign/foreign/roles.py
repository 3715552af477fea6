"""Who opens a lane's windows and who closes them: the scheduled functions that run just before them and just after."""

from __future__ import annotations

from datetime import datetime, timedelta

from patchgate.errors import InputError
from patchgate.judge.left_open import LONGEST_OPEN
from patchgate.rehearsal.campaign.foreign.deployed import Deployed, Scheduled
from patchgate.rehearsal.campaign.foreign.due import first_after, last_until
from patchgate.rehearsal.campaign.foreign.lanes import ForeignLane

Windows = tuple[tuple[datetime, datetime], ...]
"""The (start, end) of a lane's windows in a run, ascending."""
_LONGEST_LEAD = timedelta(hours=24)
_SECOND = timedelta(seconds=1)


def gate_before(start: datetime, opens: Scheduled, now: datetime) -> datetime | None:
    """When a function runs last in the day before a window's start, and after ``now``, in which a run begins.

    What is due with the start comes after it: schedules run within the minute of their time, windows at theirs.
    """
    return last_until(opens.due, start - _SECOND, max(start - _LONGEST_LEAD - _SECOND, now))


def close_after(window: tuple[datetime, datetime], closes: Scheduled) -> datetime | None:
    """When a function runs first after a window's start, at the latest a day after its end."""
    start, end = window
    return first_after(closes.due, start, end + LONGEST_OPEN)


def roles_of(
    deployed: Deployed, lane: ForeignLane, lanes: tuple[ForeignLane, ...], windows: Windows
) -> tuple[Scheduled | None, Scheduled | None]:
    """The functions that run last before a window's start and first after it, in the first cycle that has one: of those
    that are told of the window, and where none of them does, of those that are told of no other.
    """
    programs = list(deployed.programs())
    own = [each for each in programs if each.names(lane.window_id, lane.window_name)]
    others = [other for other in lanes if other.window_id != lane.window_id]
    free = [each for each in programs if not any(each.names(one.window_id, one.window_name) for one in (lane, *others))]
    _refuse_dormant(own or free, lane, windows)
    now = deployed.cloud.now
    opens = _last_before(own, windows, now) or _last_before(free, windows, now)
    closes = _first_after([each for each in own if each is not opens], windows)
    return opens, closes or _first_after([each for each in free if each is not opens], windows)


def _refuse_dormant(programs: list[Scheduled], lane: ForeignLane, windows: Windows) -> None:
    """InputError for a schedule that does not begin before the last window of a run: nobody would see its function."""
    for each in programs:
        if each.begins is not None and each.begins > windows[-1][0]:
            first, last = (f"{start:%Y-%m-%d}" for start, _ in (windows[0], windows[-1]))
            raise InputError(
                f"the schedule {each.schedule} runs {each.function} from its StartDate, {each.begins:%Y-%m-%d %H:%M}, "
                f"on: the windows {lane.window_name} of a campaign's run are from {first} to {last}",
                remedy="rehearse it with an earlier StartDate, or without",
            )


def _last_before(programs: list[Scheduled], windows: Windows, now: datetime) -> Scheduled | None:
    """Who runs last in the day before a window's start: before the first one that anybody runs before."""
    for start, _ in windows:
        last = [(gate_before(start, each, now), each) for each in programs]
        runs = [(when, each) for when, each in last if when is not None]
        if runs:
            return max(runs, key=lambda run: run[0])[1]
    return None


def _first_after(programs: list[Scheduled], windows: Windows) -> Scheduled | None:
    """Who runs first after a window's start, at the latest a day after its end: after the first one that has such."""
    for start, end in windows:
        first = [(close_after((start, end), each), each) for each in programs]
        runs = [(when, each) for when, each in first if when is not None]
        if runs:
            return min(runs, key=lambda run: run[0])[1]
    return None
