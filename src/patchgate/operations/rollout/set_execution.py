"""One stack set of a plan carried out: the set itself, then its instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from patchgate.operations.rollout.sets import Rectangle, make_rectangles

if TYPE_CHECKING:
    from patchgate.operations.rollout.ports import StackSetControl, Told
    from patchgate.operations.rollout.steps import SetAdministration, SetStep, Step

Overrides = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SetExecution:
    """Calls for one plan's stack sets; ``bodies`` are the plan's."""

    control: StackSetControl
    administration: SetAdministration
    bodies: Mapping[str, str]
    told: Told

    def deploy(self, change: SetStep, steps: Sequence[Step], resolved: Mapping[str, str]) -> None:
        """Create or update the set and those of its instances; ``resolved`` are parameters that became known.

        An update of the set reaches all of its instances with the overrides that they have; those whose overrides
        change are brought to them afterwards. Until then such an instance may have the set's new value.
        """
        parameters = {**change.parameters, **resolved}
        if change.action == "create":
            body = self.bodies[change.template]
            self.control.create(change.name, body, parameters, change.tags, self.administration)
        elif change.action == "update":
            body = self.bodies[change.template]
            self.control.update(change.name, body, parameters, change.tags, self.administration, self.told)
        created = [step for step in steps if step.action == "create"]
        for overrides, at in group_steps(created):
            self.control.create_instances(change.name, at, dict(overrides), self.administration, self.told)
        updated = [step for step in steps if step.action == "update"]
        if change.action == "update":
            updated = [step for step in updated if not step.follows_set]
        for overrides, at in group_steps(updated):
            self.control.update_instances(change.name, at, dict(overrides), self.administration, self.told)

    def remove(self, name: str, steps: Sequence[Step], *, whole: bool) -> None:
        """Delete those instances, and the set itself when it goes as a whole."""
        for at in make_rectangles(step.place for step in steps):
            self.control.delete_instances(name, at, self.administration, self.told)
        if whole:
            self.control.delete(name)


def group_steps(steps: Sequence[Step]) -> Iterator[tuple[Overrides, Rectangle]]:
    """The places of the steps, those with the same overrides together."""
    places: dict[Overrides, list[tuple[str, str]]] = {}
    for step in steps:
        places.setdefault(tuple(sorted(step.overrides.items())), []).append(step.place)
    for overrides, members in places.items():
        for at in make_rectangles(members):
            yield overrides, at
