"""Deploying lanes as plain stacks: the log bucket of each operating system and environment, then the two of a lane.

Values that one stack needs of another are handed on here: the bucket's name, which AWS chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from patchgate.errors import InputError
from patchgate.operations.parameter_values import describe_refused_schedule
from patchgate.plan import names
from patchgate.templates import Parameter, Template, build_templates

if TYPE_CHECKING:
    from patchgate.config import LaneConfig
    from patchgate.domain.lane import Lane
    from patchgate.operations.ports import StackControl, StackResult

CAPABILITIES = ("CAPABILITY_NAMED_IAM",)
_LANES_LISTED = 3


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """A lane, and every template parameter as it takes effect there, defaults included."""

    lane: Lane
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was deployed: the lanes' settings, and every stack with what AWS answered."""

    lanes: tuple[LaneSettings, ...]
    stacks: tuple[StackResult, ...]


def settle_lanes(lanes: Sequence[LaneConfig], organization_id: str) -> tuple[LaneSettings, ...]:
    """Every lane with all of its template parameters.

    Raises InputError for names that no template has and values that CloudFormation or the service behind would refuse:
    a line for each, with the lanes that it concerns.
    """
    templates = build_templates()
    known = {parameter.name: parameter for template in templates.values() for parameter in template.parameters}
    settled = tuple(LaneSettings(lane.lane, _settle(lane, organization_id, templates.values())) for lane in lanes)
    concerned: dict[str, list[str]] = {}
    for lane, settings in zip(lanes, settled, strict=True):
        problems = [problem for name, value in lane.parameters.items() if (problem := _problem(name, value, known))]
        for problem in problems or _contradictions(settings.values):
            concerned.setdefault(problem, []).append(lane.lane.name)
    if concerned:
        lines = [f"{_describe_lanes(names, len(lanes))}: {problem}" for problem, names in concerned.items()]
        raise InputError("\n".join(lines), remedy="docs/reference/templates.md lists the parameters")
    return settled


def deploy_lanes(
    lanes: Sequence[LaneSettings], *, log_account: str, control: StackControl, progress: Callable[[str], None]
) -> Deployment:
    """Create or update every stack of the lanes, in the order in which they need each other.

    The log bucket of an operating system and environment lives in ``log_account``, in the Region of its first lane.
    Raises PatchgateError when a stack fails; what was deployed before it stays.
    """
    templates = build_templates()
    stacks: list[StackResult] = []
    buckets: dict[tuple[str, str], str] = {}
    settled: list[LaneSettings] = []
    for settings in lanes:
        lane = settings.lane
        progress(f"deploying {lane.name}")
        if (lane.os, lane.env) not in buckets:
            logs = templates["aws-create-s3-stack"]
            result = _deploy(control, logs, settings, log_account, names.LOGS_STACK)
            stacks.append(result)
            buckets[lane.os, lane.env] = result.outputs["BucketName"]
        settings = LaneSettings(lane, {**settings.values, "S3Bucket": buckets[lane.os, lane.env]})  # noqa: PLW2901
        settled.append(settings)
        for name, pattern in (
            ("aws-backup-and-patch-stackset", names.PATCH_STACK),
            ("aws-monitoring-backup-stackset", names.MONITORING_STACK),
        ):
            stacks.append(_deploy(control, templates[name], settings, lane.account, pattern))
    return Deployment(tuple(settled), tuple(stacks))


def _deploy(
    control: StackControl, template: Template, settings: LaneSettings, account: str, pattern: names.NamePattern
) -> StackResult:
    lane = settings.lane
    given = {p.name: settings.values[p.name] for p in template.parameters if p.name in settings.values}
    name = pattern.render(os=lane.os, env=lane.env)
    return control.create_or_update(account, lane.region, name, template.text(), given, CAPABILITIES, {})


def _settle(lane: LaneConfig, organization_id: str, templates: Iterable[Template]) -> dict[str, str]:
    defaults = {p.name: str(p.default) for t in templates for p in t.parameters if p.default is not None}
    own = {"PrincipalOrgID": organization_id, "TargetOperatingSystem": lane.lane.os, "Environment": lane.lane.env}
    return defaults | own | dict(lane.parameters)


def _contradictions(values: Mapping[str, str]) -> Iterable[str]:
    """What no single value can show, where each by itself is fine."""
    duration, cutoff = values["MaintenanceWindowDuration"], values["MaintenanceWindowCutoff"]
    if int(cutoff) >= int(duration):
        yield f"MaintenanceWindowCutoff: {cutoff} is not less than MaintenanceWindowDuration, which is {duration}"


def _describe_lanes(names: Sequence[str], total: int) -> str:
    """The lanes that a problem concerns: their names, or how many they are."""
    if len(names) == total > _LANES_LISTED:
        return f"all {total} lanes"
    if len(names) > _LANES_LISTED:
        return f"{', '.join(names[: _LANES_LISTED - 1])} and {len(names) - _LANES_LISTED + 1} more lanes"
    return ", ".join(names)


def _problem(name: str, value: str, known: Mapping[str, Parameter]) -> str:
    if name in known:
        problem = known[name].problem(value) or describe_refused_schedule(name, value)
        return f"{name}: {problem}" if problem else ""
    matches = get_close_matches(name, list(known), n=1)
    return f"no template has a parameter '{name}'" + (f"; did you mean '{matches[0]}'?" if matches else "")
