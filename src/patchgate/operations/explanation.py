"""Where every template parameter of a lane comes from: a line of the fleet file, a derivation, a template's default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from patchgate.config import FleetConfig, LaneConfig, Origin, ParameterKey
from patchgate.operations.deployment import LaneSettings
from patchgate.plan.freeze_calendar import needs_freeze_calendar
from patchgate.plan.lane_parameters import derive_lane
from patchgate.templates import Parameter, Template, build_templates

DEFAULT_LAYER = "template default"
LANE_LAYER = "the lane"
DEPLOYMENT_LAYER = "known when deployed"


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """One template parameter in a lane: its value, and where that was said.

    ``template`` is '' where all templates that have it take the same. ``derived``: computed from what was said there.
    """

    parameter: str
    template: str
    value: str
    origin: Origin
    derived: bool = False

    @property
    def is_default(self) -> bool:
        """Whether no layer says it."""
        return self.origin.layer == DEFAULT_LAYER


def explain_lane(fleet: FleetConfig, lane: LaneConfig, settings: LaneSettings) -> tuple[ExplainedValue, ...]:
    """Every parameter of the three templates in the lane, in the order of the templates, each name once.

    A name that means different things in different templates is there for each of them where their values differ.
    """
    explained: dict[tuple[str, str], ExplainedValue] = {}
    for template in build_templates().values():
        for parameter in template.parameters:
            scoped = parameter.name in lane.scoped.get(template.name, {})
            own = template.name if scoped or _is_scoped(lane, parameter) else ""
            explained.setdefault((parameter.name, own), _explain(fleet, lane, settings, template, parameter, own))
    return tuple(explained.values())


def _is_scoped(lane: LaneConfig, parameter: Parameter) -> bool:
    return any(parameter.name in values for values in lane.scoped.values())


def _explain(
    fleet: FleetConfig, lane: LaneConfig, settings: LaneSettings, template: Template, parameter: Parameter, own: str
) -> ExplainedValue:
    name = parameter.name
    value = settings.given(template).get(name, "")
    origin, derived = next(_origins(fleet, lane, template, name), (Origin(DEFAULT_LAYER, name), False))
    return ExplainedValue(name, own, value, origin, derived)


def _origins(fleet: FleetConfig, lane: LaneConfig, template: Template, name: str) -> Iterator[tuple[Origin, bool]]:
    """(origin, whether the value is derived from it), the one that holds first."""
    if name == "FreezeCalendars":
        computed = [each.origin for each in lane.freezes if each.freeze.kind == "change_calendar"]
        computed += [each.origin for each in lane.freezes] if needs_freeze_calendar(lane) else []
        for origin in computed[-1:]:
            yield origin, True
    for key in (ParameterKey(name, template.name), ParameterKey(name)):
        if key in lane.origins:
            yield lane.origins[key], False
    if lane.patch is not None and name in _derived(lane):
        yield lane.patch.origin, True
    if name == "PrincipalOrgID":
        line, column = fleet.document.place_of(("organization", "id"), of_key=True)
        yield Origin("organization", "id", fleet.source, line, column), False
    if name in ("TargetOperatingSystem", "Environment"):
        yield Origin(LANE_LAYER, name), False
    if name == "S3Bucket":
        yield Origin(DEPLOYMENT_LAYER, name), False


def _derived(lane: LaneConfig) -> frozenset[str]:
    cycle = derive_lane(lane)
    if cycle is None:
        return frozenset()
    lengths = {
        "BackupStartWindowMinutes",
        "BackupCompletionWindowMinutes",
        "MaintenanceWindowDuration",
        "MaintenanceWindowCutoff",
    }
    return frozenset(cycle.parameters()) - lengths
