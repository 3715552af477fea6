"""The pseudo parameters of maintenance window tasks.

https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-window-tasks-pseudo-parameters.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import NotEmulatedError

if TYPE_CHECKING:
    from patchgate.emulator.ssm_windows_model import Execution, Settings, TaskExecution, Unit

_PSEUDO = re.compile(r"\{\{\s*([A-Z_]+)\s*\}\}")


def mentions_resource(settings: Settings) -> bool:
    """Whether a task's parameters ask for each machine's id, so that each gets an invocation of its own."""
    text = json.dumps(settings.get("TaskInvocationParameters") or {}, default=str)
    return "RESOURCE_ID" in _PSEUDO.findall(text)


def expand(
    parameters: Mapping[str, list[str]], execution: Execution, task: TaskExecution, unit: Unit
) -> dict[str, list[str]]:
    """The parameters of one invocation; raises NotEmulatedError for a pseudo parameter that is not implemented."""
    values: dict[str, Any] = {
        "RESOURCE_ID": unit.instance_ids[0] if len(unit.instance_ids) == 1 else None,
        "TARGET_ID": unit.window_target_id,
        "WINDOW_TARGET_ID": unit.window_target_id,
        "TARGET_TYPE": "INSTANCE",
        "WINDOW_ID": execution.window.window_id,
        "WINDOW_TASK_ID": task.task_id,
        "WINDOW_EXECUTION_ID": execution.execution_id,
        "TASK_EXECUTION_ID": task.task_execution_id,
        "INVOCATION_ID": unit.invocation_id,
    }

    def replace(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            raise NotEmulatedError(f"the pseudo parameter {found[0]} here")
        return str(value)

    return {name: [_PSEUDO.sub(replace, item) for item in items] for name, items in parameters.items()}
