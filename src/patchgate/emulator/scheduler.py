"""EventBridge Scheduler: schedules that invoke Lambda functions.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html

A schedule fires within the minute of its time (AWS promises 60-second precision). Delivery is at least once: with the
assumption ``scheduler_delivers_twice`` every delivery is repeated up to 90 seconds later.

Assumptions: the first retry comes after a minute, each further one after twice as long, up to 8 minutes; a target that
does not exist or may not be invoked is retried as any other failure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation, paginate
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions_destinations import send_to_queue
from patchgate.emulator.scheduler_resources import Group, Schedule, Shape, checked_document, checked_name, invalid

PRECISION_SECONDS = 59
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(minutes=8)
"""The pace of retries is an assumption."""
LATEST_DUPLICATE_SECONDS = 90
DEFAULT_GROUP = "default"
NOT_ASSUMABLE = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."


@dataclass(slots=True)
class _Region:
    groups: dict[str, Group]
    schedules: dict[tuple[str, str], Schedule]


@dataclass(frozen=True, slots=True)
class _Firing:
    """One delivery on its way: what is needed of the schedule as it was when it fired."""

    scope: Scope
    schedule: str
    group: str
    arn: str
    target: Shape
    scheduled_at: datetime
    fired_at: datetime
    execution_id: str
    attempt: int = 1


class Scheduler(Component):
    """The operations of EventBridge Scheduler."""

    service: ClassVar[str] = "scheduler"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._regions: dict[tuple[str, str], _Region] = {}

    @operation("CreateSchedule")
    def create_schedule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"""
        name, group = checked_name(params), self._group(scope, params, "GroupName").name
        schedules = self._region(scope).schedules
        if (group, name) in schedules:
            raise AwsError("ConflictException", f"Schedule {name} already exists.", status=409)
        document = self._checked(scope, params, group)
        arn = scope.arn("scheduler", f"schedule/{group}/{name}")
        schedule = schedules[group, name] = Schedule(name, group, arn, document, self.cloud.now, self.cloud.now)
        self._plan(scope, schedule)
        return {"ScheduleArn": arn}

    @operation("UpdateSchedule")
    def update_schedule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html

        What the request does not name goes back to its default.
        """
        schedule = self._schedule(scope, params)
        schedule.document = self._checked(scope, params, schedule.group)
        schedule.modified_at = self.cloud.now
        schedule.revision += 1
        self._plan(scope, schedule)
        return {"ScheduleArn": schedule.arn}

    @operation("GetSchedule")
    def get_schedule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html"""
        return self._schedule(scope, params).shape()

    @operation("DeleteSchedule")
    def delete_schedule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteSchedule.html"""
        schedule = self._schedule(scope, params)
        del self._region(scope).schedules[schedule.group, schedule.name]
        return {}

    @operation("ListSchedules")
    def list_schedules(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html"""
        wanted = self._group(scope, params, "GroupName").name if params.get("GroupName") else None
        schedules = self._region(scope).schedules
        found = [
            schedules[key].summary()
            for key in sorted(schedules)
            if (wanted is None or schedules[key].group == wanted)
            and schedules[key].name.startswith(params.get("NamePrefix") or "")
            and schedules[key].document["State"] == (params.get("State") or schedules[key].document["State"])
        ]
        return _page(found, params, into="Schedules")

    @operation("CreateScheduleGroup")
    def create_schedule_group(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateScheduleGroup.html"""
        name, groups = checked_name(params), self._region(scope).groups
        if name in groups:
            raise AwsError("ConflictException", f"Schedule group {name} already exists.", status=409)
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}
        groups[name] = Group(name, scope.arn("scheduler", f"schedule-group/{name}"), self.cloud.now, tags)
        return {"ScheduleGroupArn": groups[name].arn}

    @operation("GetScheduleGroup")
    def get_schedule_group(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetScheduleGroup.html"""
        return self._group(scope, params, "Name").shape()

    @operation("DeleteScheduleGroup")
    def delete_schedule_group(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteScheduleGroup.html

        Its schedules go with it, here at once.
        """
        group, region = self._group(scope, params, "Name"), self._region(scope)
        if group.name == DEFAULT_GROUP:
            raise invalid("The default schedule group cannot be deleted.")
        del region.groups[group.name]
        for key in [key for key in region.schedules if key[0] == group.name]:
            del region.schedules[key]
        return {}

    @operation("ListScheduleGroups")
    def list_schedule_groups(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListScheduleGroups.html"""
        groups = self._region(scope).groups
        prefix = params.get("NamePrefix") or ""
        found = [groups[name].shape() for name in sorted(groups) if name.startswith(prefix)]
        return _page(found, params, into="ScheduleGroups")

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListTagsForResource.html"""
        tags = self._tagged(scope, params).tags
        return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_TagResource.html"""
        self._tagged(scope, params).tags.update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UntagResource.html"""
        group = self._tagged(scope, params)
        for key in params["TagKeys"]:
            group.tags.pop(key, None)
        return {}

    # State

    def _checked(self, scope: Scope, params: Params, group: str) -> Shape:
        """What a request says of a schedule, or AwsError; its role must be there for Scheduler."""
        document = checked_document(params, self.cloud.now)
        if not self._trusted(scope, document["Target"]["RoleArn"], group):
            raise invalid(NOT_ASSUMABLE)
        return document

    def _trusted(self, scope: Scope, role_arn: str, group: str) -> bool:
        """https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html"""
        source = scope.arn("scheduler", f"schedule-group/{group}")
        return self.cloud.authority.trusts(scope, role_arn, "scheduler.amazonaws.com", source)

    def _region(self, scope: Scope) -> _Region:
        if scope.key not in self._regions:
            arn = scope.arn("scheduler", f"schedule-group/{DEFAULT_GROUP}")
            self._regions[scope.key] = _Region({DEFAULT_GROUP: Group(DEFAULT_GROUP, arn, self.cloud.now)}, {})
        return self._regions[scope.key]

    def _group(self, scope: Scope, params: Params, key: str) -> Group:
        name = checked_name(params, key, DEFAULT_GROUP if key == "GroupName" else None)
        group = self._region(scope).groups.get(name)
        if group is None:
            raise AwsError("ResourceNotFoundException", f"Schedule group {name} does not exist.", status=404)
        return group

    def _schedule(self, scope: Scope, params: Params) -> Schedule:
        name, group = checked_name(params), checked_name(params, "GroupName", DEFAULT_GROUP)
        schedule = self._region(scope).schedules.get((group, name))
        if schedule is None:
            raise AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.", status=404)
        return schedule

    def _tagged(self, scope: Scope, params: Params) -> Group:
        for group in self._region(scope).groups.values():
            if group.arn == params["ResourceArn"]:
                return group
        raise AwsError("ResourceNotFoundException", f"{params['ResourceArn']} does not exist.", status=404)

    # Firing

    def _plan(self, scope: Scope, schedule: Schedule, after: datetime | None = None) -> None:
        """Note when the schedule fires next."""
        when = schedule.next_time(after or self.cloud.now)
        if when is not None:
            delay = timedelta(seconds=self.cloud.random.randint(0, PRECISION_SECONDS))
            key = (schedule.group, schedule.name)
            args = (scope.as_principal(""), key, schedule.revision, when)
            self.cloud.kernel.at(when + delay, self._due, *args)

    def _due(self, scope: Scope, key: tuple[str, str], revision: int, when: datetime) -> None:
        schedule = self._region(scope).schedules.get(key)
        if schedule is None or schedule.revision != revision:
            return
        if schedule.document["State"] == "ENABLED":
            firing = _Firing(
                scope=scope,
                schedule=schedule.name,
                group=schedule.group,
                arn=schedule.arn,
                target=schedule.document["Target"],
                scheduled_at=when,
                fired_at=self.cloud.now,
                execution_id=self.cloud.identifier("", 16),
            )
            meddler = self.cloud.meddler
            for delay in meddler.deliveries(scope, schedule.name, when) if meddler else (timedelta(0),):
                if delay:
                    self.cloud.kernel.after(delay, self._deliver, firing)
                else:
                    self._deliver(firing)
            if self.cloud.assumptions.scheduler_delivers_twice:
                later = timedelta(seconds=self.cloud.random.randint(1, LATEST_DUPLICATE_SECONDS))
                self.cloud.kernel.after(later, self._deliver, firing)
        if schedule.next_time(when) is None and schedule.document["ActionAfterCompletion"] == "DELETE":
            del self._region(scope).schedules[key]
        else:
            self._plan(scope, schedule, when)

    def _deliver(self, firing: _Firing) -> None:
        """One attempt to invoke the target, and what follows when that fails."""
        target, scope = firing.target, firing.scope
        self.cloud.record(
            scope,
            "ScheduleFired",
            schedule=firing.schedule,
            group=firing.group,
            scheduled_time=firing.scheduled_at,
            target=target["Arn"],
            attempt=firing.attempt,
        )
        try:
            self._invoke_target(firing)
        except NotEmulatedError:
            raise
        except AwsError as error:
            self._failed(firing, error)

    def _invoke_target(self, firing: _Firing) -> None:
        target, scope = firing.target, firing.scope
        if not self._trusted(scope, target["RoleArn"], firing.group):
            raise AwsError("AccessDeniedException", NOT_ASSUMABLE, status=403)
        meddler = self.cloud.meddler
        if meddler and meddler.refuses(scope, firing.schedule):
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", status=429)
        params = {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": _payload(firing).encode()}
        self.cloud.invoke(scope.as_principal(target["RoleArn"]), "lambda", "Invoke", params)

    def _failed(self, firing: _Firing, error: AwsError) -> None:
        policy = firing.target["RetryPolicy"]
        delay = min(FIRST_RETRY * 2 ** min(firing.attempt - 1, 10), LONGEST_RETRY)
        last = firing.fired_at + timedelta(seconds=policy["MaximumEventAgeInSeconds"])
        if firing.attempt > policy["MaximumRetryAttempts"]:
            self._give_up(firing, error, "MaximumRetryAttempts")
        elif self.cloud.now + delay > last:
            self._give_up(firing, error, "MaximumEventAgeInSeconds")
        else:
            self.cloud.kernel.after(delay, self._deliver, replace(firing, attempt=firing.attempt + 1))

    def _give_up(self, firing: _Firing, error: AwsError, condition: str) -> None:
        """https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html"""
        arn = (firing.target.get("DeadLetterConfig") or {}).get("Arn") or ""
        self.cloud.record(
            firing.scope,
            "ScheduleDiscarded",
            schedule=firing.schedule,
            group=firing.group,
            scheduled_time=firing.scheduled_at,
            target=firing.target["Arn"],
            destination=arn,
            error=str(error),
        )
        if not arn:
            return
        _, _, _, region, account, queue = arn.split(":")
        attributes = {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message or error.code,
            "EXECUTION_ID": firing.execution_id,
            "EXHAUSTED_RETRY_CONDITION": condition,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(firing.attempt - 1),
            "SCHEDULED_TIME": _stamp(firing.scheduled_at),
            "SCHEDULE_ARN": firing.arn,
            "TARGET_ARN": firing.target["Arn"],
        }
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        there = Scope(account, region, firing.target["RoleArn"])
        try:
            send_to_queue(self.cloud, there, queue, _payload(firing), typed)
        except NotEmulatedError:
            raise
        except AwsError as refusal:  # AWS drops what the queue does not take
            facts = {"schedule": firing.schedule, "target": firing.target["Arn"], "problem": str(refusal)}
            self.cloud.record(firing.scope, "ScheduleLost", **facts)


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _payload(firing: _Firing) -> str:
    """The target's input; https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html

    Assumption: without an Input, Scheduler sends an empty JSON object.
    """
    text = str(firing.target.get("Input") or "{}")
    for name, value in {
        "schedule-arn": firing.arn,
        "scheduled-time": _stamp(firing.scheduled_at),
        "execution-id": firing.execution_id,
        "attempt-number": str(firing.attempt),
    }.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _page(found: list[Shape], params: Params, *, into: str) -> Result:
    size = params.get("MaxResults")
    if size is not None and not 1 <= int(size) <= 100:
        raise invalid("MaxResults must be between 1 and 100.")
    shapes, token = paginate(
        found,
        params,
        limit="MaxResults",
        token="NextToken",  # noqa: S106 - the name of a parameter
        default=100,
        maximum=100,
    )
    return {into: shapes} | ({"NextToken": token} if token else {})
