"""Values of template parameters, judged as CloudFormation would before it starts anything.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from patchgate.errors import InputError
from patchgate.plan.lane_parameters import derive_lane
from patchgate.schedule import Dialect, ScheduleError, parse
from patchgate.schedule.zones import load_zone
from patchgate.templates import Parameter, build_templates

if TYPE_CHECKING:
    from patchgate.config import LaneConfig
    from patchgate.plan.derivation import DerivedCycle

SCHEDULE_DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "BackupSchedule": "backup",
        "CheckBackUpJobAndEnableMaintenanceWindow": "scheduler",
        "MaintenanceWindowCronSchedule": "ssm",
        "DisableMaintenanceWindow": "scheduler",
        "WatchdogSchedule": "scheduler",
    }
)
"""The parameters that hold schedule expressions, and whose dialect each is written in."""


def check_parameter_values(lanes: Sequence[LaneConfig]) -> None:
    """InputError with every value, of every lane, that a template would refuse. Unknown names are not judged.

    Then those that a lane's ``patch`` statement comes to, as ``check_derived_values`` does.
    """
    problems = _refusals(lane.parameters for lane in lanes)
    if problems:
        raise InputError("\n".join(problems), remedy="docs/reference/templates.md lists the parameters")
    check_derived_values(*(cycle for lane in lanes if (cycle := derive_lane(lane)) is not None))


def check_derived_values(*cycles: DerivedCycle) -> None:
    """InputError with every parameter of derived cycles that a template would refuse: its limits are out of bounds."""
    problems = _refusals(cycle.parameters() for cycle in cycles if cycle.is_provable)
    if problems:
        remedy = (
            "the gate's limits follow from the distances: give a smaller lead (MaximumLeadMinutes), smaller "
            "BackupStartWindowMinutes and BackupCompletionWindowMinutes (LookBackHours), or less of both and of "
            "MaintenanceWindowDuration (MaximumProofAgeMinutes)"
        )
        raise InputError("\n".join(f"derived {problem}" for problem in problems), remedy=remedy)


def _refusals(values: Iterable[Mapping[str, str]]) -> list[str]:
    """Every value that a template would refuse, once, with the reason."""
    declared: dict[str, list[Parameter]] = {}
    for template in build_templates().values():
        for parameter in template.parameters:
            declared.setdefault(parameter.name, []).append(parameter)
    return list(
        dict.fromkeys(
            f"{name} is '{value}': {problem}"
            for one in values
            for name, value in one.items()
            for parameter in declared.get(name, ())
            if (problem := describe_refusal(parameter, value))
        )
    )


def describe_refusal(parameter: Parameter, value: str) -> str:
    """Why CloudFormation would refuse the value; '' when it takes it."""
    if parameter.allowed and value not in map(str, parameter.allowed):
        return "one of " + ", ".join(map(str, parameter.allowed))
    if parameter.pattern and not re.fullmatch(parameter.pattern, value):
        return f"it must match {parameter.pattern}"
    if parameter.type == "Number" and not parameter.allowed:
        return _describe_number(parameter, value)
    return ""


def describe_refused_schedule(name: str, value: str) -> str:
    """Why AWS would refuse the schedule or the time zone that a template parameter holds; '' for any other one."""
    try:
        if name in SCHEDULE_DIALECTS:
            parse(value, SCHEDULE_DIALECTS[name])
        elif name == "TimeZone" and value:
            load_zone(value)
    except ScheduleError as error:
        shown = "" if name == "TimeZone" else f"'{value}': "
        said = "; ".join(f"{fault.field}: {fault.message}" if shown else fault.message for fault in error.faults)
        return f"{shown}{said}" + (f"; {error.remedy}" if error.remedy else "")
    return ""


def _describe_number(parameter: Parameter, value: str) -> str:
    if not re.fullmatch("-?[0-9]+", value):
        return "a whole number is needed"
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and int(value) < low) or (high is not None and int(value) > high):
        return f"from {low} to {high}"
    return ""
