"""Run Command: SendCommand and what one can ask about it afterwards.

https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from patchgate.emulator.agent.agents import execution_seconds
from patchgate.emulator.cloud import Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.ssm_command_delivery import Delivery
from patchgate.emulator.ssm_command_state import FINAL, Command, Invocation, Listener
from patchgate.emulator.ssm_constraints import (
    CONCURRENCY,
    ERRORS,
    instant,
    matching,
    page,
    required,
    unsupported,
    violation,
    within,
)
from patchgate.emulator.ssm_document_parameters import bind_parameters
from patchgate.emulator.ssm_documents import REFERENCE, VERSION, Documents
from patchgate.emulator.ssm_targets import check_targets, managed_among, resolve_targets

MAXIMUM_INSTANCE_IDS = 50
DEFAULT_DELIVERY_SECONDS = 3600


class Commands(Delivery):
    """The operations of Run Command."""

    def send(self, scope: Scope, params: Params, listener: Listener | None = None) -> Command:
        """SendCommand for other components: ``listener`` is called with the command's id when it has ended."""
        unsupported(params, "SendCommand", "DocumentHash", "AlarmConfiguration")
        instance_ids = self._resolve(scope, params)
        document, version, content = self.cloud.component(Documents).content(
            scope, str(params["DocumentName"]), params.get("DocumentVersion"), "Command"
        )
        given = _parameter_lists(params.get("Parameters"))
        bound = bind_parameters(content.parameters, given, "InvalidParameters")
        timeout = within(params, "TimeoutSeconds", 30, 2592000) or DEFAULT_DELIVERY_SECONDS
        now = self.cloud.now
        delivery = now + timedelta(seconds=timeout)
        machines = {item.instance_id: item for item in managed_among(self.cloud, scope, instance_ids)}
        command = Command(
            self.cloud.uuid(),
            scope,
            document.name,
            str(version.number),
            content.steps,
            bound,
            given,
            dict(params),
            now,
            delivery + timedelta(seconds=execution_seconds(content.steps, bound)),
            timeout,
            matching(params, "MaxConcurrency", CONCURRENCY) or "50",
            matching(params, "MaxErrors", ERRORS) or "0",
            {item: Invocation(item, machines[item].tags.get("Name", ""), delivery, now) for item in instance_ids},
            list(instance_ids),
            listener,
        )
        self.cloud.record(
            scope,
            "CommandSent",
            command=command.command_id,
            document=document.name,
            instances=list(instance_ids),
            parameters=given,
            principal=scope.principal,
        )
        self.begin(command)
        return command

    @operation("SendCommand")
    def send_command(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html"""
        required(params, "DocumentName")
        matching(params, "DocumentName", REFERENCE)
        matching(params, "DocumentVersion", VERSION)
        matching(params, "Comment", r".*", longest=100)
        if len(params.get("InstanceIds") or ()) > MAXIMUM_INSTANCE_IDS:
            raise violation(
                "instanceIds", "...", f"Member must have length less than or equal to {MAXIMUM_INSTANCE_IDS}"
            )
        return {"Command": self.send(scope, params).shape()}

    @operation("GetCommandInvocation")
    def get_command_invocation(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html"""
        required(params, "CommandId", "InstanceId")
        command = self.commands(scope).get(str(params["CommandId"]))
        if command is None or str(params["InstanceId"]) not in command.invocations:
            raise AwsError("InvocationDoesNotExist", "The command ID and managed node ID you specified did not match.")
        invocation = command.invocations[str(params["InstanceId"])]
        name = params.get("PluginName")
        if name is None:
            return command.result_shape(invocation, None)
        named = [result for result in invocation.results if result.name == name]
        if not named:
            raise AwsError("InvalidPluginName", f"The plugin name {name} is not valid.")
        return command.result_shape(invocation, named[0])

    @operation("ListCommands")
    def list_commands(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html"""
        found = self._asked(scope, params)
        for item in params.get("Filters") or ():
            found = [command for command in found if _fits(command, command.status, item)]
        if params.get("InstanceId"):
            found = [command for command in found if params["InstanceId"] in command.invocations]
        return page([command.shape() for command in found], params, "Commands", least=1, default=50, most=50)

    @operation("ListCommandInvocations")
    def list_command_invocations(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html"""
        pairs = [(command, item) for command in self._asked(scope, params) for item in command.invocations.values()]
        if params.get("InstanceId"):
            pairs = [pair for pair in pairs if pair[1].instance_id == params["InstanceId"]]
        for item in params.get("Filters") or ():
            pairs = [pair for pair in pairs if _fits(pair[0], pair[1].status, item)]
        details = bool(params.get("Details"))
        shapes = [command.invocation_shape(item, details=details) for command, item in pairs]
        return page(shapes, params, "CommandInvocations", least=1, default=50, most=50)

    @operation("CancelCommand")
    def cancel_command(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html"""
        required(params, "CommandId")
        command = self.commands(scope).get(str(params["CommandId"]))
        if command is None:
            raise AwsError("InvalidCommandId", f"The command ID {params['CommandId']} is not valid.")
        wanted = list(params.get("InstanceIds") or command.invocations)
        if any(instance_id not in command.invocations for instance_id in wanted):
            raise AwsError("InvalidInstanceId", "The command was not sent to all of these instances.")
        self.cancel(command, wanted)
        return {}

    def _resolve(self, scope: Scope, params: Params) -> list[str]:
        ids, targets = params.get("InstanceIds") or [], params.get("Targets") or []
        if bool(ids) == bool(targets):
            raise AwsError("ValidationException", "Specify either InstanceIds or Targets.")
        if targets:
            check_targets(targets, ("InstanceIds", "tag:", "tag-key"))
            found = resolve_targets(self.cloud, scope, targets)
            if not found:
                raise AwsError("InvalidInstanceId", "The targets match no managed instance.")
            return found
        if len(set(ids)) != len(ids):
            raise AwsError("DuplicateInstanceId", "You cannot specify an instance ID in more than one association.")
        known = {item.instance_id for item in managed_among(self.cloud, scope, ids)}
        unknown = [str(item) for item in ids if item not in known]
        if unknown:
            raise AwsError(
                "InvalidInstanceId",
                f"Instances [[{', '.join(unknown)}]] not in a valid state for account {scope.account}",
            )
        return [str(item) for item in ids]

    def _asked(self, scope: Scope, params: Params) -> list[Command]:
        """The commands of the request, newest first."""
        found = list(reversed(self.commands(scope).values()))
        if not params.get("CommandId"):
            return found
        named = [command for command in found if command.command_id == params["CommandId"]]
        if not named:
            raise AwsError("InvalidCommandId", f"The command ID {params['CommandId']} is not valid.")
        return named


def _parameter_lists(raw: Any) -> dict[str, list[str]]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise AwsError("InvalidParameters", "Parameters must be a map of lists.")
    for name, values in raw.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise AwsError("InvalidParameters", f"Parameter {name} must be a list of strings.")
    return {str(name): list(values) for name, values in raw.items()}


def _fits(command: Command, status: str, item: Params) -> bool:
    key, value = item.get("key"), str(item.get("value"))
    if key == "Status":
        return status == value
    if key == "ExecutionStage":
        return (status in FINAL) == (value == "Complete")
    if key == "DocumentName":
        return command.document == value
    if key == "InvokedAfter":
        return command.requested >= instant(value, "filters.value")
    if key == "InvokedBefore":
        return command.requested <= instant(value, "filters.value")
    raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")
