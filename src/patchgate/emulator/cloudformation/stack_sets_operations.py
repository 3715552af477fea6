"""Operations on stack sets, as they go on in virtual time: one place after the other, or several at once.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html: an operation is RUNNING until
every place has its result; one that exceeds its failure tolerance is FAILED, and what it has not begun is CANCELLED. A
stopped one is STOPPING while what it began comes to its end, then STOPPED.

Assumptions: an operation on a stack set begins after 5 seconds and takes a minute for each stack; what an operation
on a stack set does to a stack happens at the end of the stack's minute; a stack instance in a suspended account is
skipped: its result is CANCELLED, and it does not count as failed; automatic deployments wait for the operation in
progress, and are carried out one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Scope
from patchgate.emulator.cloudformation.stack_sets_members import MemberStacks
from patchgate.emulator.cloudformation.stack_sets_pace import exceeded, given_up, next_places
from patchgate.emulator.cloudformation.stack_sets_state import (
    Place,
    PlaceResult,
    SetOperation,
    StackInstance,
    StackSet,
    StackSetState,
)
from patchgate.emulator.errors import AwsError
from patchgate.emulator.organizations import Organizations

PREPARATION = timedelta(seconds=5)
STACK_DURATION = timedelta(minutes=1)
CANCELLED_BY_FAILURES = "Cancelled since failure tolerance has exceeded"
CANCELLED_BY_USER = "Cancelled since the operation was stopped"

Key = tuple[str, str]


class StackSetOperations(Component):
    """The state of stack sets and the progress of their operations."""

    service = "cloudformation"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._states: dict[Key, StackSetState] = {}
        self._durations: dict[Place, timedelta] = {}

    def state(self, scope: Scope) -> StackSetState:
        """Every stack set of an account and Region."""
        return self._states.setdefault(scope.key, StackSetState())

    def set_duration(self, account: str, region: str, duration: timedelta) -> None:
        """How long each stack takes in an account and Region from now on; a minute elsewhere."""
        self._durations[account, region] = duration

    def begin(
        self, scope: Scope, stack_set: StackSet, operation: SetOperation, instances: Iterable[StackInstance]
    ) -> None:
        """Start an operation that passed ``check_free`` on instances of the set, in the given order."""
        self._start(scope.key, stack_set, operation, instances)

    def begin_automatic(
        self, key: Key, stack_set: StackSet, operation: SetOperation, instances: Iterable[StackInstance]
    ) -> None:
        """Start an automatic deployment, behind the operation in progress."""
        if stack_set.running() is not None:
            for instance in instances:
                self._enter(operation, instance)
            stack_set.waiting.append(operation)
        else:
            self._start(key, stack_set, operation, instances)

    def _enter(self, operation: SetOperation, instance: StackInstance) -> None:
        place = instance.account, instance.region
        operation.results[place] = PlaceResult(*place, instance.unit)
        instance.operation, instance.detailed_status, instance.reason = operation.id, "PENDING", ""

    def _start(
        self, key: Key, stack_set: StackSet, operation: SetOperation, instances: Iterable[StackInstance]
    ) -> None:
        for instance in instances:
            self._enter(operation, instance)
        stack_set.operations[operation.id] = operation
        self._record(key, stack_set, operation)
        self.cloud.kernel.after(PREPARATION, self._advance, key, stack_set.id, operation.id)

    def stop(self, scope: Scope, stack_set: StackSet, operation: SetOperation) -> None:
        """Cancel what has not begun; the operation ends when what has begun is over."""
        operation.status = "STOPPING"
        self._record(scope.key, stack_set, operation)
        _cancel(stack_set, operation.in_status("PENDING"), CANCELLED_BY_USER)
        self._end_when_done(scope.key, stack_set, operation)

    def _advance(self, key: Key, set_id: str, operation_id: str) -> None:
        """Begin what may begin now, or end the operation where nothing is left."""
        stack_set = self._states[key].sets[set_id]
        operation = stack_set.operations[operation_id]
        if operation.status == "RUNNING":
            _cancel(stack_set, given_up(operation), CANCELLED_BY_FAILURES)
            for result in next_places(operation):
                place = result.account, result.region
                result.status = "RUNNING"
                stack_set.instances[place].detailed_status = "RUNNING"
                wait = self._durations.get(place, STACK_DURATION)
                self.cloud.kernel.after(wait, self._finish, key, set_id, operation_id, place)
        self._end_when_done(key, stack_set, operation)

    def _finish(self, key: Key, set_id: str, operation_id: str, place: Place) -> None:
        """Do what the operation does in one place, and note how it went."""
        stack_set = self._states[key].sets[set_id]
        operation = stack_set.operations[operation_id]
        result, instance = operation.results[place], stack_set.instances[place]
        if self._suspended(stack_set, instance):
            result.status, result.reason = "CANCELLED", "Skipped: the account is suspended"
            instance.detailed_status, instance.reason = "SKIPPED_SUSPENDED_ACCOUNT", result.reason
        else:
            self._carry_out(key, stack_set, operation, result, instance)
        self._advance(key, set_id, operation_id)

    def _carry_out(
        self, key: Key, stack_set: StackSet, operation: SetOperation, result: PlaceResult, instance: StackInstance
    ) -> None:
        deleting, looking = operation.action == "DELETE", operation.action == "DETECT_DRIFT"
        stacks = MemberStacks(self.cloud, Scope(*key), stack_set)
        try:
            if looking:
                result.drift_status, result.drifts = stacks.detect_drift(instance)
                instance.drift_status, instance.drift_checked_at = result.drift_status, self.cloud.now
            elif not deleting:
                stacks.deploy(instance)
            elif not operation.retain:
                stacks.delete(instance)
        except AwsError as error:
            reason = error.message if error.code == "ValidationError" else f"{error.code}: {error.message}"
            result.status, result.reason = "FAILED", reason
            if not looking:
                instance.status = "INOPERABLE" if deleting else "OUTDATED"
            instance.detailed_status, instance.reason = "INOPERABLE" if deleting else "FAILED", reason
            return
        result.status = "SUCCEEDED"
        if deleting:
            del stack_set.instances[result.account, result.region]
        else:
            instance.status = instance.status if looking else "CURRENT"
            instance.detailed_status, instance.reason = "SUCCEEDED", ""

    def _suspended(self, stack_set: StackSet, instance: StackInstance) -> bool:
        """Whether the account is a suspended one; those that left the organization are handled as any other."""
        organizations = self.cloud.component(Organizations)
        member = stack_set.service_managed and organizations.is_member(instance.account)
        return member and not organizations.is_active(instance.account)

    def _end_when_done(self, key: Key, stack_set: StackSet, operation: SetOperation) -> None:
        if operation.in_status("PENDING", "RUNNING") or operation.ended_at is not None:
            return
        stopped = operation.status == "STOPPING"
        failed = any(exceeded(operation, region) for region in operation.regions())
        operation.status = "STOPPED" if stopped else "FAILED" if failed else "SUCCEEDED"
        operation.ended_at = self.cloud.now
        self._record(key, stack_set, operation)
        if stack_set.waiting:
            following = stack_set.waiting.pop(0)
            self._start_waiting(key, stack_set, following)

    def _start_waiting(self, key: Key, stack_set: StackSet, operation: SetOperation) -> None:
        places = list(operation.results.values())
        operation.results.clear()
        if operation.action == "CREATE":
            chosen = [self.instance_at(stack_set, item.account, item.region, item.unit) for item in places]
        else:
            there = (stack_set.instances.get((item.account, item.region)) for item in places)
            chosen = [instance for instance in there if instance is not None]
        self._start(key, stack_set, operation, chosen)

    def instance_at(self, stack_set: StackSet, account: str, region: str, unit: str) -> StackInstance:
        """The instance in a place, made where there is none."""
        return stack_set.instances.setdefault((account, region), StackInstance(account, region, unit))

    def _record(self, key: Key, stack_set: StackSet, operation: SetOperation) -> None:
        facts: Mapping[str, Any] = {
            "stack_set": stack_set.name,
            "operation": operation.id,
            "action": operation.action,
            "status": operation.status,
            "failed": len(operation.in_status("FAILED")),
        }
        self.cloud.record(Scope(*key), "StackSetOperationStatusChanged", **facts)


def check_free(stack_set: StackSet, operation: SetOperation) -> None:
    """OperationInProgressException or OperationIdAlreadyExistsException where an operation cannot begin."""
    refuse_while_running(stack_set)
    if operation.id in stack_set.operations:
        raise AwsError("OperationIdAlreadyExistsException", f"Operation {operation.id} already exists", status=409)


def _cancel(stack_set: StackSet, results: Iterable[PlaceResult], reason: str) -> None:
    for result in results:
        result.status, result.reason = "CANCELLED", reason
        instance = stack_set.instances[result.account, result.region]
        instance.detailed_status, instance.reason = "CANCELLED", reason


def refuse_while_running(stack_set: StackSet) -> None:
    """OperationInProgressException while an operation on the set is in progress."""
    running = stack_set.running()
    if running is not None:
        raise AwsError(
            "OperationInProgressException",
            f"Another Operation on StackSet {stack_set.id} is in progress: {running.id}",
            status=409,
        )
