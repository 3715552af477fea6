"""Templates that others wrote, as a terrain: what a team patches with today, under the same faults and the same judge.

What faults and the judge must know is read off the deployed resources: the maintenance window that installs, the tags
of its targets, the backup plan's vault and tags, and which scheduled functions run before the window and after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patchgate.config import parse_document
from patchgate.emulator.cloud import Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.errors import InputError, Problem
from patchgate.judge.lane import LaneFacts
from patchgate.operations.deployment import CAPABILITIES
from patchgate.rehearsal.campaign.ground import CYCLES, machines
from patchgate.rehearsal.campaign.shapes import ACCOUNT, ForeignStack, Shape
from patchgate.rehearsal.campaign.terrain import SETTLED, Cycle, Terrain, every_reading
from patchgate.rehearsal.cycles import WindowSchedule
from patchgate.rehearsal.outcome import RehearsedLane
from patchgate.schedule import parse

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud
    from patchgate.rehearsal.stage import Stage

TEMPLATES = (".yaml", ".yml", ".json", ".template")
PARAMETERS = ".parameters"
USUAL_LEAD = timedelta(minutes=30)
USUAL_BACKUP = timedelta(hours=4)
FRESH = timedelta(hours=24)
"""How old a backup may be that an install of somebody else's templates rests on."""
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,127}")
_OUTPUT = re.compile(r"\$\{([a-zA-Z][a-zA-Z0-9-]*)\.([a-zA-Z0-9]+)\}")
_INSTALLS = ("AUTOMATION", "RUN_COMMAND", "LAMBDA", "STEP_FUNCTIONS")


def read_foreign_shape(directory: Path, region: str) -> Shape:
    """The templates of a directory as a shape, in the order in which they need each other.

    A template ``NAME.yaml`` (.yml, .json, .template) becomes the stack NAME; ``NAME.parameters.json`` (or .yaml) holds
    its parameters, as a map or as the AWS CLI writes them. Raises InputError with every problem of the files.
    """
    if not directory.is_dir():
        raise InputError(f"there is no directory {directory}", remedy="name one that holds CloudFormation templates")
    paths = [path for path in sorted(directory.iterdir()) if path.suffix in TEMPLATES and PARAMETERS not in path.name]
    if not paths:
        raise InputError(f"{directory} holds no template", remedy=f"templates end in {', '.join(TEMPLATES)}")
    stacks: dict[str, ForeignStack] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            stack = _read_stack(path)
        except InputError as error:
            problems += error.problems
            continue
        if stack.name in stacks:
            problems.append(Problem(f"there is another template called {stack.name}", str(path)))
        stacks[stack.name] = stack
    problems += _unknown_references(stacks, directory)
    if problems:
        raise InputError(problems=tuple(problems))
    ordered = tuple(stacks[name] for name in _in_order(stacks, directory))
    return Shape(directory.resolve().name, "templates of others", ACCOUNT, region, stacks=ordered, lively=False)


def _read_stack(path: Path) -> ForeignStack:
    if not _NAME.fullmatch(path.stem):
        remedy = "begin with a letter; letters, digits and '-' follow"
        raise InputError(problems=(Problem(f"'{path.stem}' is no name for a stack", str(path), remedy=remedy),))
    beside = [path.with_name(f"{path.stem}{PARAMETERS}{suffix}") for suffix in (".json", ".yaml", ".yml")]
    given = next((each for each in beside if each.exists()), None)
    return ForeignStack(path.stem, _text(path), _read_parameters(given) if given else {})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(problems=(Problem("is not UTF-8", str(path)),)) from None


def _read_parameters(path: Path) -> dict[str, str]:
    """A map, that map under ``Parameters``, or the AWS CLI's list of ParameterKey and ParameterValue."""
    value = parse_document(path.read_bytes(), str(path)).value
    if isinstance(value, dict) and isinstance(value.get("Parameters"), dict):
        value = value["Parameters"]
    if isinstance(value, list) and all(isinstance(each, dict) and "ParameterKey" in each for each in value):
        value = {each["ParameterKey"]: each.get("ParameterValue") for each in value}
    if not isinstance(value, dict) or not all(isinstance(each, str | int | bool) for each in value.values()):
        remedy = "give a map of names and values, or a list of ParameterKey and ParameterValue"
        raise InputError(problems=(Problem("holds no parameters", str(path), remedy=remedy),))
    return {str(key): str(each).lower() if isinstance(each, bool) else str(each) for key, each in value.items()}


def _needs(stack: ForeignStack) -> set[str]:
    return {match[1] for value in stack.parameters.values() for match in _OUTPUT.finditer(value)}


def _unknown_references(stacks: Mapping[str, ForeignStack], directory: Path) -> Iterator[Problem]:
    for stack in stacks.values():
        for needed in sorted(_needs(stack) - set(stacks)):
            known = ", ".join(stacks)
            text = f"the parameters of {stack.name} take an output of {needed}, which is no template here"
            yield Problem(text, str(directory), remedy=f"there are {known}")


def _in_order(stacks: Mapping[str, ForeignStack], directory: Path) -> list[str]:
    try:
        return list(TopologicalSorter({name: sorted(_needs(stack)) for name, stack in stacks.items()}).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise InputError(
            problems=(Problem(f"the stacks need each other in a circle: {circle}", str(directory)),)
        ) from None


def break_foreign_ground(stage: Stage, shape: Shape) -> Terrain:
    """Deploy the stacks on an empty cloud, and put machines there that their window and their backups are about."""
    stage.run_until(shape.start)
    outputs: dict[tuple[str, str], str] = {}
    for stack in shape.stacks:
        given = {key: _filled(value, outputs, stack.name) for key, value in stack.parameters.items()}
        result = stage.stacks.create_or_update(
            shape.account, shape.region, stack.name, stack.template, given, CAPABILITIES, {}
        )
        outputs |= {(stack.name, key): value for key, value in result.outputs.items()}
    found = _Found(stage.cloud, Scope(shape.account, shape.region))
    window = found.window()
    tags = found.tags(window["WindowId"])
    for spec in machines(shape, tags):
        stage.cloud.component(Ec2).add_instance(found.scope, spec)
    return _survey(found, shape, window, tags)


def _filled(value: str, outputs: Mapping[tuple[str, str], str], stack: str) -> str:
    def output(match: re.Match[str]) -> str:
        key = (match[1], match[2])
        if key not in outputs:
            known = ", ".join(name for owner, name in outputs if owner == match[1]) or "none"
            raise InputError(f"stack {match[1]}, of which {stack} takes {match[2]}, has the outputs {known}")
        return outputs[key]

    return _OUTPUT.sub(output, value)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was deployed, asked as an operator asks."""

    cloud: Cloud
    scope: Scope

    def ask(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return self.cloud.invoke(self.scope, service, operation, params)

    def window(self) -> dict[str, Any]:
        """The first window with a task; InputError when there is none."""
        for listed in self.ask("ssm", "DescribeMaintenanceWindows", MaxResults=100)["WindowIdentities"]:
            identity = {"WindowId": listed["WindowId"]}
            tasks = self.ask("ssm", "DescribeMaintenanceWindowTasks", **identity, MaxResults=100)["Tasks"]
            if any(task["Type"] in _INSTALLS for task in tasks):
                return self.ask("ssm", "GetMaintenanceWindow", **identity)
        raise InputError(
            "the templates make no maintenance window with a task",
            remedy="a campaign needs the window that installs; name the directory of its templates",
        )

    def tags(self, window_id: str) -> dict[str, str]:
        """The tags of machines that the window patches and the plans back up."""
        tags: dict[str, str] = {}
        targets = self.ask("ssm", "DescribeMaintenanceWindowTargets", WindowId=window_id, MaxResults=100)["Targets"]
        for target in targets:
            for each in target["Targets"]:
                if each["Key"].startswith("tag:"):
                    tags.setdefault(each["Key"][4:], each["Values"][0])
        if not tags:
            raise InputError(
                "the window's targets name no tags, so that a campaign cannot tell which machines it patches",
                remedy="give it targets by tag (Key: tag:NAME)",
            )
        for selection in self.selections():
            for each in selection.get("ListOfTags") or ():
                tags.setdefault(each["ConditionKey"], each["ConditionValue"])
            for each in (selection.get("Conditions") or {}).get("StringEquals") or ():
                tags.setdefault(each["ConditionKey"].removeprefix("aws:ResourceTag/"), each["ConditionValue"])
        return tags

    def plans(self) -> Iterator[dict[str, Any]]:
        for listed in self.ask("backup", "ListBackupPlans")["BackupPlansList"]:
            yield self.ask("backup", "GetBackupPlan", BackupPlanId=listed["BackupPlanId"])

    def selections(self) -> Iterator[dict[str, Any]]:
        for plan in self.plans():
            listed = self.ask("backup", "ListBackupSelections", BackupPlanId=plan["BackupPlanId"])
            for each in listed["BackupSelectionsList"]:
                identity = {"BackupPlanId": plan["BackupPlanId"], "SelectionId": each["SelectionId"]}
                yield self.ask("backup", "GetBackupSelection", **identity)["BackupSelection"]

    def programs(self) -> Iterator[_Scheduled]:
        """The functions that Scheduler's schedules and EventBridge's rules run."""
        for listed in self.ask("scheduler", "ListSchedules")["Schedules"]:
            identity = {"Name": listed["Name"], "GroupName": listed["GroupName"]}
            found = self.ask("scheduler", "GetSchedule", **identity)
            zone = found.get("ScheduleExpressionTimezone") or "UTC"
            target = found["Target"]
            if ":function:" in target["Arn"]:
                when = self.upcoming(found["ScheduleExpression"], "scheduler", zone)
                yield _Scheduled(found["Name"], _function(target["Arn"]), target.get("Input") or "{}", when)
        for rule in self.ask("events", "ListRules")["Rules"]:
            for target in self.ask("events", "ListTargetsByRule", Rule=rule["Name"])["Targets"]:
                if ":function:" in target["Arn"] and rule.get("ScheduleExpression"):
                    when = self.upcoming(rule["ScheduleExpression"], "eventbridge-rule", "UTC")
                    yield _Scheduled(rule["Name"], _function(target["Arn"]), target.get("Input") or "{}", when)

    def upcoming(self, expression: str, dialect: Any, zone: str) -> tuple[datetime, ...]:
        now = self.cloud.now
        return tuple(islice(parse(expression, dialect).occurrences(zone, now, anchor=now), 64))


@dataclass(frozen=True, slots=True)
class _Scheduled:
    """A function on a schedule: the schedule's name, the function's, what it is handed, when it runs next."""

    schedule: str
    function: str
    given: str
    when: tuple[datetime, ...]


def _survey(found: _Found, shape: Shape, window: dict[str, Any], tags: dict[str, str]) -> Terrain:
    now, zone = found.cloud.now, window.get("ScheduleTimezone") or "UTC"
    duration = timedelta(hours=window["Duration"])
    schedule = WindowSchedule(window["Schedule"], zone, duration, window.get("ScheduleOffset") or 0, now)
    windows = tuple(islice(schedule.windows(now), CYCLES))
    if len(windows) < CYCLES:
        raise InputError(f"the window {window['Name']} opens {len(windows)} times, a run of a campaign takes {CYCLES}")
    opens, closes = _roles(list(found.programs()), windows[0])
    plans = list(found.plans())
    rules = [rule for plan in plans for rule in plan["BackupPlan"]["Rules"]]
    backups = [
        when
        for rule in rules
        for when in found.upcoming(
            rule["ScheduleExpression"], "backup", rule.get("ScheduleExpressionTimezone") or "UTC"
        )
    ]
    cycles = tuple(_cycle(each, backups, opens, closes) for each in windows)
    end = cycles[-1].close + SETTLED
    specs = machines(shape, tags)
    labelled = {"open": opens, "close": closes}
    programs = {label: each.function for label, each in labelled.items() if each} | {"prove": ""}
    lane = RehearsedLane(
        name=shape.name,
        account=shape.account,
        region=shape.region,
        operating_system="",
        environment="",
        zone=zone,
        vault=rules[0]["TargetBackupVaultName"] if rules else "",
        window_name=window["Name"],
        patch_group=tags.get("PatchGroup", ""),
        open_function=programs.get("open", ""),
        close_function=programs.get("close", ""),
        occurrences=windows,
    )
    facts = LaneFacts(
        account=shape.account,
        region=shape.region,
        operating_system="",
        environment="",
        vault="",
        window_name=window["Name"],
        window_id=window["WindowId"],
        patch_group=tags.get("PatchGroup", ""),
        tags=tags,
        occurrences=windows,
        end=end,
        has_gate=False,
        maximum_proof_age=FRESH,
    )
    roles = [selection["IamRoleArn"] for selection in found.selections()]
    return Terrain(
        scope=found.scope,
        lane=lane,
        facts=facts,
        start=now,
        end=end,
        cycles=cycles,
        instances=tuple(spec.instance_id for spec in specs[:-1]),
        stray=specs[-1].instance_id,
        programs=programs,
        schedules={label: each.schedule for label, each in labelled.items() if each},
        inputs={label: each.given for label, each in labelled.items() if each},
        stacks=tuple(stack.name for stack in shape.stacks),
        bucket="",
        backup_role=roles[0] if roles else "",
        tags=tags,
        windows=every_reading(schedule, now, cycles[-1].end),
    )


def _roles(
    scheduled: list[_Scheduled], window: tuple[datetime, datetime]
) -> tuple[_Scheduled | None, _Scheduled | None]:
    """The functions that run last before a window's start and first after it."""
    start, _ = window
    before = [
        (max(w for w in each.when if w <= start), each) for each in scheduled if any(w <= start for w in each.when)
    ]
    after = [(min(w for w in each.when if w > start), each) for each in scheduled if any(w > start for w in each.when)]
    opens = max(before, key=lambda pair: pair[0], default=(None, None))[1]
    closes = min((pair for pair in after if pair[1] is not opens), key=lambda pair: pair[0], default=(None, None))[1]
    return opens, closes


def _cycle(
    window: tuple[datetime, datetime], backups: list[datetime], opens: _Scheduled | None, closes: _Scheduled | None
) -> Cycle:
    start, end = window
    gate = max((when for when in (opens.when if opens else ()) if when <= start), default=start - USUAL_LEAD)
    backup = max((when for when in backups if when <= start), default=start - USUAL_BACKUP)
    close = min((when for when in (closes.when if closes else ()) if when > start), default=end)
    return Cycle(backup, gate, start, end, max(close, end))


def _function(arn: str) -> str:
    return arn.split(":function:", 1)[1].split(":", maxsplit=1)[0]
