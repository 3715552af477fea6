"""A small cloud with everything of Systems Manager in it, and a bucket that remembers what was put there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
import pytest

from patchgate.emulator.agent.agents import Agents
from patchgate.emulator.agent.patching import Patching
from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud, NoNeighbour, Params, Result, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.history import Record
from patchgate.emulator.ssm_automation import Automation
from patchgate.emulator.ssm_baselines import Baselines
from patchgate.emulator.ssm_commands import Commands
from patchgate.emulator.ssm_documents import Documents
from patchgate.emulator.ssm_inventory import Inventory
from patchgate.emulator.ssm_parameters import Parameters
from patchgate.emulator.ssm_tags import ResourceTags
from patchgate.emulator.ssm_windows import MaintenanceWindows
from patchgate.emulator.ssm_windows_executions import WindowExecutions
from patchgate.emulator.ssm_windows_registrations import WindowRegistrations
from patchgate.emulator.ssm_windows_reports import WindowReports
from patchgate.emulator.world import InstanceSpec, Patch, VolumeSpec

START = datetime(2026, 7, 4, 20, 0, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-west-1")
ROLE = "arn:aws:iam::111122223333:role/prove"
GROUP = "amazonlinux-patch-group-prd"
COMPONENTS = (
    Ec2,
    Parameters,
    ResourceTags,
    Documents,
    Baselines,
    Inventory,
    Patching,
    Agents,
    Commands,
    Automation,
    MaintenanceWindows,
    WindowRegistrations,
    WindowExecutions,
    WindowReports,
)


class Bucket(NoNeighbour):
    """The neighbour: S3's PutObject and nothing else. A bucket named ``denied`` refuses."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        if (service, operation) != ("s3", "PutObject"):
            raise NotEmulatedError(f"{service}:{operation}")
        if params["Bucket"] == "denied":
            raise AwsError("AccessDenied", "Access Denied", status=403)
        self.objects[f"{params['Bucket']}/{params['Key']}"] = params["Body"].decode()
        return {}


class Client:
    """A client as scripts use it: snake case methods, 20 ms a call."""

    def __init__(self, cloud: Cloud, scope: Scope, service: str) -> None:
        self._cloud, self._scope, self._service = cloud, scope, service

    def __getattr__(self, name: str) -> Any:
        def call(**params: Any) -> Result:
            self._cloud.kernel.sleep(0.02)
            operation = "".join(word.capitalize() for word in name.split("_"))
            return self._cloud.invoke(self._scope, self._service, operation, params)

        return call


class Session:
    def __init__(self, cloud: Cloud, scope: Scope) -> None:
        self._cloud, self._scope = cloud, scope

    def client(self, service: str, **_: Any) -> Client:
        return Client(self._cloud, self._scope, service)


class Sdk:
    """Sessions for scripts; remembers for which principals."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.principals: list[str] = []

    def session(self, scope: Scope, /) -> Session:
        self.principals.append(scope.principal)
        return Session(self._cloud, scope)


@cache
def service_model(service: str) -> Any:
    """botocore's description of a service."""
    return botocore.session.get_session().get_service_model(service)


def misfits(value: Any, shape: Any, path: str = "$") -> list[str]:
    """Where an answer is not what botocore says that it is: unknown members and other types."""
    kinds: dict[str, Any] = {"string": str, "integer": int, "long": int, "boolean": bool, "timestamp": datetime}
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            return [f"{path} is not a structure"]
        found = [f"{path}.{key} is unknown" for key in value if key not in shape.members]
        missing = [f"{path}.{key} is missing" for key in shape.required_members if key not in value]
        inner = [
            misfits(item, shape.members[key], f"{path}.{key}") for key, item in value.items() if key in shape.members
        ]
        return found + missing + [problem for problems in inner for problem in problems]
    if shape.type_name == "list":
        inner = [misfits(item, shape.member, f"{path}[{number}]") for number, item in enumerate(value)]
        return [problem for problems in inner for problem in problems]
    if shape.type_name == "map":
        inner = [misfits(item, shape.value, f"{path}.{key}") for key, item in value.items()]
        return [problem for problems in inner for problem in problems]
    wrong = not isinstance(value, kinds[shape.type_name]) or (isinstance(value, bool) and shape.type_name != "boolean")
    strange = shape.type_name == "string" and shape.enum and value not in shape.enum
    return [f"{path} is {value!r}"] if wrong or strange else []


class Lab:
    """One cloud, one scope. Every answer is held against botocore's service model."""

    def __init__(self, assumptions: Assumptions | None = None, start: datetime = START) -> None:
        self.bucket = Bucket()
        self.cloud = Cloud(COMPONENTS, start=start, neighbour=self.bucket, assumptions=assumptions)
        self.sdk = Sdk(self.cloud)
        self.cloud.sdk = self.sdk

    def call(self, operation: str, *, service: str = "ssm", **params: Any) -> dict[str, Any]:
        answer = self.cloud.invoke(SCOPE, service, operation, params)
        shape = service_model(service).operation_model(operation).output_shape
        assert (misfits(answer, shape) if shape else list(answer)) == []
        return answer

    def refused(self, operation: str, **params: Any) -> str:
        """The error's code; what is not emulated is not an answer of AWS and fails the test."""
        with pytest.raises(AwsError) as caught:
            self.call(operation, **params)
        return caught.value.code

    def run(self, **delta: float) -> None:
        """Let virtual time pass."""
        self.cloud.kernel.run_until(self.cloud.now + timedelta(**delta))

    def events(self, *names: str, **facts: Any) -> list[Record]:
        """The records of these events whose facts are these."""
        return [
            record
            for record in self.cloud.history.of(*names)
            if all(record.get(key) == value for key, value in facts.items())
        ]

    def machine(self, number: int, **overrides: Any) -> str:
        """Add a running Amazon Linux 2 machine with one patch that needs a reboot; returns its id."""
        instance_id = f"i-{number:017x}"
        spec: dict[str, Any] = {
            "instance_id": instance_id,
            "name": f"web-{number}",
            "operating_system": "AMAZON_LINUX_2",
            "platform_type": "Linux",
            "tags": {"PatchGroup": GROUP},
            "volumes": (VolumeSpec(f"vol-{number:017x}", "/dev/xvda"),),
            "patches": (Patch(f"ALAS-{number}", reboot=True),),
        }
        self.cloud.component(Ec2).add_instance(SCOPE, InstanceSpec(**(spec | overrides)))
        return instance_id

    def document(self, name: str, content: dict[str, Any], kind: str = "Command") -> None:
        self.call("CreateDocument", Name=name, Content=json.dumps(content), DocumentType=kind)

    def runbook(self, *steps: dict[str, Any], name: str = "runbook", **top: Any) -> str:
        """Create a runbook with an InstanceId and an AutomationAssumeRole parameter."""
        content = {
            "schemaVersion": "0.3",
            "assumeRole": "{{ AutomationAssumeRole }}",
            "parameters": {
                "InstanceId": {"type": "String", "default": "i-none"},
                "AutomationAssumeRole": {"type": "String", "default": ROLE},
            },
            "mainSteps": list(steps),
        }
        self.document(name, content | top, "Automation")
        return name

    def automate(self, name: str = "runbook", **parameters: str) -> str:
        given = {key: [value] for key, value in parameters.items()}
        return str(self.call("StartAutomationExecution", DocumentName=name, Parameters=given)["AutomationExecutionId"])

    def execution(self, execution_id: str) -> dict[str, Any]:
        found = self.call("GetAutomationExecution", AutomationExecutionId=execution_id)["AutomationExecution"]
        assert isinstance(found, dict)
        return found

    def send(self, document: str, *instance_ids: str, **params: Any) -> str:
        given: dict[str, Any] = {"DocumentName": document, "InstanceIds": list(instance_ids)} | params
        return str(self.call("SendCommand", **given)["Command"]["CommandId"])

    def invocation(self, command_id: str, instance_id: str, **params: Any) -> dict[str, Any]:
        return self.call("GetCommandInvocation", CommandId=command_id, InstanceId=instance_id, **params)

    def window(self, **overrides: Any) -> str:
        """A window at 23:00 UTC on Saturdays for three hours with one hour of cutoff; returns its id."""
        settings: dict[str, Any] = {
            "Name": "maintenance-window-amazonlinux-prd",
            "Schedule": "cron(0 23 ? * 7 *)",
            "Duration": 3,
            "Cutoff": 1,
            "AllowUnassociatedTargets": False,
        }
        return str(self.call("CreateMaintenanceWindow", **(settings | overrides))["WindowId"])

    def target(self, window: str) -> str:
        targets = [{"Key": "tag:PatchGroup", "Values": [GROUP]}]
        made = self.call(
            "RegisterTargetWithMaintenanceWindow", WindowId=window, ResourceType="INSTANCE", Targets=targets
        )
        return str(made["WindowTargetId"])

    def task(self, window: str, target: str, **overrides: Any) -> str:
        """Register a task; without overrides it scans with AWS-RunPatchBaseline."""
        settings: dict[str, Any] = {
            "WindowId": window,
            "Targets": [{"Key": "WindowTargetIds", "Values": [target]}],
            "TaskArn": "AWS-RunPatchBaseline",
            "TaskType": "RUN_COMMAND",
            "Priority": 1,
            "MaxConcurrency": "100%",
            "MaxErrors": "100%",
            "CutoffBehavior": "CANCEL_TASK",
            "TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Scan"]}, "TimeoutSeconds": 60}},
        }
        return str(self.call("RegisterTaskWithMaintenanceWindow", **(settings | overrides))["WindowTaskId"])

    def automation_task(self, window: str, target: str, runbook: str, **overrides: Any) -> str:
        """Register a task that starts the runbook for each machine, after the scan."""
        parameters = {"Parameters": {"InstanceId": ["{{RESOURCE_ID}}"], "AutomationAssumeRole": [ROLE]}}
        settings = {
            "TaskArn": runbook,
            "TaskType": "AUTOMATION",
            "Priority": 2,
            "TaskInvocationParameters": {"Automation": {"DocumentVersion": "$DEFAULT", **parameters}},
        }
        return self.task(window, target, **(settings | overrides))
