"""What no single key of a fleet file can see: repeated names, lanes that are there twice, exceptions from nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

from patchgate.config.lanes import FleetNames, place_lanes
from patchgate.config.words import describe_choices
from patchgate.domain.regions import region
from patchgate.errors import Problem

if TYPE_CHECKING:
    from patchgate.config.document import Path
    from patchgate.config.fleet import FleetConfig
    from patchgate.config.model import FleetFile, Target

Contradiction = tuple["Path", str, str]
"""(path, message, remedy)"""

_NAMED_ONCE = (
    ("accounts", "id", "account id"),
    ("accounts", "name", "account name"),
    ("organizational_units", "id", "organizational unit id"),
    ("organizational_units", "name", "organizational unit name"),
    ("environments", "name", "environment"),
    ("operating_systems", "name", "operating system"),
)


def find_contradictions(file: FleetFile) -> Iterator[Contradiction]:
    """Every one that the file alone shows."""
    for section, key, what in _NAMED_ONCE:
        values = [getattr(entry, key) for entry in getattr(file, section)]
        counts = Counter(values)
        for index, value in enumerate(values):
            if counts[value] > 1:
                yield (section, index, key), f"{what} '{value}' is given {counts[value]} times", ""
    names = FleetNames.of(file)
    for index, target in enumerate(file.targets):
        yield from _repeated_words(names, index, target)
        yield from _idle_exceptions(names, index, target)


def find_overlaps(fleet: FleetConfig) -> Iterator[Problem]:
    """What the lanes show: one that two targets have, a target without any, one whose Region has no known time zone."""
    file = fleet.file
    placed = list(place_lanes(file, fleet.units))
    yield from fleet.repeated(placed)
    yield from _shared_units(fleet)
    targets_with_lanes = {each.target for each in placed}
    for index, target in enumerate(file.targets):
        if index not in targets_with_lanes and not target.organizational_units:
            line, column = fleet.document.place_of(("targets", index))
            yield Problem("a target without lanes: its exceptions leave out all", fleet.source, line, column)
    if not file.targets or len({each.lane for each in placed}) < len(placed):
        return
    yield from _without_zone(fleet)


def _repeated_words(names: FleetNames, index: int, target: Target) -> Iterator[Contradiction]:
    meant: dict[str, Sequence[Hashable]] = {
        "accounts": [names.account(each) for each in target.accounts],
        "organizational_units": [names.unit(each) for each in target.organizational_units],
        "regions": target.regions,
        "operating_systems": target.operating_systems,
        "environments": target.environments,
    }
    for key, words in meant.items():
        first_places: dict[Hashable, int] = {}
        for position, word in enumerate(words):
            if first_places.setdefault(word, position) != position:
                said = getattr(target, key)
                first = said[first_places[word]]
                again = f"'{said[position]}'" if first == said[position] else f"'{said[position]}' is '{first}', which"
                yield ("targets", index, key, position), f"{again} is in the list already", "name it once"


def _idle_exceptions(names: FleetNames, index: int, target: Target) -> Iterator[Contradiction]:
    """Words of an exception that its target does not have; which accounts a unit has, only AWS knows."""
    known: dict[str, tuple[str, Collection[str]]] = {
        "regions": ("Region", target.regions),
        "operating_systems": ("operating system", target.operating_systems),
        "environments": ("environment", target.environments),
    }
    if not target.organizational_units:
        ids = [names.account(each) for each in target.accounts]
        known["accounts"] = ("account", dict.fromkeys([*(names.account_names.get(each, each) for each in ids), *ids]))
    for number, exception in enumerate(target.exceptions):
        for key, (what, words) in known.items():
            for position, word in enumerate(getattr(exception, key) or ()):
                if word not in words:
                    path = ("targets", index, "exceptions", number, key, position)
                    yield path, f"the target has no {what} '{word}' to leave out", describe_choices(word, words)


def _shared_units(fleet: FleetConfig) -> Iterator[Problem]:
    """An organizational unit in two targets that meet; where exceptions name accounts, only its accounts can tell."""
    file = fleet.file
    units = {identity: (identity,) for unit in fleet.unresolved() for identity in [unit.id]}
    told_by_accounts = {
        index
        for index, target in enumerate(file.targets)
        if any(each.accounts or each.organizational_units for each in target.exceptions)
    }
    placed = [each for each in place_lanes(file, units) if each.lane.account in units]
    yield from fleet.repeated(each for each in placed if each.target not in told_by_accounts)


def _without_zone(fleet: FleetConfig) -> Iterator[Problem]:
    file = fleet.file
    unpublished = {name for target in file.targets for name in target.regions if not region(name).time_zone}
    if not unpublished:
        return
    placed = place_lanes(file, fleet.units)
    for each, lane in zip(placed, fleet.lanes(partial=True), strict=True):
        if lane.lane.region in unpublished and not lane.time_zone:
            position = file.targets[each.target].regions.index(lane.lane.region)
            line, column = fleet.document.place_of(("targets", each.target, "regions", position))
            message = f"the time zone of {lane.lane.region} is not published"
            yield Problem(message, fleet.source, line, column, "give it one with time_zone or time_zones")
