"""The proof of order: every window of a lane has its backup, its gate and its close, in order, under every reading.

Pure: schedules and two instants in, what is broken out. Where AWS does not document what it does at a clock change, the
order must hold whatever it does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from patchgate.plan.order_cycles import Breach, Examination, Margins
from patchgate.plan.order_rules import RULES, describe_seconds
from patchgate.plan.order_timeline import LaneSchedules, ParsedSchedules, timelines
from patchgate.schedule import Outlook, Schedule, tzdata_release
from patchgate.schedule.ambiguity import skipped_occurrence, wall_clock

_DAY = 86_400
_AROUND = 9 * _DAY
"""What belongs to a window may lie that far from it: the longest look-back is a week."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold.

    ``first`` is the first window (or gate, backup, close that belongs to none) as an aware UTC datetime, None when the
    rule is not about one. ``affected`` of ``total`` break it. ``detail`` has the first case's numbers, ``mend`` what to
    do. ``reading`` names the reading of AWS's silence under which it breaks; "" when it breaks under every one.
    ``shortfall`` is what lacks at worst, in seconds.
    """

    rule: str
    first: datetime | None
    affected: int
    total: int
    detail: str
    mend: str
    reading: str = ""
    shortfall: int = 0

    @property
    def broken(self) -> str:
        """What is wrong, in words."""
        return RULES[self.rule].broken


@dataclass(frozen=True, slots=True)
class OrderProof:
    """What was proved of one set of schedules in one zone from ``start`` to ``until``; proved when nothing is broken.

    ``windows`` are the starts (epoch seconds) in AWS's documented or likeliest reading; ``readings`` counts all that
    were tried; ``spans`` are start and end of every window in any of them, also of those that run as the proof's time
    begins. ``notes`` say what is worth knowing and breaks nothing.
    """

    schedules: LaneSchedules
    start: datetime
    until: datetime
    violations: tuple[Violation, ...]
    windows: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    readings: int
    margins: Margins
    notes: tuple[str, ...]
    tzdata: str

    @property
    def holds(self) -> bool:
        """Whether the order is proved."""
        return not self.violations


@lru_cache(maxsize=4096)
def prove_order(lane: LaneSchedules, start: datetime, until: datetime, *, allow_idle: bool = False) -> OrderProof:
    """Prove the order of every window from ``start`` (inclusive) to ``until`` (exclusive), both aware.

    ``allow_idle`` accepts gates, backups and closes that belong to no window. Lanes of equal schedules and zones share
    one proof. Raises ScheduleError for an expression that AWS refuses and for an unknown zone.
    """
    schedules = lane.parsed()
    rates = [_rate(schedule, name) for schedule, name in zip(schedules.all, _PARAMETERS, strict=True)]
    if broken := [violation for violation in rates if violation]:
        return OrderProof(lane, start, until, tuple(broken), (), (), 0, Margins(), (), tzdata_release())
    first, last = int(start.timestamp()), int(until.timestamp())
    examined = [
        Examination(lane, timeline, first, last).run()
        for timeline in timelines(lane, schedules, first - _AROUND, last + _AROUND)
    ]
    violations = [*_static(lane, examined), *_violations(lane, schedules, examined, allow_idle=allow_idle)]
    margins = Margins()
    for one in examined:
        margins = margins.merged(one.margins)
    windows = tuple(begin for begin, _ in examined[0].timeline.cycles if first <= begin < last)
    notes = _notes(schedules, examined) + _expiry(lane, schedules.window, windows, until)
    return OrderProof(
        lane,
        start,
        until,
        tuple(violations),
        windows,
        _spans(examined, first, last),
        len(examined),
        margins,
        notes,
        tzdata_release(),
    )


def _spans(examined: list[Examination], first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Every window of every reading that runs between two instants, ascending."""
    every: Iterable[tuple[int, int]] = examined[0].timeline.cycles
    if len(examined) > 1:
        every = sorted({span for one in examined for span in one.timeline.cycles})
    return tuple([span for span in every if span[1] > first and span[0] < last])


_PARAMETERS = (
    "BackupSchedule",
    "CheckBackUpJobAndEnableMaintenanceWindow",
    "MaintenanceWindowCronSchedule",
    "DisableMaintenanceWindow",
)


def _rate(schedule: Schedule, parameter: str) -> Violation | None:
    if schedule.kind != "rate":
        return None
    return Violation("rate-schedule", None, 1, 1, f"{parameter} is {schedule.expression}", RULES["rate-schedule"].mend)


def _static(lane: LaneSchedules, examined: list[Examination]) -> Iterable[Violation]:
    most = max(one.windows for one in examined)
    if most == 0:
        schedule = lane.parsed().window
        outlook = schedule.outlook(
            lane.zone, datetime.fromtimestamp(examined[0].start, UTC), offset_days=lane.window_offset_days
        )
        detail = f"{lane.window}: {outlook}" if outlook != "active" else f"{lane.window} has no start in that time"
        yield Violation("window-never", None, 0, 0, detail, RULES["window-never"].mend)
    if lane.cutoff_hours >= lane.duration_hours:
        detail = f"it lasts {lane.duration_hours} h, and starts nothing in the last {lane.cutoff_hours} h"
        yield Violation("no-install-time", None, most, most, detail, RULES["no-install-time"].mend)


def _violations(
    lane: LaneSchedules, schedules: ParsedSchedules, examined: list[Examination], *, allow_idle: bool
) -> Iterable[Violation]:
    for code, rule in RULES.items():
        if rule.idle and allow_idle:
            continue
        found = [(one.breaches[code], one.timeline.reading) for one in examined if code in one.breaches]
        if not found:
            continue
        breach, reading = max(found, key=lambda each: (each[0].affected, each[0].shortfall))
        yield Violation(
            code,
            datetime.fromtimestamp(breach.first, UTC),
            breach.affected,
            breach.total,
            describe_breach(breach, lane, schedules),
            rule.mend.format(shortfall=describe_seconds(_minutes_up(breach.shortfall))),
            reading if len(found) < len(examined) else "",
            breach.shortfall,
        )


def describe_breach(breach: Breach, lane: LaneSchedules, schedules: ParsedSchedules) -> str:
    """The first case in numbers, and the clock change behind it, if one is."""
    skipping = {"gate-missing": schedules.gate, "backup-missing": schedules.backup, "close-missing": schedules.close}
    if breach.rule in skipping:
        skipped = skipped_occurrence(skipping[breach.rule], lane.zone, breach.first - _DAY, breach.first + 2 * _DAY)
        if skipped is not None:
            return f"{skipped.wall:%H:%M} does not exist on {skipped.wall:%Y-%m-%d}: the clocks go forward"
    says = _DETAILS.get(breach.rule)
    if says is None:
        return ""
    if not breach.nearest:
        return says[1]
    return says[0].format(
        at=f"{_wall(breach.nearest, lane):%a %Y-%m-%d %H:%M}",
        distance=describe_seconds(breach.nearest - breach.first),
        worst=describe_seconds(breach.shortfall),
        duration=lane.duration_hours,
    )


_DETAILS = {
    "windows-overlap": ("the next one starts {distance} later, {worst} too early at worst", ""),
    "windows-too-close": ("the gate of the window before is at {at}; too late by {worst} at worst", ""),
    "gate-missing": ("the last gate before it is at {at}, {distance} earlier", "there is none in the week before it"),
    "gate-repeated": ("another gate is at {at}", ""),
    "gate-too-close": ("the gate is at {at}, {distance} before the window", ""),
    "backup-missing": ("the next backup is at {at}", "there is none in the week after it"),
    "backup-repeated": ("an earlier backup is at {at}", ""),
    "backup-in-window": ("the backup is at {at}; too early by {worst} at worst", ""),
    "backup-unfinished": ("at worst it ends at {at}, {worst} after the gate", ""),
    "backup-too-close": ("the backup is at {at}, {distance} before the window", ""),
    "backup-before-look-back": ("the backup is at {at}, {worst} before the look-back begins", ""),
    "look-back-too-tight": ("the backup is at {at}", ""),
    "proof-too-old": ("the backup is at {at}; too old by {worst} at worst", ""),
    "close-missing": ("the next close is at {at}, {distance} later", "there is none in the week after it"),
    "close-too-early": ("the close is at {at}, {distance} after the start of a window that lasts {duration} h", ""),
    "close-too-late": ("the close is at {at}; too late by {worst} at worst", ""),
    "close-repeated": ("another close is at {at}", ""),
}


def _wall(epoch: int, lane: LaneSchedules) -> datetime:
    return wall_clock(datetime.fromtimestamp(epoch, UTC), lane.zone)


def _minutes_up(seconds: int) -> int:
    return -(-seconds // 60) * 60


def _expiry(lane: LaneSchedules, window: Schedule, windows: tuple[int, ...], until: datetime) -> tuple[str, ...]:
    """That the last of the windows is the last one ever: what is proved ends there, and so does patching."""
    before = until - timedelta(seconds=1)
    if not windows or window.outlook(lane.zone, before, offset_days=lane.window_offset_days) is Outlook.ACTIVE:
        return ()
    last = f"{_wall(windows[-1], lane):%a %Y-%m-%d %H:%M}"
    return (f"the last window is {last} local time; then the schedule has expired",)


def _notes(schedules: ParsedSchedules, examined: list[Examination]) -> tuple[str, ...]:
    notes = [f"not documented by AWS: {notice.text}: {notice.rule}" for notice in schedules.undocumented]
    repeated = max(one.timeline.repeated for one in examined)
    if repeated:
        notes.append(
            f"{repeated} time{'' if repeated == 1 else 's'} a clock change repeats the window's start while it runs: "
            "AWS may skip the second start "
            "(SKIPPED_OVERLAPPING) or run it; one gate and one lease cover both"
        )
    return tuple(notes)
