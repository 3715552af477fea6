"""The fleet: a fleet file that is right, and what follows from it: lanes, their settings, waves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from types import MappingProxyType
from typing import Self

from patchgate.config.document import Document
from patchgate.config.freeze_periods import FreezePeriod, list_freeze_periods
from patchgate.config.ics import CalendarEvents
from patchgate.config.lanes import (
    FleetNames,
    LaneConfig,
    PlacedLane,
    Units,
    UnresolvedUnit,
    configure_lane,
    find_unresolved,
    overriding_layer,
    place_lanes,
    relocate,
)
from patchgate.config.layers import Layer, PlacedWaiver, merge_layers, read_layer, read_log_bucket
from patchgate.config.model import Account, Deployment, FleetFile, LogBucket, Organization
from patchgate.config.values import PARAMETER_NAME
from patchgate.config.words import describe_choices
from patchgate.domain.lane import Lane
from patchgate.errors import InputError, Problem

PROMOTION = ("lab", "dev", "sit", "qa", "uat", "stg", "prd")
"""The order of promotion of a file that has no ``environments``."""

FREEZE_YEARS = 3
_NO_UNITS: Units = MappingProxyType({})
OPTION_LAYER = "--parameter"


@dataclass(frozen=True, slots=True)
class ParameterOverride:
    """A template parameter for every lane whose name matches a pattern; ``*`` matches any text, slashes too."""

    lanes: str
    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``LANES:NAME=VALUE``; ValueError says what is wrong with another form."""
        lanes, colon, assignment = text.partition(":")
        name, equals, value = assignment.partition("=")
        if not (lanes and colon and equals and re.fullmatch(PARAMETER_NAME, name)):
            raise ValueError(f"'{text}' is not LANES:NAME=VALUE, such as '*/windows/*:RetentionDays=14'")
        return cls(lanes, name, value)


@dataclass(frozen=True, slots=True)
class Wave:
    """The lanes of one environment, which are deployed together."""

    environment: str
    lanes: tuple[LaneConfig, ...]


@dataclass(frozen=True)
class FleetConfig:
    """A fleet: a valid fleet file, with what AWS or the command line adds to it.

    ``calendars``: the calendar files that its freezes name. ``units``: the accounts of organizational units, as far as
    they are known. ``overrides``: parameters of options.
    """

    file: FleetFile
    document: Document = field(compare=False, repr=False)
    calendars: Mapping[str, CalendarEvents] = field(default_factory=dict, repr=False)
    units: Units = field(default_factory=dict)
    overrides: tuple[ParameterOverride, ...] = ()

    @property
    def source(self) -> str:
        """The file's name, as messages give it."""
        return self.document.source

    @property
    def organization(self) -> Organization:
        """The AWS organization."""
        return self.file.organization

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that the file lists."""
        return tuple(self.file.accounts)

    @property
    def log_account(self) -> str:
        """The id of the account that holds the log buckets."""
        return FleetNames.of(self.file).account(self.organization.log_account)

    @property
    def log_bucket(self) -> LogBucket:
        """What the file says of the log buckets; its settings are among the lanes' parameters already."""
        return self.file.log_bucket

    @property
    def deployment(self) -> Deployment:
        """How the stacks get into the accounts."""
        return self.file.deployment

    @property
    def promotion(self) -> tuple[str, ...]:
        """The environments in the order of promotion."""
        return tuple(environment.name for environment in self.file.environments) or PROMOTION

    def with_units(self, units: Units) -> FleetConfig:
        """The same fleet with the accounts of organizational units: unit id -> ids of all accounts below it."""
        return replace(self, units={**self.units, **units})

    def with_parameters(self, overrides: Iterable[ParameterOverride]) -> FleetConfig:
        """The same fleet with template parameters over all layers, in their order.

        Raises InputError for one that matches no lane, as soon as all lanes are known.
        """
        fleet = replace(self, overrides=(*self.overrides, *overrides))
        if overrides and not fleet.unresolved():
            fleet.lanes()
        return fleet

    def unresolved(self, units: Units = _NO_UNITS) -> tuple[UnresolvedUnit, ...]:
        """The organizational units whose accounts are not known, each with its place in the file."""
        return find_unresolved(self.file, {**self.units, **units})

    def lanes(
        self, units: Units = _NO_UNITS, *, today: date | None = None, partial: bool = False
    ) -> tuple[LaneConfig, ...]:
        """Every lane in the order of the file, with its settings merged.

        ``units`` as in ``with_units``. ``today`` (UTC) decides which waivers are in force and when freezes are; without
        it, no waiver is, and the days are not known. Raises InputError for organizational units that are not known
        (``partial``: their lanes are left out), for a lane that two targets have, and for overrides that match no lane.
        """
        known = {**self.units, **units}
        unresolved = find_unresolved(self.file, known)
        if unresolved and not partial:
            raise InputError(problems=tuple(self._unresolved_problem(unit) for unit in unresolved), remedy=_RESOLVE)
        placed = list(place_lanes(self.file, known))
        problems = tuple(self.repeated(placed))
        if problems:
            raise InputError(problems=problems)
        lanes = tuple(self._configured(placed, today))
        if not partial:
            self._check_overrides([lane.lane.name for lane in lanes])
        return lanes

    def waves(self, units: Units = _NO_UNITS, *, today: date | None = None, partial: bool = False) -> tuple[Wave, ...]:
        """The lanes by environment, in the order of promotion; environments without lanes are left out."""
        lanes = self.lanes(units, today=today, partial=partial)
        waves = (Wave(name, tuple(lane for lane in lanes if lane.lane.env == name)) for name in self.promotion)
        return tuple(wave for wave in waves if wave.lanes)

    def freeze_horizon(self, today: date) -> tuple[datetime, datetime]:
        """From when until when freezes are deployed: three calendar years, so that their text changes once a year."""
        return datetime(today.year, 1, 1, tzinfo=UTC), datetime(today.year + FREEZE_YEARS, 1, 1, tzinfo=UTC)

    def freeze_periods(self, lane: LaneConfig, start: datetime, until: datetime) -> tuple[FreezePeriod, ...]:
        """The lane's frozen times that touch the time from ``start`` to ``until``, merged and in order.

        Change calendars of the operator's own are not among them. Holidays are those of the library's release. Raises
        InputError for a lane whose time zone is not known.
        """
        if not lane.time_zone:
            raise InputError(f"{lane.lane.name}: the time zone is not known", remedy="give it one with time_zone")
        freezes = [each.freeze for each in lane.freezes]
        return list_freeze_periods(freezes, lane.time_zone, start, until, self.calendars)

    def expired_waivers(self, today: date) -> tuple[PlacedWaiver, ...]:
        """The waivers of all layers that are not in force any more on a day (UTC)."""
        return tuple(each for layer in self._layers for each in layer.waivers if not each.waiver.holds_on(today))

    def repeated(self, placed: Iterable[PlacedLane]) -> Iterator[Problem]:
        """A problem for every lane that is there twice; it names both lines."""
        first: dict[tuple[str, str, str, str], PlacedLane] = {}
        for each in placed:
            earlier = first.setdefault(each.lane.key, each)
            if earlier is not each:
                line = self.document.place_of(earlier.path)[0]
                message = f"lane {each.lane.name} is in target {earlier.target + 1} already, line {line}"
                yield self._problem(message, each.path, "a lane belongs to one target")

    @cached_property
    def _layers(self) -> tuple[Layer, ...]:
        """Every layer of the file, for what is asked of all of them at once."""
        return (self._defaults, *self._environments.values(), *self._systems.values(), *self._targets)

    @cached_property
    def _defaults(self) -> Layer:
        return read_layer(self.file.defaults, "defaults", self.document, ("defaults",))

    @cached_property
    def _environments(self) -> Mapping[str, Layer]:
        return {
            each.name: read_layer(each, f"environment {each.name}", self.document, ("environments", index))
            for index, each in enumerate(self.file.environments)
        }

    @cached_property
    def _systems(self) -> Mapping[str, Layer]:
        return {
            each.name: read_layer(each, f"operating system {each.name}", self.document, ("operating_systems", index))
            for index, each in enumerate(self.file.operating_systems)
        }

    @cached_property
    def _targets(self) -> tuple[Layer, ...]:
        return tuple(
            read_layer(target, f"target {index + 1}", self.document, ("targets", index))
            for index, target in enumerate(self.file.targets)
        )

    def _configured(self, placed: Iterable[PlacedLane], today: date | None) -> Iterator[LaneConfig]:
        """The lanes with their settings; what only their accounts tell apart is merged once."""
        bucket = read_log_bucket(self.log_bucket, self.document)
        known: dict[tuple[object, ...], tuple[LaneConfig, str]] = {}
        periods: dict[tuple[object, ...], tuple[FreezePeriod, ...]] = {}
        for each in placed:
            lane = each.lane
            given = self._overrides_of(lane)
            alike = (each.target, lane.region, lane.os, lane.env, tuple(given.items()))
            if alike not in known:
                layers = [bucket, self._defaults]
                layers += [self._environments[lane.env]] if lane.env in self._environments else []
                layers += [self._systems[lane.os]] if lane.os in self._systems else []
                layers += [self._targets[each.target], overriding_layer(OPTION_LAYER, given)]
                merged = merge_layers(layers, lane.region)
                config = configure_lane(lane, merged, today, self.log_bucket.region or "")
                if today is not None:
                    frozen = (config.freezes, config.time_zone)
                    if frozen not in periods:
                        periods[frozen] = self.freeze_periods(config, *self.freeze_horizon(today))
                    config = replace(config, freeze_periods=periods[frozen])
                known[alike] = config, merged.boundary
            config, boundary = known[alike]
            yield relocate(config, lane, boundary)

    def _overrides_of(self, lane: Lane) -> dict[str, str]:
        return {each.name: each.value for each in self.overrides if fnmatchcase(lane.name, each.lanes)}

    def _check_overrides(self, names: list[str]) -> None:
        for override in self.overrides:
            if not any(fnmatchcase(name, override.lanes) for name in names):
                nearest = describe_choices(override.lanes, names)
                remedy = nearest or (f"lanes: {names[0]}, ..." if names else "")
                raise InputError(f"no lane matches '{override.lanes}'", remedy=remedy)

    def _unresolved_problem(self, unit: UnresolvedUnit) -> Problem:
        return self._problem(f"the accounts of organizational unit {unit} are not known here", unit.path)

    def _problem(self, message: str, path: tuple[str | int, ...], remedy: str = "") -> Problem:
        return Problem(message, self.source, *self.document.place_of(path), remedy)


_RESOLVE = "only AWS knows them; without AWS, give them with --unit ID=ACCOUNT,..., or list accounts in the target"
