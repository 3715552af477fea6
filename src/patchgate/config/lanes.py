"""Lanes of a fleet file: what its targets come to, and the settings of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from patchgate.config.layers import (
    Layer,
    MergedSettings,
    Origin,
    ParameterKey,
    PlacedFreeze,
    PlacedStatement,
    PlacedWaiver,
    Value,
)
from patchgate.domain.lane import Lane
from patchgate.domain.regions import region as find_region

if TYPE_CHECKING:
    from patchgate.config.document import Path
    from patchgate.config.freeze_periods import FreezePeriod
    from patchgate.config.model import FleetFile, Target, TargetException

_BOUNDARY = "PermissionsBoundaryArn"
_WAIVED = "WaivedMessageCategories"

Units = Mapping[str, Sequence[str]]
"""Id of an organizational unit -> ids of all accounts below it, those of its child units too."""


@dataclass(frozen=True, slots=True)
class LaneConfig:
    """One lane, and what the fleet file says of it.

    ``parameters``: template parameters, for every template that has them; ``scoped``: template -> those that are meant
    for it alone, which win there. ``origins``: where each was said. ``patch``: the statement that the schedules are
    derived from, None where the four are given or the templates' defaults hold. ``freezes``: all that hold here;
    ``freeze_periods``: when they do, without change calendars, None while the day is not known. ``waivers``: those in
    force, whose categories are among the parameters. ``tags`` are for its stacks. ``log_region`` is where its log
    bucket is, '' for its own Region.
    """

    lane: Lane
    parameters: Mapping[str, str] = field(default_factory=dict)
    scoped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    origins: Mapping[ParameterKey, Origin] = field(default_factory=dict)
    patch: PlacedStatement | None = None
    freezes: tuple[PlacedFreeze, ...] = ()
    freeze_periods: tuple[FreezePeriod, ...] | None = None
    waivers: tuple[PlacedWaiver, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    log_region: str = ""

    @property
    def time_zone(self) -> str:
        """The IANA zone of the schedules: its own, else the Region's; '' where that is not published."""
        return self.parameters.get("TimeZone") or find_region(self.lane.region).time_zone


@dataclass(frozen=True, slots=True)
class PlacedLane:
    """A lane, the index of its target, and where in the file its account or organizational unit is named."""

    lane: Lane
    target: int
    path: Path


@dataclass(frozen=True, slots=True)
class UnresolvedUnit:
    """An organizational unit whose accounts are not known: its id, as it is called, and where a target names it."""

    id: str
    name: str
    path: Path = field(compare=False)

    def __str__(self) -> str:
        return self.id if self.id == self.name else f"{self.name} ({self.id})"


@dataclass(frozen=True, slots=True)
class FleetNames:
    """What a fleet file calls its accounts and organizational units: name -> id, and the name of an account's id."""

    accounts: Mapping[str, str]
    units: Mapping[str, str]
    account_names: Mapping[str, str]

    @classmethod
    def of(cls, file: FleetFile) -> FleetNames:
        return cls(
            {account.name: account.id for account in file.accounts},
            {unit.name: unit.id for unit in file.organizational_units},
            {account.id: account.name for account in file.accounts},
        )

    def account(self, reference: str) -> str:
        """The id that a reference to an account means."""
        return self.accounts.get(reference, reference)

    def unit(self, reference: str) -> str:
        """The id that a reference to an organizational unit means."""
        return self.units.get(reference, reference)


def find_unresolved(file: FleetFile, units: Units) -> tuple[UnresolvedUnit, ...]:
    """The organizational units that targets and their exceptions name and ``units`` does not know, each once."""
    names = FleetNames.of(file)
    found: dict[str, UnresolvedUnit] = {}
    for index, target in enumerate(file.targets):
        named: list[tuple[Path, Sequence[str]]] = [(("targets", index), target.organizational_units)]
        for number, exception in enumerate(target.exceptions):
            named.append((("targets", index, "exceptions", number), exception.organizational_units or ()))
        for path, references in named:
            for position, reference in enumerate(references):
                identity = names.unit(reference)
                if identity not in units:
                    place = (*path, "organizational_units", position)
                    found.setdefault(identity, UnresolvedUnit(identity, reference, place))
    return tuple(found.values())


def place_lanes(file: FleetFile, units: Units) -> Iterator[PlacedLane]:
    """Every lane of every target, in the order of the file; organizational units that are not known have none.

    An account that a target has by name and by an organizational unit, or by two of them, is one account there.
    """
    names = FleetNames.of(file)
    for index, target in enumerate(file.targets):
        excluded = [_Exclusion.of(names, exception, units) for exception in target.exceptions]
        for account, path in _accounts_of(names, index, target, units):
            for region in target.regions:
                for system in target.operating_systems:
                    for environment in target.environments:
                        lane = Lane(account, region, system, environment, names.account_names.get(account, ""))
                        if not any(each.matches(lane) for each in excluded):
                            yield PlacedLane(lane, index, path)


def _accounts_of(names: FleetNames, index: int, target: Target, units: Units) -> Iterator[tuple[str, Path]]:
    listed = set()
    for position, reference in enumerate(target.accounts):
        account = names.account(reference)
        listed.add(account)
        yield account, ("targets", index, "accounts", position)
    for position, reference in enumerate(target.organizational_units):
        for account in units.get(names.unit(reference), ()):
            if account not in listed:
                listed.add(account)
                yield account, ("targets", index, "organizational_units", position)


@dataclass(frozen=True, slots=True)
class _Exclusion:
    accounts: frozenset[str] | None
    regions: frozenset[str] | None
    operating_systems: frozenset[str] | None
    environments: frozenset[str] | None

    @classmethod
    def of(cls, names: FleetNames, exception: TargetException, units: Units) -> _Exclusion:
        accounts: frozenset[str] | None = None
        if exception.accounts is not None or exception.organizational_units is not None:
            listed = {names.account(reference) for reference in exception.accounts or ()}
            for reference in exception.organizational_units or ():
                listed.update(units.get(names.unit(reference), ()))
            accounts = frozenset(listed)
        return cls(
            accounts,
            *(
                None if words is None else frozenset(words)
                for words in (exception.regions, exception.operating_systems, exception.environments)
            ),
        )

    def matches(self, lane: Lane) -> bool:
        pairs = (
            (self.accounts, lane.account),
            (self.regions, lane.region),
            (self.operating_systems, lane.os),
            (self.environments, lane.env),
        )
        return all(words is None or word in words for words, word in pairs)


def configure_lane(lane: Lane, merged: MergedSettings, today: date | None, log_region: str = "") -> LaneConfig:
    """The lane with what the layers come to; ``relocate`` completes it for its account.

    When ``today`` is None no waiver holds: closed by default.
    """
    values = dict(merged.values)
    waivers = tuple(each for each in merged.waivers if today is not None and each.waiver.holds_on(today))
    for each in waivers:
        _add_name(values, _WAIVED, each.waiver.category, each.origin)
    scoped: dict[str, dict[str, str]] = {}
    for key, (text, _) in values.items():
        if key.template:
            scoped.setdefault(key.template, {})[key.name] = text
    return LaneConfig(
        lane,
        {key.name: text for key, (text, _) in values.items() if not key.template},
        scoped,
        {key: origin for key, (_, origin) in values.items()},
        merged.patch,
        merged.freezes,
        None,
        waivers,
        {tag: text for tag, (text, _) in merged.tags.items()},
        log_region,
    )


def relocate(config: LaneConfig, lane: Lane, boundary: str) -> LaneConfig:
    """The same settings in another account; ``boundary``: the permissions boundary as the file says it, or ''."""
    if not boundary:
        return replace(config, lane=lane)
    return replace(config, lane=lane, parameters={**config.parameters, _BOUNDARY: _boundary(boundary, lane)})


def overriding_layer(name: str, values: Mapping[str, str]) -> Layer:
    """A layer of parameters that no file says, such as those of options."""
    return Layer(name, {ParameterKey(key): (value, Origin(name, key)) for key, value in values.items()})


def _boundary(text: str, lane: Lane) -> str:
    if not text or text.startswith("arn:"):
        return text
    return f"arn:{find_region(lane.region).partition}:iam::{lane.account}:policy/{text.lstrip('/')}"


def _add_name(values: dict[ParameterKey, Value], parameter: str, name: str, origin: Origin) -> None:
    """Add a name to a parameter that lists names, comma separated; one that is there already stays once."""
    given = values.get(ParameterKey(parameter))
    listed = [each for each in (given[0] if given else "").split(",") if each]
    if name not in listed:
        values[ParameterKey(parameter)] = ",".join([*listed, name]), origin
