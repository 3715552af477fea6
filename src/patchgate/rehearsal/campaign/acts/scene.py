"""Where acts take place, and the registry of acts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from patchgate.emulator.ec2 import Ec2

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud
    from patchgate.emulator.ec2_resources import Instance
    from patchgate.emulator.history import Record
    from patchgate.emulator.world import InstanceSpec
    from patchgate.rehearsal.campaign.plan import Value
    from patchgate.rehearsal.campaign.terrain import Terrain

Undo = Callable[[], object]
Given = Mapping[str, "Value"]
Shows = Callable[["Sequence[Record]"], bool]


@dataclass(frozen=True, slots=True)
class Harm:
    """What an act changed. ``undo`` takes it back (None: nothing can).

    An act that only decides how something will fare ``shows`` what came of that: it is given the records of the history
    since then. None: the change itself went wrong, at once.
    """

    undo: Undo | None = None
    shows: Shows | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an act takes place. ``index`` is the injection's place in its plan; ids that acts make carry it.

    ``memory`` is the run's: what was there before anybody changed it. Acts overlap, and whatever is undone goes back to
    that.
    """

    cloud: Cloud
    terrain: Terrain
    index: int
    memory: dict[Hashable, Any]

    def before(self, what: Hashable, value: Any) -> Any:
        """What ``what`` was before the first act changed it; ``value`` is what it is now."""
        return self.memory.setdefault(what, value)

    def as_it_was(self, instance: Instance) -> InstanceSpec:
        """What a machine was like before the first act that changed it."""
        keys = {each.name: (instance.instance_id, each.name) for each in fields(instance.spec)}
        return replace(instance.spec, **{name: self.memory[key] for name, key in keys.items() if key in self.memory})

    @property
    def ec2(self) -> Ec2:
        return self.cloud.component(Ec2)

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """One call as the operator."""
        return self.cloud.invoke(self.terrain.scope, service, operation, params)

    def instance(self, given: Given) -> Instance | None:
        """The machine that an injection means, unless it is gone."""
        number = int(str(given["instance"]))
        identity = self.terrain.instances[number] if number >= 0 else self.terrain.stray
        found = self.ec2.region(self.terrain.scope).instances.get(identity)
        return None if found is None or found.state == "terminated" else found

    def window_id(self) -> str:
        """The lane's window, by its name; "" when there is none (any more)."""
        found = self.call("ssm", "DescribeMaintenanceWindows", MaxResults=100)["WindowIdentities"]
        return next((w["WindowId"] for w in found if w["Name"] == self.terrain.facts.window_name), "")


Act = Callable[[Scene, Given], Harm | None]
ACTS: dict[str, Act] = {}


def act(function: Act) -> Act:
    """Registers an act under its function's name, with hyphens."""
    ACTS[function.__name__.replace("_", "-")] = function
    return function


def respec(scene: Scene, given: Given, shows: Shows, **changes: Any) -> Harm | None:
    """Change what a machine of the world is like; ``shows`` tells where that mattered."""
    instance = scene.instance(given)
    if instance is None:
        return None
    if all(getattr(instance.spec, name) == value for name, value in changes.items()):
        return None
    before = {name: scene.before((instance.instance_id, name), getattr(instance.spec, name)) for name in changes}
    instance.spec = replace(instance.spec, **changes)

    def undo() -> None:
        instance.spec = replace(instance.spec, **before)

    return Harm(undo, shows)


def happened(event: str, **facts: Any) -> Shows:
    """Whether the history holds an event with these facts."""

    def shows(records: Sequence[Record]) -> bool:
        return any(
            record["event"] == event and all(record[key] == value for key, value in facts.items()) for record in records
        )

    return shows
