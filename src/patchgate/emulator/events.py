"""EventBridge rules that follow a schedule and invoke Lambda functions.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html

A rule fires within the minute of its time, in UTC. A function is invoked if its resource policy lets
``events.amazonaws.com`` invoke it for the rule; otherwise nothing happens but RuleInvocationFailed in the history, as
in AWS, where a metric counts it. Rules that match events are not emulated: nothing here sends events to a bus.

Assumptions: a rule that follows a schedule fires up to 59 seconds after its time; a rate's runs are counted from the
instant in which its rule was put.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation, paginate
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions import Functions
from patchgate.emulator.functions_targets import check_invoker
from patchgate.schedule import ScheduleError, parse

PRECISION_SECONDS = 59
MAX_TARGETS = 5
BUS = "default"
_TARGET = ("Id", "Arn", "Input", "RetryPolicy")
_NAME = r"[\.\-_A-Za-z0-9]{1,64}"


@dataclass(slots=True)
class Rule:
    """One rule of the default bus."""

    name: str
    arn: str
    schedule: str
    state: str
    put_at: datetime
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    revision: int = 0

    def times(self, after: datetime) -> Iterator[datetime]:
        """When it fires after ``after`` (exclusive), ascending, whatever its state."""
        return parse(self.schedule, "eventbridge-rule").occurrences("UTC", after, anchor=self.put_at)

    def shape(self) -> Result:
        """As ListRules returns it."""
        shape = {
            "Name": self.name,
            "Arn": self.arn,
            "State": self.state,
            "ScheduleExpression": self.schedule,
            "EventBusName": BUS,
        }
        return shape | ({"Description": self.description} if self.description else {})


class Events(Component):
    """The operations on rules."""

    service: ClassVar[str] = "events"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._rules: dict[tuple[str, str], dict[str, Rule]] = {}

    def rule(self, scope: Scope, name: str) -> Rule:
        """A rule by its name; AwsError ResourceNotFoundException when there is none."""
        return self._rule(scope, {"Name": name}, "Name")

    # Operations

    @operation("PutRule")
    def put_rule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"""
        _check_bus(params)
        name, schedule = str(params["Name"]), str(params.get("ScheduleExpression") or "")
        if not re.fullmatch(_NAME, name):
            raise _invalid(f"Value '{name}' at 'name' failed to satisfy constraint: {_NAME}")
        if params.get("EventPattern") or params.get("RoleArn"):
            raise NotEmulatedError("events:PutRule with EventPattern or RoleArn")
        state = params.get("State") or "ENABLED"
        if state not in ("ENABLED", "DISABLED"):
            raise NotEmulatedError(f"events:PutRule with the State {state}")
        self._check_schedule(schedule)
        rules = self._rules.setdefault(scope.key, {})
        rule = rules.get(name) or Rule(name, scope.arn("events", f"rule/{name}"), schedule, state, self.cloud.now)
        if name not in rules:
            rule.tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}
        rule.schedule, rule.state, rule.put_at = schedule, state, self.cloud.now
        rule.description = params.get("Description") or ""
        rules[name] = rule
        self._plan(scope, rule, self.cloud.now)
        return {"RuleArn": rule.arn}

    @operation("DeleteRule")
    def delete_rule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html: absent ones are no error."""
        _check_bus(params)
        rules = self._rules.get(scope.key, {})
        rule = rules.get(str(params["Name"]))
        if rule is not None and rule.targets:
            raise _invalid("Rule can't be deleted since it has targets.")
        rules.pop(str(params["Name"]), None)
        return {}

    @operation("DescribeRule")
    def describe_rule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html"""
        return self._rule(scope, params, "Name").shape()

    @operation("ListRules")
    def list_rules(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html"""
        _check_bus(params)
        rules, prefix = self._rules.get(scope.key, {}), params.get("NamePrefix") or ""
        return _page("Rules", [rules[name].shape() for name in sorted(rules) if name.startswith(prefix)], params)

    @operation("EnableRule")
    def enable_rule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EnableRule.html"""
        self._rule(scope, params, "Name").state = "ENABLED"
        return {}

    @operation("DisableRule")
    def disable_rule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html"""
        self._rule(scope, params, "Name").state = "DISABLED"
        return {}

    @operation("PutTargets")
    def put_targets(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html"""
        rule = self._rule(scope, params, "Rule")
        given = {str(target["Id"]): _checked_target(target) for target in params["Targets"]}
        if len(rule.targets | given) > MAX_TARGETS:
            raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        rule.targets |= given
        return {"FailedEntryCount": 0, "FailedEntries": []}

    @operation("RemoveTargets")
    def remove_targets(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html"""
        rule = self._rule(scope, params, "Rule")
        for name in params["Ids"]:
            rule.targets.pop(name, None)
        return {"FailedEntryCount": 0, "FailedEntries": []}

    @operation("ListTargetsByRule")
    def list_targets_by_rule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html"""
        targets = self._rule(scope, params, "Rule").targets
        return _page("Targets", [copy.deepcopy(target) for target in targets.values()], params)

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTagsForResource.html"""
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(scope, params).tags.items()]}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html"""
        self._tagged(scope, params).tags |= {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UntagResource.html"""
        tags = self._tagged(scope, params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    # State

    def _rule(self, scope: Scope, params: Params, key: str) -> Rule:
        _check_bus(params)
        rule = self._rules.get(scope.key, {}).get(str(params[key]))
        if rule is None:
            raise _absent(f"Rule {params[key]} does not exist on EventBus {BUS}.")
        return rule

    def _tagged(self, scope: Scope, params: Params) -> Rule:
        for rule in self._rules.get(scope.key, {}).values():
            if rule.arn == params["ResourceARN"]:
                return rule
        raise _absent(f"{params['ResourceARN']} does not exist.")

    def _check_schedule(self, schedule: str) -> None:
        try:
            parse(schedule, "eventbridge-rule")
        except ScheduleError as error:
            raise _invalid(f"Parameter ScheduleExpression is not valid: {error}") from error

    # Firing

    def _plan(self, scope: Scope, rule: Rule, after: datetime) -> None:
        """Note when the rule fires next; earlier plans of it are void."""
        rule.revision += 1
        when = next(rule.times(after), None)
        if when is not None:
            delay = timedelta(seconds=self.cloud.random.randint(0, PRECISION_SECONDS))
            self.cloud.kernel.at(when + delay, self._due, scope.as_principal(""), rule.name, rule.revision, when)

    def _due(self, scope: Scope, name: str, revision: int, when: datetime) -> None:
        rule = self._rules[scope.key].get(name)
        if rule is None or rule.revision != revision:
            return
        if rule.state == "ENABLED":
            meddler = self.cloud.meddler
            for delay in meddler.deliveries(scope, rule.name, when) if meddler else (timedelta(0),):
                for target in list(rule.targets.values()):
                    if delay:
                        self.cloud.kernel.after(delay, self._invoke, scope, rule, target, when)
                    else:
                        self._invoke(scope, rule, target, when)
        self._plan(scope, rule, when)

    def _invoke(self, scope: Scope, rule: Rule, target: Mapping[str, Any], when: datetime) -> None:
        self.cloud.record(scope, "RuleFired", rule=rule.name, scheduled_time=when, target=target["Arn"])
        payload = target.get("Input") or json.dumps(self._event(scope, rule, when))
        params = {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": payload.encode()}
        try:
            function = self.cloud.component(Functions).function(scope, target["Arn"])
            check_invoker(function, "events.amazonaws.com", rule.arn, scope.account)
            self.cloud.invoke(scope, "lambda", "Invoke", params)
        except NotEmulatedError:
            raise
        except AwsError as error:
            facts = {"rule": rule.name, "target": target["Arn"], "error": error.code, "message": error.message}
            self.cloud.record(scope, "RuleInvocationFailed", **facts)

    def _event(self, scope: Scope, rule: Rule, when: datetime) -> dict[str, Any]:
        """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html"""
        return {
            "version": "0",
            "id": self.cloud.uuid(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": scope.account,
            "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": scope.region,
            "resources": [rule.arn],
            "detail": {},
        }


def _checked_target(given: Params) -> dict[str, Any]:
    arn = str(given["Arn"])
    if not re.fullmatch(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+", arn):
        raise NotEmulatedError(f"the target {arn} of a rule: Lambda functions are")
    others = [name for name, value in given.items() if value and name not in _TARGET]
    if others:
        raise NotEmulatedError(f"{', '.join(sorted(others))} of rule targets")
    return copy.deepcopy(dict(given))


def _check_bus(params: Params) -> None:
    if params.get("EventBusName") not in (None, BUS):
        raise NotEmulatedError(f"the event bus {params['EventBusName']}")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _absent(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message)


def _page(member: str, items: list[dict[str, Any]], params: Params) -> Result:
    page, token = paginate(items, params, limit="Limit", token="NextToken", default=100, maximum=100)  # noqa: S106
    return {member: page} | ({"NextToken": token} if token else {})
