"""What was deployed, asked as an operator asks: through AWS's own operations, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from heapq import merge
from typing import TYPE_CHECKING, Any

from patchgate.emulator.assumptions import ClockReading
from patchgate.emulator.backup_requests import occurrences
from patchgate.emulator.events import Events
from patchgate.emulator.scheduler_resources import schedule_times

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Scope
    from patchgate.rehearsal.campaign.foreign.due import Due

_AS_SCHEDULER = ClockReading()
_RESOURCE_TAG = "aws:ResourceTag/"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A function on a schedule: the schedule's name, the function's, what it is handed, when it runs.

    ``settings`` are the values of its environment, ``begins`` is the schedule's StartDate.
    """

    schedule: str
    function: str
    given: str
    due: Due
    settings: tuple[str, ...] = ()
    begins: datetime | None = None

    def names(self, window_id: str, window_name: str) -> bool:
        """Whether it is told of a window: by its id, or by its name, in its settings or in what it is handed."""
        if any(window_id in text for text in (self.given, *self.settings)):
            return True
        return window_name in self.settings or json.dumps(window_name) in self.given


@dataclass(frozen=True, slots=True)
class Selection:
    """What a backup plan backs up: which resources, with which tags, as which role, when and into which vault."""

    plan: str
    role: str
    vault: str
    resources: tuple[str, ...]
    any_of: tuple[tuple[str, str], ...]
    all_of: tuple[tuple[str, str], ...]
    due: Due

    def admits(self, tags: Mapping[str, str]) -> bool:
        """Whether machines with these tags may have the tags that it asks for: none has another value."""
        first = not self.any_of or any(tags.get(key, value) == value for key, value in self.any_of)
        return first and all(tags.get(key, value) == value for key, value in self.all_of)

    def shares(self, tags: Mapping[str, str]) -> bool:
        """Whether it asks for one of these very tags."""
        return any(tags.get(key) == value for key, value in (*self.any_of, *self.all_of))

    def asked(self, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags that it asks of machines with these: every condition, and of alternatives the first that fits."""
        fitting = [pair for pair in self.any_of if tags.get(pair[0], pair[1]) == pair[1]]
        return dict([*fitting[:1], *self.all_of])


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was deployed in one account and Region."""

    cloud: Cloud
    scope: Scope

    def ask(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """One call."""
        return self.cloud.invoke(self.scope, service, operation, params)

    def all(self, service: str, operation: str, member: str, **params: Any) -> Iterator[dict[str, Any]]:
        """What every page of a call lists under ``member``."""
        token: str | None = None
        while True:
            page = self.ask(service, operation, **params, **({"NextToken": token} if token else {}))
            yield from page[member]
            token = page.get("NextToken")
            if not token:
                return

    # Windows and what they run

    def windows(self) -> Iterator[dict[str, Any]]:
        """Every maintenance window, as GetMaintenanceWindow tells it."""
        for listed in self.all("ssm", "DescribeMaintenanceWindows", "WindowIdentities", MaxResults=100):
            yield self.ask("ssm", "GetMaintenanceWindow", WindowId=listed["WindowId"])

    def tasks(self, window: str) -> Iterator[dict[str, Any]]:
        """Every task of a window, as GetMaintenanceWindowTask tells it."""
        for listed in self.all("ssm", "DescribeMaintenanceWindowTasks", "Tasks", WindowId=window, MaxResults=100):
            yield self.ask("ssm", "GetMaintenanceWindowTask", WindowId=window, WindowTaskId=listed["WindowTaskId"])

    def targets(self, window: str) -> dict[str, list[dict[str, Any]]]:
        """The targets of a window by id: each a list of keys and values."""
        found = self.all("ssm", "DescribeMaintenanceWindowTargets", "Targets", WindowId=window, MaxResults=100)
        return {each["WindowTargetId"]: each["Targets"] for each in found}

    def document(self, name: str, version: str = "") -> dict[str, Any]:
        """The content of an own document. AwsError for one that is unknown or that AWS owns."""
        given = {"DocumentVersion": version} if version else {}
        text = self.ask("ssm", "GetDocument", Name=name, DocumentFormat="JSON", **given)["Content"]
        content = json.loads(text)
        return content if isinstance(content, dict) else {}

    def patch_groups(self) -> dict[str, list[str]]:
        """The patch groups that have baselines of their own, and the operating systems of those."""
        groups: dict[str, list[str]] = {}
        for each in self.all("ssm", "DescribePatchGroups", "Mappings", MaxResults=100):
            groups.setdefault(each["PatchGroup"], []).append(each["BaselineIdentity"]["OperatingSystem"])
        return groups

    # Backups

    def vaults(self) -> list[str]:
        """The names of every vault."""
        return [each["BackupVaultName"] for each in self.all("backup", "ListBackupVaults", "BackupVaultList")]

    def selections(self) -> Iterator[Selection]:
        """Every selection of every backup plan."""
        for listed in self.all("backup", "ListBackupPlans", "BackupPlansList"):
            plan = {"BackupPlanId": listed["BackupPlanId"]}
            rules = self.ask("backup", "GetBackupPlan", **plan)["BackupPlan"]["Rules"]
            due = partial(_backups_after, [rule for rule in rules if rule.get("ScheduleExpression")])
            for each in self.all("backup", "ListBackupSelections", "BackupSelectionsList", **plan):
                found = self.ask("backup", "GetBackupSelection", **plan, SelectionId=each["SelectionId"])
                vault = rules[0]["TargetBackupVaultName"] if rules else ""
                yield _selection(listed["BackupPlanName"], vault, found["BackupSelection"], due)

    # Functions

    def programs(self) -> Iterator[Scheduled]:
        """The functions that Scheduler's schedules and EventBridge's rules run, but for those that are disabled."""
        for listed in self.all("scheduler", "ListSchedules", "Schedules"):
            found = self.ask("scheduler", "GetSchedule", Name=listed["Name"], GroupName=listed["GroupName"])
            if found.get("State") != "DISABLED":
                due = partial(schedule_times, found, found["CreationDate"])
                yield from self._runs(found["Name"], found["Target"], due, found.get("StartDate"))
        for rule in self.all("events", "ListRules", "Rules"):
            if rule.get("ScheduleExpression") and rule.get("State") != "DISABLED":
                times = self.cloud.component(Events).rule(self.scope, rule["Name"]).times
                for target in self.all("events", "ListTargetsByRule", "Targets", Rule=rule["Name"]):
                    yield from self._runs(rule["Name"], target, times)

    def _runs(
        self, name: str, target: Mapping[str, Any], due: Due, begins: datetime | None = None
    ) -> Iterator[Scheduled]:
        if ":function:" not in target["Arn"]:
            return
        function = target["Arn"].split(":function:", 1)[1].split(":", maxsplit=1)[0]
        settings = self.ask("lambda", "GetFunctionConfiguration", FunctionName=function)
        values = (settings.get("Environment") or {}).get("Variables") or {}
        yield Scheduled(name, function, target.get("Input") or "{}", due, tuple(map(str, values.values())), begins)

    # Stacks

    def resources(self, stack: str) -> list[dict[str, Any]]:
        """The resources of a stack: ``PhysicalResourceId``, ``ResourceType`` and more of each."""
        return list(self.all("cloudformation", "ListStackResources", "StackResourceSummaries", StackName=stack))

    def exporting(self) -> set[str]:
        """The stacks that export something, by id."""
        return {each["ExportingStackId"] for each in self.all("cloudformation", "ListExports", "Exports")}


def _backups_after(rules: list[dict[str, Any]], after: datetime) -> Iterator[datetime]:
    """When the rules of a backup plan run after an instant, ascending."""
    return merge(*(occurrences(rule, after, _AS_SCHEDULER) for rule in rules))


def _selection(plan: str, vault: str, found: Mapping[str, Any], due: Due) -> Selection:
    conditions = found.get("Conditions") or {}
    equal = [(each["ConditionKey"], each["ConditionValue"]) for each in conditions.get("StringEquals") or ()]
    like = [(each["ConditionKey"], _like(each["ConditionValue"])) for each in conditions.get("StringLike") or ()]
    return Selection(
        plan=plan,
        role=found["IamRoleArn"],
        vault=vault,
        resources=tuple(found.get("Resources") or ()),
        any_of=tuple((each["ConditionKey"], each["ConditionValue"]) for each in found.get("ListOfTags") or ()),
        all_of=tuple((key.removeprefix(_RESOURCE_TAG), value) for key, value in (*equal, *like)),
        due=due,
    )


def _like(pattern: str) -> str:
    """A value that a pattern of StringLike matches."""
    return pattern.replace("*", "") or "any"
