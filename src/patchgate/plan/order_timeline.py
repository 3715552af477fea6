"""A lane's four schedules as instants, in every reading that AWS leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Self

from patchgate.errors import InputError
from patchgate.schedule import Notice, Occurrence, Schedule, parse
from patchgate.schedule.ambiguity import reading_choices, uncertain_occurrences

_OFFSET = "MaintenanceWindowScheduleOffset"


@dataclass(frozen=True, slots=True)
class LaneSchedules:
    """What decides the order of a lane's cycles: its zone, four expressions, and the times around them.

    The names are those of the templates' parameters. Equal values have equal proofs, whatever the lane.
    """

    zone: str
    backup: str
    gate: str
    window: str
    close: str
    backup_start_minutes: int = 60
    backup_completion_minutes: int = 120
    duration_hours: int = 3
    cutoff_hours: int = 1
    look_back_hours: int = 12
    maximum_lead_minutes: int = 180
    maximum_proof_age_minutes: int = 720
    window_offset_days: int = 0

    @classmethod
    def from_parameters(cls, values: Mapping[str, str], zone: str) -> Self:
        """From the parameters of the templates, all of them given. InputError for one that is not a whole number."""
        return cls(
            zone=zone,
            backup=values["BackupSchedule"],
            gate=values["CheckBackUpJobAndEnableMaintenanceWindow"],
            window=values["MaintenanceWindowCronSchedule"],
            close=values["DisableMaintenanceWindow"],
            backup_start_minutes=_whole(values, "BackupStartWindowMinutes"),
            backup_completion_minutes=_whole(values, "BackupCompletionWindowMinutes"),
            duration_hours=_whole(values, "MaintenanceWindowDuration"),
            cutoff_hours=_whole(values, "MaintenanceWindowCutoff"),
            look_back_hours=_whole(values, "LookBackHours"),
            maximum_lead_minutes=_whole(values, "MaximumLeadMinutes"),
            maximum_proof_age_minutes=_whole(values, "MaximumProofAgeMinutes"),
            window_offset_days=_whole({_OFFSET: "0", **values}, _OFFSET),
        )

    def parsed(self) -> ParsedSchedules:
        """The four expressions, each read as its service does. ScheduleError for one that AWS refuses."""
        return ParsedSchedules(
            backup=parse(self.backup, "backup"),
            gate=parse(self.gate, "scheduler"),
            window=parse(self.window, "ssm"),
            close=parse(self.close, "scheduler"),
        )


@dataclass(frozen=True, slots=True)
class ParsedSchedules:
    """The four schedules of a lane."""

    backup: Schedule
    gate: Schedule
    window: Schedule
    close: Schedule

    @property
    def all(self) -> tuple[Schedule, Schedule, Schedule, Schedule]:
        """In the order of a cycle."""
        return (self.backup, self.gate, self.window, self.close)

    @property
    def undocumented(self) -> tuple[Notice, ...]:
        """What any of them says that AWS documents nowhere."""
        return tuple(notice for schedule in self.all for notice in schedule.undocumented)


@dataclass(frozen=True, slots=True)
class Timeline:
    """When everything starts under one reading: epoch seconds, ascending.

    ``cycles`` are the windows as (start, end). A window that a clock change repeats while it is still running is one
    cycle: Systems Manager may skip the second start (its status SKIPPED_OVERLAPPING) or run it, and the end is the
    second one's. ``reading`` names what was assumed, "" where nothing had to be.
    """

    reading: str
    cycles: tuple[tuple[int, int], ...]
    repeated: int
    backups: list[int]
    gates: list[int]
    closes: list[int]


def timelines(lane: LaneSchedules, schedules: ParsedSchedules, after: int, until: int) -> Iterator[Timeline]:
    """Every combination of what AWS Backup and Systems Manager may do at clock changes; nearly always just one.

    Raises ScheduleError for a zone that the database does not have.
    """
    gates = schedules.gate.between_epoch(lane.zone, after, until)
    closes = schedules.close.between_epoch(lane.zone, after, until)
    backups = _readings("AWS Backup", schedules.backup, lane.zone, after, until)
    windows = list(
        _readings("the maintenance window", schedules.window, lane.zone, after, until, lane.window_offset_days)
    )
    for (said, starts, _), (told, opens, repeats) in product(backups, windows):
        cycles, repeated = _cycles(opens, repeats, lane.duration_hours * 3600)
        reading = "; ".join(filter(None, (said, told)))
        yield Timeline(reading, cycles, repeated, starts, gates, closes)


def _readings(
    service: str, schedule: Schedule, zone: str, after: int, until: int, offset_days: int = 0
) -> Iterator[tuple[str, list[int], frozenset[int]]]:
    """(what is assumed, the instants, those that are the second pass of one time) under every reading."""
    base = schedule.between_epoch(zone, after, until, offset_days=offset_days)
    uncertain = uncertain_occurrences(schedule, zone, after, until, offset_days=offset_days)
    if not uncertain:
        yield "", base, frozenset()
        return
    certain = set(base) - {epoch for one in uncertain for epoch in one.readings[0].epochs}
    for choice in reading_choices(uncertain):
        chosen = [_epochs(one, choice[one.edge]) for one in uncertain]
        instants = certain.union(epoch for epochs in chosen for epoch in epochs if after < epoch <= until)
        repeats = frozenset(epoch for epochs in chosen for epoch in epochs[1:])
        yield f"{service}: {_describe(choice)}", sorted(instants), repeats


def _epochs(occurrence: Occurrence, name: str) -> tuple[int, ...]:
    return next((reading.epochs for reading in occurrence.readings if reading.name == name), ())


def _describe(choice: Mapping[str, str]) -> str:
    times = {"gap": "a skipped time", "overlap": "a repeated time", "none": "the time stamp"}
    return ", ".join(f"{times[edge]} is read as {name}" for edge, name in choice.items())


def _cycles(starts: list[int], repeats: frozenset[int], duration: int) -> tuple[tuple[tuple[int, int], ...], int]:
    cycles: list[tuple[int, int]] = []
    repeated = 0
    for start in starts:
        if start in repeats and cycles and start < cycles[-1][1]:
            cycles[-1] = (cycles[-1][0], start + duration)
            repeated += 1
        else:
            cycles.append((start, start + duration))
    return tuple(cycles), repeated


def _whole(values: Mapping[str, str], name: str) -> int:
    text = str(values[name])
    if not (text.isascii() and text.isdecimal()):
        raise InputError(f"{name} is '{text}', not a whole number")
    return int(text)
