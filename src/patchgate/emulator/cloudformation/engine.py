"""Stack operations from start to end: create, update, delete, with rollback.

Each runs synchronously, an update as slowly as ``Cloud.stack_resource_seconds`` says; resources are handled one after
the other in dependency order, where AWS works on independent ones at once. After the first failure nothing more is
created, which is one of the orders AWS may take.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.cloudformation.change_details import ChangePlan
from patchgate.emulator.cloudformation.deployment import Deployment
from patchgate.emulator.cloudformation.graph import live_outputs
from patchgate.emulator.cloudformation.journal import Journal
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.resources import ResourceHandler, failure
from patchgate.emulator.cloudformation.stacks import Stack, StackOutput, StackResource, StackState, Unfinished
from patchgate.emulator.errors import AwsError

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
"""The statuses in which a stack can be updated."""


@dataclass(slots=True)
class _Undo:
    """What an update did so far, so that it can be taken back."""

    created: list[StackResource] = field(default_factory=list)
    updated: list[tuple[StackResource, StackResource]] = field(default_factory=list)
    replaced: list[tuple[StackResource, StackResource]] = field(default_factory=list)


class StackEngine:
    """One operation on one stack."""

    def __init__(self, cloud: Cloud, scope: Scope, state: StackState, stack: Stack, token: str = "") -> None:
        self._cloud = cloud
        self._state = state
        self._stack = stack
        self._journal = Journal(cloud, scope, stack, token)
        self._handler = ResourceHandler(cloud, scope, state, stack, self._journal)

    def create(self, deployment: Deployment, on_failure: str) -> None:
        """Create everything. ``on_failure`` is DO_NOTHING, ROLLBACK or DELETE."""
        self._journal.stack("CREATE_IN_PROGRESS", "User Initiated")
        _adopt(self._stack, deployment)
        try:
            for name in deployment.order:
                self._create_resource(deployment, name)
            self._stack.outputs = self._outputs(deployment)
        except AwsError as error:
            self._create_failed(error, on_failure)
            return
        self._stack.imports = self._handler.imports
        self._journal.stack("CREATE_COMPLETE")

    def _create_resource(self, deployment: Deployment, name: str) -> None:
        self._handler.create(self._desired(deployment, name, "CREATE"))

    def _desired(self, deployment: Deployment, name: str, verb: str) -> StackResource:
        """A resource's record to be, or AwsError after the event that says why there is none."""
        try:
            return self._handler.desired(deployment, name)
        except AwsError as error:
            kind = deployment.template.resources[name].type
            self._journal.resource(name, kind, f"{verb}_FAILED", reason=failure(error))
            raise

    def _create_failed(self, error: AwsError, on_failure: str) -> None:
        failed = self._failed_names("CREATE_FAILED")
        reason = (
            f"The following resource(s) failed to create: [{', '.join(failed)}]. " if failed else f"{error.message} "
        )
        if on_failure == "DO_NOTHING":
            self._journal.stack("CREATE_FAILED", reason.strip())
            return
        rolled_back = on_failure == "ROLLBACK"
        if rolled_back:
            self._journal.stack("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
        else:
            self._journal.stack("DELETE_IN_PROGRESS", f"{reason}Delete requested by user.")
        undeleted = self._delete_all(created_now=True)
        if undeleted:
            status = "ROLLBACK_FAILED" if rolled_back else "DELETE_FAILED"
            self._journal.stack(status, f"The following resource(s) failed to delete: [{', '.join(undeleted)}]. ")
        elif rolled_back:
            self._stack.outputs = []
            self._journal.stack("ROLLBACK_COMPLETE")
        else:
            self._mark_deleted()

    def _failed_names(self, status: str) -> list[str]:
        """The resources with an event of that status since the stack's own last event."""
        names: dict[str, None] = {}
        for event in reversed(self._stack.events):
            if event.physical_id == self._stack.id:
                break
            if event.status == status:
                names[event.logical_id] = None
        return list(names)

    def delete(self, retain: Iterable[str]) -> None:
        """Delete everything but what is retained; DELETE_FAILED where something resists or an export is in use."""
        self._journal.stack("DELETE_IN_PROGRESS", "User Initiated")
        for name, _, stack in list(self._state.exports()):
            users = self._state.importers(name) if stack is self._stack else []
            if users:
                reason = f"Delete canceled. Cannot delete export {name} as it is in use by {' and '.join(users)}."
                self._journal.stack("DELETE_FAILED", reason)
                return
        undeleted = self._delete_all(created_now=False, retain=frozenset(retain))
        if undeleted:
            reason = f"The following resource(s) failed to delete: [{', '.join(undeleted)}]. "
            self._journal.stack("DELETE_FAILED", reason)
        else:
            self._mark_deleted()

    def _delete_all(self, *, created_now: bool, retain: frozenset[str] = frozenset()) -> list[str]:
        """Delete in reverse order of creation; what something undeleted depends on stays. Returns what failed."""
        failed: list[str] = []
        kept: set[str] = set()
        for name, resource in reversed(list(self._stack.resources.items())):
            if resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
                continue
            if name in kept:
                kept.update(resource.depends_on)
                continue
            keep = name in retain or self._retains(resource.deletion_policy, created_now=created_now)
            try:
                self._handler.delete(resource, retain=keep and bool(resource.physical_id))
            except AwsError:
                failed.append(name)
                kept.update(resource.depends_on)
        return failed

    def _retains(self, policy: str, *, created_now: bool) -> bool:
        """RetainExceptOnCreate retains unless the operation that created the resource is rolled back."""
        if policy == "Retain":
            return not (created_now and self._stack.retain_except_on_create)
        return policy == "RetainExceptOnCreate" and not created_now

    def _mark_deleted(self) -> None:
        self._stack.outputs, self._stack.imports = [], set()
        self._stack.deleted_at = self._cloud.now
        self._state.live.pop(self._stack.name, None)
        for change_set in [item for item in self._state.change_sets.values() if item.stack_id == self._stack.id]:
            del self._state.change_sets[change_set.id]
        self._journal.stack("DELETE_COMPLETE")

    def check_update(self, deployment: Deployment) -> None:
        """ValidationError where an update cannot start: nothing to do, or a resource's type changes."""
        resources = deployment.template.resources
        retyped = [
            name
            for name, old in self._stack.resources.items()
            if name in deployment.order and resources[name].type != old.type
        ]
        if retyped:
            raise invalid(
                "Update of resource type is not permitted. The new template modifies resource type of the following "
                f"resources: [{', '.join(retyped)}]"
            )
        if not self._differs(deployment):
            raise invalid("No updates are to be performed.")

    def changes(self, deployment: Deployment) -> list[dict[str, Any]]:
        """What an operation would do, as DescribeChangeSet lists it."""
        return ChangePlan(self._handler, self._stack, deployment).changes()

    def _differs(self, deployment: Deployment) -> bool:
        stack = self._stack
        if set(stack.resources) != set(deployment.order) or dict(deployment.tags) != stack.tags:
            return True
        try:
            for name in deployment.order:
                if changes(stack.resources[name], self._handler.desired(deployment, name)):
                    return True
            return self._outputs(deployment, checked=False) != stack.outputs
        except AwsError:
            return True  # the operation itself will fail, with events that say why

    def update(self, deployment: Deployment, *, disable_rollback: bool) -> None:
        """Bring the stack to a template that passed ``check_update``."""
        stack = self._stack
        self._journal.stack("UPDATE_IN_PROGRESS", "User Initiated")
        before = replace(stack, resources=dict(stack.resources))
        undo = _Undo()
        _adopt(stack, deployment)
        stack.updated_at = self._cloud.now
        try:
            for name in deployment.order:
                self._update_resource(deployment, name, undo)
            stack.outputs = self._outputs(deployment)
        except AwsError as error:
            self._update_failed(error, before, undo, disable_rollback=disable_rollback)
            return
        stack.imports = self._handler.imports
        self._journal.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        replaced = {old.logical_id: old for old, _ in undo.replaced}
        gone = {name: old for name, old in before.resources.items() if name not in deployment.order}
        for name in reversed(before.resources):
            if name in replaced:
                self._clean_up(replaced[name], retain=replaced[name].update_replace_policy == "Retain")
            elif name in gone:
                self._clean_up(gone[name], retain=gone[name].deletion_policy != "Delete")
        stack.resources = {name: stack.resources[name] for name in deployment.order}
        self._journal.stack("UPDATE_COMPLETE")

    def _clean_up(self, resource: StackResource, *, retain: bool) -> None:
        """Delete what an update leaves behind. AWS completes the update even where that fails; the event says so."""
        try:
            self._handler.delete(resource, retain=retain)
        except AwsError:
            return

    def _update_resource(self, deployment: Deployment, name: str, undo: _Undo) -> None:
        old = self._stack.resources.get(name)
        if old is None:
            new = self._desired(deployment, name, "CREATE")
            undo.created.append(new)
            self._handler.create(new)
            return
        new = self._desired(deployment, name, "UPDATE")
        if not changes(old, new):
            old.depends_on = new.depends_on
            return
        try:
            replaces = self._handler.replaces(old, new)
        except AwsError as error:
            self._journal.record(replace(old), "UPDATE_FAILED", failure(error))
            raise
        if replaces:
            undo.replaced.append((old, new))
            self._handler.create(new, during="UPDATE")
        else:
            undo.updated.append((old, new))
            self._handler.update(old, new)
        self._take_time()

    def _take_time(self) -> None:
        """A resource was changed: time passes, where there is a process that it can pass for."""
        if self._cloud.stack_resource_seconds and self._cloud.kernel.current is not None:
            self._cloud.kernel.sleep(self._cloud.stack_resource_seconds)

    def _update_failed(self, error: AwsError, before: Stack, undo: _Undo, *, disable_rollback: bool) -> None:
        failed = self._failed_names("UPDATE_FAILED") + self._failed_names("CREATE_FAILED")
        reason = f"The following resource(s) failed to update: [{', '.join(failed)}]. " if failed else error.message
        if disable_rollback:
            self._journal.stack("UPDATE_FAILED", reason.strip())
            return
        self._journal.stack("UPDATE_ROLLBACK_IN_PROGRESS", reason.strip())
        stuck = [(old, new) for old, new in reversed(undo.updated) if not self._take_back(old, new)]
        _restore(self._stack, before)
        self._finish_rollback(Unfinished(stuck, undo.created + [new for _, new in undo.replaced]))

    def continue_rollback(self, skipped: Collection[str]) -> None:
        """Try again to bring back what a rollback could not, without the resources that are to be skipped.

        ValidationError where the stack is in no such state, or a skipped resource is not one that failed.
        """
        stack, unfinished = self._stack, self._stack.unfinished
        if stack.status != "UPDATE_ROLLBACK_FAILED" or unfinished is None:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not continue rollback.")
        unknown = sorted(set(skipped) - {old.logical_id for old, _ in unfinished.stuck})
        if unknown:
            raise invalid(f"ResourcesToSkip: [{', '.join(unknown)}] did not fail to roll back")
        self._journal.stack("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        left = [(old, new) for old, new in unfinished.stuck if old.logical_id not in skipped]
        stuck = [(old, new) for old, new in left if not self._take_back(old, new)]
        for old, _ in unfinished.stuck:
            if old.logical_id in skipped:
                self._journal.record(old, "UPDATE_COMPLETE", "Resource was skipped during rollback.")
        self._finish_rollback(Unfinished(stuck, unfinished.leftovers))

    def _finish_rollback(self, unfinished: Unfinished) -> None:
        if unfinished.stuck:
            self._stack.unfinished = unfinished
            names = ", ".join(old.logical_id for old, _ in unfinished.stuck)
            self._journal.stack("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{names}]. ")
            return
        self._stack.unfinished = None
        self._journal.stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for new in reversed(unfinished.leftovers):
            if new.physical_id:
                self._clean_up(new, retain=False)
        self._journal.stack("UPDATE_ROLLBACK_COMPLETE")

    def _take_back(self, old: StackResource, new: StackResource) -> bool:
        """Bring an updated resource back to what it was; False where that fails, as a half-done update may make it."""
        try:
            self._handler.update(replace(new), replace(old))
        except AwsError:
            return False
        return True

    def _outputs(self, deployment: Deployment, *, checked: bool = True) -> list[StackOutput]:
        """The outputs' values; with ``checked`` also that their exports clash with none and take none away in use."""
        evaluator = self._handler.evaluator(deployment)
        outputs = []
        for item in live_outputs(deployment.template, deployment.conditions):
            value = evaluator.text(item.value, f"the Value of output {item.name}")
            export = None
            if item.export_name is not None:
                export = evaluator.text(item.export_name, f"the export name of output {item.name}")
            outputs.append(StackOutput(item.name, value, item.description, export))
        if checked:
            self._check_exports({item.export_name: item.value for item in outputs if item.export_name is not None})
        return outputs

    def _check_exports(self, exports: dict[str, str]) -> None:
        for name, value, owner in list(self._state.exports()):
            if owner is not self._stack:
                if name in exports:
                    raise invalid(f"Export with name {name} is already exported by stack {owner.name}.")
                continue
            users = [user for user in self._state.importers(name) if user != self._stack.name]
            if users and exports.get(name) != value:
                verb = "update" if name in exports else "delete"
                raise invalid(f"Cannot {verb} export {name} as it is in use by {' and '.join(users)}.")


def changes(old: StackResource, new: StackResource) -> bool:
    """Whether a resource is to be updated: its properties, metadata or policies differ."""
    return (old.properties, old.metadata, old.deletion_policy, old.update_replace_policy) != (
        new.properties, new.metadata, new.deletion_policy, new.update_replace_policy,
    )  # fmt: skip


def _adopt(stack: Stack, deployment: Deployment) -> None:
    stack.template = deployment.template.body
    stack.description = deployment.template.description
    stack.parameters = {name: item.given for name, item in deployment.parameters.items()}
    stack.described_parameters = [item.described() for item in deployment.parameters.values()]
    stack.tags = dict(deployment.tags)
    stack.capabilities = list(deployment.capabilities)


def _restore(stack: Stack, before: Stack) -> None:
    """Everything that a stack deploys, as it was before."""
    for name in (
        "template",
        "description",
        "parameters",
        "described_parameters",
        "tags",
        "capabilities",
        "outputs",
    ):
        setattr(stack, name, getattr(before, name))
    current = stack.resources
    stack.resources = {
        name: current[name] if current[name].physical_id == old.physical_id else old
        for name, old in before.resources.items()
    }
