"""The stacks that a fleet should have: for every lane, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from patchgate.operations.rollout.freeze_set import build_freeze_set
from patchgate.operations.rollout.steps import Stage
from patchgate.plan import names
from patchgate.templates import build_templates
from patchgate.templates.usage import used_parameters

if TYPE_CHECKING:
    from patchgate.config import LaneConfig
    from patchgate.domain.lane import Lane
    from patchgate.operations.deployment import LaneSettings
    from patchgate.operations.rollout.facts import StackKey

LOGS_TEMPLATE = "aws-create-s3-stack"
_LANE_TEMPLATES: tuple[tuple[Stage, str, names.NamePattern], ...] = (
    ("patch", "aws-backup-and-patch-stackset", names.PATCH_STACK),
    ("monitoring", "aws-monitoring-backup-stackset", names.MONITORING_STACK),
)


@dataclass(frozen=True, slots=True)
class LanePlace:
    """A lane with its settings; ``given`` names the template parameters that the fleet file says itself."""

    settings: LaneSettings
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: LaneConfig, settings: LaneSettings) -> LanePlace:
        return cls(settings, frozenset(config.parameters))

    @property
    def lane(self) -> Lane:
        return self.settings.lane


@dataclass(frozen=True, slots=True)
class DesiredStack:
    """One stack that should be there. ``stack_set``, ``bucket_of``, ``lanes`` as in ``Step``; ``body`` is its template.

    ``vault`` and ``role`` are the names of what it keeps when it goes, '' where it has none; ``given`` as in LanePlace.
    """

    stage: Stage
    account: str
    region: str
    name: str
    body: str = field(repr=False)
    lanes: tuple[str, ...] = ()
    stack_set: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    bucket_of: StackKey | None = None
    vault: str = ""
    role: str = ""
    given: frozenset[str] = frozenset()

    @property
    def key(self) -> StackKey:
        """What identifies the stack."""
        return self.account, self.region, self.name


@dataclass(frozen=True, slots=True)
class DesiredWave:
    """The stacks of one environment."""

    environment: str
    stacks: tuple[DesiredStack, ...]


def list_desired(
    lanes: Sequence[LanePlace], promotion: Iterable[str], log_account: str, by_set: Callable[[Lane], bool]
) -> Iterator[DesiredWave]:
    """The waves of the lanes, in the order of promotion. ``by_set``: whether a stack set carries a lane's stacks.

    The log bucket of an operating system and environment is in ``log_account``, in the Region of its first lane or the
    one that the fleet file says; it is always a plain stack, since others need its name.
    """
    for environment in promotion:
        mine = [each for each in lanes if each.lane.env == environment]
        if mine:
            yield DesiredWave(environment, tuple(_wave(mine, log_account, by_set)))


def _wave(lanes: Sequence[LanePlace], log_account: str, by_set: Callable[[Lane], bool]) -> Iterator[DesiredStack]:
    systems: dict[str, list[LanePlace]] = {}
    for each in lanes:
        systems.setdefault(each.lane.os, []).append(each)
    for members in systems.values():
        logs = _logs(members, log_account)
        yield logs
        yield from _freezes([each for each in members if not by_set(each.lane)])
        yield from _freezes_by_set([each for each in members if by_set(each.lane)])
        for each in members:
            yield from _lane_stacks(each, logs.key, in_set=by_set(each.lane))


def _logs(members: Sequence[LanePlace], log_account: str) -> DesiredStack:
    settings = members[0].settings
    lane, template = settings.lane, build_templates()[LOGS_TEMPLATE]
    return DesiredStack(
        "logs",
        log_account,
        settings.log_region or lane.region,
        names.LOGS_STACK.render(os=lane.os, env=lane.env),
        _text_of(template.name),
        tuple(each.lane.name for each in members),
        parameters=settings.given(template),
        tags=settings.tags,
    )


def _freezes(members: Iterable[LanePlace]) -> Iterator[DesiredStack]:
    for each in members:
        lane, calendar = each.lane, each.settings.freeze_calendar
        if calendar is not None:
            name = names.FREEZE_STACK.render(os=lane.os, env=lane.env)
            body = calendar.template()
            yield DesiredStack("freezes", lane.account, lane.region, name, body, (lane.name,), tags=each.settings.tags)


def _freezes_by_set(members: Iterable[LanePlace]) -> Iterator[DesiredStack]:
    frozen = [each for each in members if each.settings.freeze_calendar is not None]
    if not frozen:
        return
    calendars = [(each.lane, each.settings.freeze_calendar) for each in frozen]
    one = build_freeze_set([(lane, calendar) for lane, calendar in calendars if calendar is not None])
    for each in frozen:
        lane = each.lane
        name = names.FREEZE_STACK.render(os=lane.os, env=lane.env)
        parameters = {one.parameter: one.slots[lane.account, lane.region]}
        yield DesiredStack(
            "freezes", lane.account, lane.region, name, one.body, (lane.name,), name, parameters, each.settings.tags
        )


def _lane_stacks(each: LanePlace, logs: StackKey, *, in_set: bool) -> Iterator[DesiredStack]:
    settings, lane = each.settings, each.lane
    for stage, template_name, pattern in _LANE_TEMPLATES:
        template = build_templates()[template_name]
        name = pattern.render(os=lane.os, env=lane.env)
        words = {"os": lane.os, "env": lane.env, "region": lane.region}
        prefix = settings.values["BackupVaultNamePrefix"]
        yield DesiredStack(
            stage,
            lane.account,
            lane.region,
            name,
            _text_of(template_name),
            (lane.name,),
            name if in_set else "",
            settings.given(template),
            settings.tags,
            logs,
            names.BACKUP_VAULT.render(vault_prefix=prefix, **words) if stage == "patch" else "",
            names.BACKUP_ROLE.render(**words) if stage == "patch" else "",
            each.given,
        )


def find_unused(stage: Stage, *settings: Mapping[str, str]) -> frozenset[str]:
    """The parameters that no resource of such a stack uses, whichever of these values it has."""
    name = LOGS_TEMPLATE if stage == "logs" else next((name for one, name, _ in _LANE_TEMPLATES if one == stage), "")
    if not name:
        return frozenset()
    parameters = {each.name for each in build_templates()[name].parameters}
    return frozenset(parameters).difference(*(used_parameters(name, values) for values in settings))


@cache
def _text_of(template: str) -> str:
    """The text of a template, rendered once for all lanes."""
    return build_templates()[template].text()
