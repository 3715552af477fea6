"""Deploying lanes as plain stacks: the log bucket of each operating system and environment, then the two of a lane.

Values that one stack needs of another are handed on here: the bucket's name, which AWS chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from patchgate.config import ParameterKey
from patchgate.errors import InputError
from patchgate.operations.parameter_values import describe_refused_schedule
from patchgate.plan import names
from patchgate.plan.freeze_calendar import FreezeCalendar, build_freeze_calendar
from patchgate.plan.lane_parameters import lane_parameters
from patchgate.templates import Parameter, Template, build_templates

if TYPE_CHECKING:
    from patchgate.config import LaneConfig
    from patchgate.domain.lane import Lane
    from patchgate.operations.ports import StackControl, StackResult

CAPABILITIES = ("CAPABILITY_NAMED_IAM",)
_LANES_LISTED = 3


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """A lane, and every template parameter as it takes effect there, defaults included.

    ``scoped``: template -> the values that it alone takes, where another one has a parameter of the same name. ``tags``
    are those of its stacks. ``log_region``: where its log bucket is, '' for its own Region. ``freeze_calendar``: the
    change calendar that its freezes become, None where it has none.
    """

    lane: Lane
    values: Mapping[str, str]
    scoped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    log_region: str = ""
    freeze_calendar: FreezeCalendar | None = None

    @property
    def lacks_freeze_calendar(self) -> bool:
        """Whether its gate reads a freeze calendar of its own that is not known: it was settled without a day."""
        own = names.FREEZE_CALENDAR.render(os=self.lane.os, env=self.lane.env)
        return self.freeze_calendar is None and own in self.values.get("FreezeCalendars", "").split(",")

    def given(self, template: Template) -> dict[str, str]:
        """What the template's stack is given: its parameters, without those that have no value here."""
        values = {**self.values, **self.scoped.get(template.name, {})}
        return {parameter.name: values[parameter.name] for parameter in template.parameters if parameter.name in values}


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
    settled: list[LaneSettings] = []
    concerned: dict[str, list[str]] = {}
    for lane in lanes:
        problems = [
            _place(lane, name) + said
            for name, value in lane.parameters.items()
            if (said := _problem(name, value, known))
        ]
        if not problems:
            settled.append(_settle(lane, organization_id, templates.values()))
            problems = [*_contradictions(settled[-1].values)]
        for problem in problems:
            concerned.setdefault(problem, []).append(lane.lane.name)
    if concerned:
        lines = [f"{_describe_lanes(names, len(lanes))}: {problem}" for problem, names in concerned.items()]
        raise InputError("\n".join(lines), remedy="docs/reference/templates.md lists the parameters")
    return tuple(settled)


def deploy_lanes(
    lanes: Sequence[LaneSettings], *, log_account: str, control: StackControl, progress: Callable[[str], None]
) -> Deployment:
    """Create or update every stack of the lanes, in the order in which they need each other.

    The log bucket of an operating system and environment lives in ``log_account``, in the Region of its first lane.
    A lane's freeze calendar stands before the gate that reads it. Raises PatchgateError when a stack fails; what was
    deployed before it stays. ValueError for lanes whose freezes nobody has looked up: they were settled without a day.
    """
    if unknown := [settings.lane.name for settings in lanes if settings.lacks_freeze_calendar]:
        raise ValueError(f"the days of the freezes are not known: {', '.join(unknown)}")
    templates = build_templates()
    stacks: list[StackResult] = []
    buckets: dict[tuple[str, str], str] = {}
    settled: list[LaneSettings] = []
    for settings in lanes:
        lane = settings.lane
        progress(f"deploying {lane.name}")
        if (lane.os, lane.env) not in buckets:
            logs = templates["aws-create-s3-stack"]
            result = _deploy(
                control, logs, settings, (log_account, settings.log_region or lane.region), names.LOGS_STACK
            )
            stacks.append(result)
            buckets[lane.os, lane.env] = result.outputs["BucketName"]
        settings = replace(settings, values={**settings.values, "S3Bucket": buckets[lane.os, lane.env]})  # noqa: PLW2901
        settled.append(settings)
        if settings.freeze_calendar is not None:
            name, body = names.FREEZE_STACK.render(os=lane.os, env=lane.env), settings.freeze_calendar.template()
            stacks.append(control.create_or_update(lane.account, lane.region, name, body, {}, (), settings.tags))
        for name, pattern in (
            ("aws-backup-and-patch-stackset", names.PATCH_STACK),
            ("aws-monitoring-backup-stackset", names.MONITORING_STACK),
        ):
            stacks.append(_deploy(control, templates[name], settings, (lane.account, lane.region), pattern))
    return Deployment(tuple(settled), tuple(stacks))


def _deploy(
    control: StackControl,
    template: Template,
    settings: LaneSettings,
    place: tuple[str, str],
    pattern: names.NamePattern,
) -> StackResult:
    lane = settings.lane
    name = pattern.render(os=lane.os, env=lane.env)
    return control.create_or_update(
        *place, name, template.text(), settings.given(template), CAPABILITIES, settings.tags
    )


def _settle(lane: LaneConfig, organization_id: str, templates: Iterable[Template]) -> LaneSettings:
    defaults = {p.name: str(p.default) for t in templates for p in t.parameters if p.default is not None}
    own = {"PrincipalOrgID": organization_id, "TargetOperatingSystem": lane.lane.os, "Environment": lane.lane.env}
    values = defaults | own | dict(lane_parameters(lane))
    return LaneSettings(lane.lane, values, lane.scoped, lane.tags, lane.log_region, build_freeze_calendar(lane))


def _contradictions(values: Mapping[str, str]) -> Iterable[str]:
    """What no single value can show, where each by itself is fine."""
    duration, cutoff = values["MaintenanceWindowDuration"], values["MaintenanceWindowCutoff"]
    if int(cutoff) >= int(duration):
        yield f"MaintenanceWindowCutoff: {cutoff} is not less than MaintenanceWindowDuration, which is {duration}"


def _place(lane: LaneConfig, name: str) -> str:
    """Where the fleet file says the lane's parameter, '' where no file does."""
    origin = lane.origins.get(ParameterKey(name))
    return f"{origin.source}:{origin.line}:{origin.column}: " if origin and origin.line else ""


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
