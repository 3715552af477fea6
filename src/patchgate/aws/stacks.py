"""CloudFormation stacks through boto3 clients.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from patchgate.aws.refusals import describe_refusal, is_said
from patchgate.operations.ports import StackFailedError, StackResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LONGEST_TEMPLATE = 51_200
"""Bytes that CloudFormation takes as TemplateBody."""

_SUCCESS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
_STUCK = {
    "ROLLBACK_COMPLETE": "its creation failed; delete it and deploy again",
    "ROLLBACK_FAILED": "its creation failed; delete it and deploy again",
    "CREATE_FAILED": "its creation failed; delete it and deploy again",
    "DELETE_FAILED": "delete it again, retaining what cannot be deleted, and deploy again",
    "UPDATE_ROLLBACK_FAILED": "repair the named resource, then aws cloudformation continue-update-rollback",
    "REVIEW_IN_PROGRESS": "a change set waits to be executed; execute or delete it first",
}


class CloudFormationStacks:
    """StackControl on CloudFormation. Each call waits for its own operation by asking every ``poll`` of time.

    ``client_for(account, region)`` gives a boto3 CloudFormation client; ``pause(seconds)`` lets time pass;
    ``patience`` bounds one operation.
    """

    def __init__(
        self,
        client_for: Callable[[str, str], Any],
        pause: Callable[[float], None],
        *,
        poll: timedelta = timedelta(seconds=5),
        patience: timedelta = timedelta(hours=1),
    ) -> None:
        self._client_for = client_for
        self._pause = pause
        self._poll = poll
        self._patience = patience

    def create_or_update(
        self,
        account: str,
        region: str,
        name: str,
        template_body: str,
        parameters: Mapping[str, str],
        capabilities: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
    ) -> StackResult:
        """See StackControl. Refuses templates above LONGEST_TEMPLATE and stacks that another operation is changing."""
        stack = _Stack(self._client_for(account, region), account, region, name)
        size = len(template_body.encode())
        if size > LONGEST_TEMPLATE:
            reason = f"the template has {size} bytes, CloudFormation takes {LONGEST_TEMPLATE}"
            raise stack.failure(reason, remedy="hand it over through S3, or shorten it")
        request = {
            "StackName": name,
            "TemplateBody": template_body,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in sorted(parameters.items())],
            "Capabilities": list(capabilities),
            "Tags": [{"Key": k, "Value": v} for k, v in sorted((tags or {}).items())],
        }
        found = stack.find()
        if found is None:
            stack.ask("create_stack", **request)
        else:
            stack.refuse_unless_settled(found["StackStatus"])
            if not stack.update(request):
                return stack.result(found)
        return stack.result(self._settled(stack, name))

    def delete(self, account: str, region: str, name: str) -> None:
        """See StackControl."""
        stack = _Stack(self._client_for(account, region), account, region, name)
        found = stack.find()
        if found is None:
            return
        stack.ask("delete_stack", StackName=name)
        self._settled(stack, found["StackId"], leaving=found["StackStatus"])

    def describe(self, account: str, region: str, name: str) -> StackResult | None:
        """See StackControl."""
        stack = _Stack(self._client_for(account, region), account, region, name)
        found = stack.find()
        return None if found is None else stack.result(found)

    def _settled(self, stack: _Stack, name_or_id: str, *, leaving: str = "") -> dict[str, Any]:
        """Wait for the end of the operation in progress. Raises StackFailedError when it is not a good one.

        A status of ``leaving`` means that it has not begun; a deletion that failed before does not count.
        """
        waiting = {leaving} - {"DELETE_FAILED"}
        waited = timedelta()
        while True:
            found = stack.find(name_or_id)
            status = "DELETE_COMPLETE" if found is None else found["StackStatus"]
            if status == "DELETE_COMPLETE":
                return found or {"StackStatus": status}
            if not status.endswith("_IN_PROGRESS") and status not in waiting:
                break
            if waited >= self._patience:
                reason = f"did not finish within {self._patience}"
                raise stack.failure(reason, status=status, remedy="look at its events, and run this again later")
            self._pause(self._poll.total_seconds())
            waited += self._poll
        if status not in _SUCCESS:
            raise stack.explained(name_or_id, found or {})
        return found or {}


class _Stack:
    """One stack at one client."""

    def __init__(self, client: Any, account: str, region: str, name: str) -> None:
        self._client = client
        self._account = account
        self._region = region
        self._name = name

    def find(self, name_or_id: str = "") -> dict[str, Any] | None:
        try:
            stacks: list[dict[str, Any]] = self._client.describe_stacks(StackName=name_or_id or self._name)["Stacks"]
        except (ClientError, BotoCoreError) as error:
            if is_said(error, "ValidationError", "does not exist"):
                return None
            raise self._refused("describe_stacks", error) from error
        return stacks[0]

    def ask(self, method: str, **request: Any) -> None:
        try:
            getattr(self._client, method)(**request)
        except (ClientError, BotoCoreError) as error:
            raise self._refused(method, error) from error

    def update(self, request: dict[str, Any]) -> bool:
        """Whether there is anything to update."""
        try:
            self._client.update_stack(**request)
        except (ClientError, BotoCoreError) as error:
            if is_said(error, "ValidationError", "No updates are to be performed"):
                return False
            raise self._refused("update_stack", error) from error
        return True

    def refuse_unless_settled(self, status: str) -> None:
        if status in _STUCK:
            raise self.failure("cannot be updated", status=status, remedy=_STUCK[status])
        if status.endswith("_IN_PROGRESS"):
            raise self.failure(
                "another operation is changing it", status=status, remedy="wait for it to end, and run this again"
            )

    def result(self, found: dict[str, Any]) -> StackResult:
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        pages = self._pages("list_stack_resources", StackName=found["StackId"])
        count = sum(
            resource["ResourceStatus"] != "DELETE_COMPLETE"
            for page in pages
            for resource in page["StackResourceSummaries"]
        )
        return StackResult(found["StackStatus"], outputs, count)

    def explained(self, name_or_id: str, found: dict[str, Any]) -> StackFailedError:
        """Why the last operation failed: the first resource that did so by itself, or else the stack's own reason."""
        status = found["StackStatus"]
        remedy = _STUCK.get(status, "correct it and deploy again: the stack is as it was before")
        for event in reversed(list(self._last_operation(name_or_id))):
            reason = event.get("ResourceStatusReason", "no reason was given")
            failed = event.get("ResourceStatus", "").endswith("_FAILED") and not _is_of_the_stack(event)
            if failed and "cancelled" not in reason:
                resource = f"{event['LogicalResourceId']} ({event['ResourceType']})"
                return self.failure(reason, status=status, resource=resource, remedy=remedy)
        return self.failure(found.get("StackStatusReason", "no reason was given"), status=status, remedy=remedy)

    def failure(self, reason: str, *, remedy: str, status: str = "", resource: str = "") -> StackFailedError:
        return StackFailedError(
            self._account, self._region, self._name, reason=reason, remedy=remedy, status=status, resource=resource
        )

    def _last_operation(self, name_or_id: str) -> Iterator[dict[str, Any]]:
        """Events of the stack, newest first, back to where its last operation began."""
        for page in self._pages("describe_stack_events", StackName=name_or_id):
            for event in page["StackEvents"]:
                yield event
                if _is_of_the_stack(event) and event.get("ResourceStatus") in _BEGINNINGS:
                    return

    def _pages(self, method: str, **request: Any) -> Iterator[dict[str, Any]]:
        try:
            yield from self._client.get_paginator(method).paginate(**request)
        except (ClientError, BotoCoreError) as error:
            raise self._refused(method, error) from error

    def _refused(self, method: str, error: Exception) -> StackFailedError:
        reason, remedy = describe_refusal(method, error)
        return self.failure(reason, remedy=remedy)


def _is_of_the_stack(event: dict[str, Any]) -> bool:
    """Whether the event is the stack's own; of a resource's event only the stack and the time are certain."""
    return bool(event.get("PhysicalResourceId") == event["StackId"])
