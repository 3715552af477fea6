"""A stack's event log, its status, and the history that both leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.cloudformation.stacks import Stack, StackEvent, StackResource

STACK_TYPE = "AWS::CloudFormation::Stack"


class Journal:
    """Writes what one operation does to one stack."""

    def __init__(self, cloud: Cloud, scope: Scope, stack: Stack, token: str) -> None:
        self._cloud = cloud
        self._scope = scope
        self._stack = stack
        self._token = token

    def stack(self, status: str, reason: str = "") -> None:
        """The stack is in ``status`` from here on. Recorded as StackStatusChanged."""
        stack = self._stack
        stack.status, stack.status_reason = status, reason
        self._append(self._cloud.uuid(), stack.name, stack.id, STACK_TYPE, status, reason, None)
        self._cloud.record(self._scope, "StackStatusChanged", stack=stack.name, status=status, reason=reason)

    def resource(
        self,
        logical_id: str,
        kind: str,
        status: str,
        *,
        physical_id: str = "",
        reason: str = "",
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Something happened to a resource that has no record, or none any more."""
        event_id = f"{logical_id}-{status}-{self._cloud.uuid()}"
        text = None if properties is None else json.dumps(properties, sort_keys=True)
        self._append(event_id, logical_id, physical_id, kind, status, reason, text)

    def record(self, resource: StackResource, status: str, reason: str = "") -> None:
        """A resource's record is in ``status`` from here on."""
        resource.status, resource.status_reason, resource.updated_at = status, reason, self._cloud.now
        self.resource(
            resource.logical_id,
            resource.type,
            status,
            physical_id=resource.physical_id,
            reason=reason,
            properties=resource.properties,
        )

    def _append(
        self,
        event_id: str,
        logical_id: str,
        physical_id: str,
        kind: str,
        status: str,
        reason: str,
        text: str | None,
    ) -> None:
        event = StackEvent(event_id, self._cloud.now, logical_id, physical_id, kind, status, reason, text, self._token)
        self._stack.events.append(event)
