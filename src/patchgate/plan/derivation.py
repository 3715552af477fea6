"""A lane's four schedules from one statement of when it patches.

The distances are those of the shipped defaults: backups end, at worst, half an hour before the gate; the close comes
after the window's end, at a time of day that no clock change of the zones in question skips.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from patchgate.plan.order import OrderProof, prove_order
from patchgate.plan.order_timeline import LaneSchedules
from patchgate.schedule.derivation import Derived, Statement, shift_statement
from patchgate.schedule.months import HORIZON

_BACKUP_MARGIN_MINUTES = 30
_CLOSE_MARGINS_MINUTES = (70, 130, 190, 250)
"""After the window's end: ten minutes, an hour by which the clocks may go forward meanwhile, and further hours where
the time so found does not exist on the day of a change."""
_CALENDAR_YEARS = 28
"""After so many years dates fall on the same weekdays again, and so do clock changes by rule."""


@dataclass(frozen=True, slots=True)
class CycleTimes:
    """The lengths that a cycle is made of; ``lead_minutes`` is from the gate to the window."""

    lead_minutes: int = 30
    duration_hours: int = 3
    cutoff_hours: int = 1
    backup_start_minutes: int = 60
    backup_completion_minutes: int = 120

    @property
    def backup_minutes(self) -> int:
        """From the backup's start to the window's, in minutes."""
        worst = self.backup_start_minutes + self.backup_completion_minutes + _BACKUP_MARGIN_MINUTES
        return max(120, self.lead_minutes + worst)


@dataclass(frozen=True, slots=True)
class DerivedCycle:
    """The four schedules, and their proofs by zone. Sets of expressions are not proved: see ``is_provable``."""

    times: CycleTimes
    backup: Derived
    gate: Derived
    window: Derived
    close: Derived
    proofs: tuple[OrderProof, ...] = ()

    @property
    def schedules(self) -> tuple[Derived, Derived, Derived, Derived]:
        """In the order of a cycle."""
        return (self.backup, self.gate, self.window, self.close)

    @property
    def is_provable(self) -> bool:
        """Whether each is one expression, as the templates' parameters take them."""
        return all(len(one.expressions) == 1 for one in self.schedules)

    @property
    def has_idle_runs(self) -> bool:
        """Whether any of them runs more often than the window: gates that hold, backups that are paid for."""
        return any(one.exactness == "superset" for one in self.schedules)

    @property
    def holds(self) -> bool:
        """Whether the order is proved in every zone; False where nothing was proved."""
        return bool(self.proofs) and all(proof.holds for proof in self.proofs)

    def parameters(self) -> Mapping[str, str]:
        """Template parameters; only for a cycle that ``is_provable``."""
        times = self.times
        values = {
            "BackupSchedule": self.backup.expressions[0],
            "BackupStartWindowMinutes": str(times.backup_start_minutes),
            "BackupCompletionWindowMinutes": str(times.backup_completion_minutes),
            "CheckBackUpJobAndEnableMaintenanceWindow": self.gate.expressions[0],
            "MaintenanceWindowCronSchedule": self.window.expressions[0],
            "MaintenanceWindowDuration": str(times.duration_hours),
            "MaintenanceWindowCutoff": str(times.cutoff_hours),
            "DisableMaintenanceWindow": self.close.expressions[0],
        }
        if self.window.offset_days:
            values["MaintenanceWindowScheduleOffset"] = str(self.window.offset_days)
        return values | self._limits()

    def _limits(self) -> dict[str, str]:
        """The gate's limits, where the defaults are too narrow for these distances."""
        times = self.times
        look_back = -(-(times.backup_minutes - times.lead_minutes + 60) // 60)
        age = times.backup_minutes + 60 * (times.duration_hours - times.cutoff_hours) + 60
        wider = {"LookBackHours": (look_back, 12), "MaximumLeadMinutes": (times.lead_minutes + 60, 180)}
        wider["MaximumProofAgeMinutes"] = (age, 720)
        return {name: str(needed) for name, (needed, shipped) in wider.items() if needed > shipped}

    def lane_schedules(self, zone: str) -> LaneSchedules:
        """The values of the proof in a zone; only for a cycle that ``is_provable``."""
        limits = self._limits()
        return LaneSchedules(
            zone=zone,
            backup=self.backup.expressions[0],
            gate=self.gate.expressions[0],
            window=self.window.expressions[0],
            close=self.close.expressions[0],
            backup_start_minutes=self.times.backup_start_minutes,
            backup_completion_minutes=self.times.backup_completion_minutes,
            duration_hours=self.times.duration_hours,
            cutoff_hours=self.times.cutoff_hours,
            look_back_hours=int(limits.get("LookBackHours", 12)),
            maximum_lead_minutes=int(limits.get("MaximumLeadMinutes", 180)),
            maximum_proof_age_minutes=int(limits.get("MaximumProofAgeMinutes", 720)),
            window_offset_days=self.window.offset_days,
        )


def derive_cycle(
    statement: Statement,
    times: CycleTimes,
    zones: Sequence[str],
    start: datetime,
    until: datetime,
    *,
    pinned: tuple[int, int] | None = None,
) -> DerivedCycle:
    """The four schedules of a lane from one statement of when it patches, proved in each of ``zones``.

    ``statement`` is from ``patchgate.schedule.derivation.make_statement``: a cron expression, or words. ``times`` has
    lead, duration, cutoff and the backup's two windows. The result's ``parameters()`` are those of the templates.

    The close is the earliest that proves in every zone; else the first tried, with its violations in ``proofs``, which
    are those from ``start`` to ``until`` (aware). It is chosen by what holds for 28 years, in which every date falls on
    every weekday, so that the same statement gives the same schedules from one year to the next.
    ``pinned`` (first and last year) takes exact sets where one expression is not enough; without it, supersets. A cycle
    with a set, or for no zone, comes without proofs.
    Raises ScheduleError for an unknown zone.
    """
    lasting = max(until, _years_later(start, _CALENDAR_YEARS))
    tried: list[DerivedCycle] = []
    for cycle in _candidates(statement, times, pinned):
        if not (cycle.is_provable and zones):
            return cycle
        proved = _proved(cycle, zones, start, until)
        if proved.holds and _proved(cycle, zones, start, lasting).holds:
            return proved
        tried.append(proved)
    return next((cycle for cycle in tried if cycle.holds), tried[0])


def _candidates(statement: Statement, times: CycleTimes, pinned: tuple[int, int] | None) -> Iterator[DerivedCycle]:
    """The statement's cycles that differ by their close, the earliest first; not proved."""
    backup = shift_statement(statement, -times.backup_minutes, "backup", pinned=pinned)
    gate = shift_statement(statement, -times.lead_minutes, "scheduler", pinned=pinned)
    window = shift_statement(statement, 0, "ssm", pinned=pinned)
    for margin in _CLOSE_MARGINS_MINUTES:
        close = shift_statement(statement, 60 * times.duration_hours + margin, "scheduler", pinned=pinned)
        yield DerivedCycle(times, backup, gate, window, close)


def _proved(cycle: DerivedCycle, zones: Sequence[str], start: datetime, until: datetime) -> DerivedCycle:
    """The provable cycle with its proofs."""
    proofs = (prove_order(cycle.lane_schedules(zone), start, until, allow_idle=cycle.has_idle_runs) for zone in zones)
    return replace(cycle, proofs=tuple(proofs))


def _years_later(start: datetime, years: int) -> datetime:
    """So many years later, at the latest at the end of AWS's years."""
    return min(start + timedelta(days=365.25 * years), datetime.fromtimestamp(HORIZON, UTC))
