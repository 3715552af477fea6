"""StatusReader over boto3: what AWS has of a lane, read to the last page, and nothing changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from patchgate.aws.refusals import RefusedError, is_said, refusals
from patchgate.domain.leases import read_leases
from patchgate.operations.status.facts import Bucket, CycleEvidence, LaneFacts, PatchState, StackState, WindowState
from patchgate.plan import names

if TYPE_CHECKING:
    from patchgate.aws.fleet_facts import ClientFor
    from patchgate.domain.lane import Lane

_OF_STACK_SET = re.compile(r"StackSet-(patchgate-.+?)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""The name that CloudFormation gives the stack of a stack set's instance.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html"""

_PREFIX = "patchgate-"
_CYCLE = r"[0-9]{8}T[0-9]{6}Z"


class LaneReader:
    """StatusReader. ``client_for(account, region, service)`` gives boto3 clients, usable from several threads."""

    def __init__(self, client_for: ClientFor) -> None:
        self._client_for = client_for

    def stacks(self, account: str, region: str) -> Mapping[str, StackState]:
        """See StatusReader."""
        client = self._client_for(account, region, "cloudformation")
        with refusals(f"listing the stacks of {account}/{region}"):
            shapes = [shape for page in client.get_paginator("describe_stacks").paginate() for shape in page["Stacks"]]
        found = {}
        for shape in shapes:
            name = shape["StackName"]
            carried = _OF_STACK_SET.fullmatch(name)
            if carried or (name.startswith(_PREFIX) and "ParentId" not in shape):
                found[carried[1] if carried else name] = _stack_state(shape)
        return found

    def lane(self, lane: Lane) -> LaneFacts:
        """See StatusReader."""
        where, prefix = f"{lane.account}/{lane.region}", names.PARAMETER_ROOT.render(os=lane.os, env=lane.env) + "/"
        ssm = self._client_for(lane.account, lane.region, "ssm")
        with refusals(f"reading the parameters below {prefix} in {where}"):
            pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=prefix, Recursive=True)
            parameters = [each for page in pages for each in page["Parameters"]]
            general = ssm.get_parameters(Names=[names.GLOBAL_FREEZE_PARAMETER.render()])["Parameters"]
        own = {each["Name"][len(prefix) :]: each["Value"] for each in parameters}
        freezes = [each["Value"] for each in general] + [own[name] for name in ("freeze",) if name in own]
        with refusals(f"reading the maintenance window of {lane.os}/{lane.env} in {where}"):
            window = _window(ssm, own["window-id"]) if "window-id" in own else None
        leases = read_leases(parameters, prefix)
        cycles = {cycle: texts for cycle, texts in leases.items() if re.fullmatch(_CYCLE, cycle)}
        return LaneFacts(window, self._schedules(lane), cycles, tuple(freezes))

    def cycles(self, lane: Lane, bucket: Bucket) -> tuple[str, ...]:
        """See StatusReader."""
        s3, prefix = self._client_for(bucket.account, bucket.region, "s3"), _evidence_prefix(lane)
        with refusals(f"listing {prefix} in bucket {bucket.name}"):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix, Delimiter="/")
            listed = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]
        found = (each[len(prefix) :].rstrip("/") for each in listed)
        return tuple(sorted(cycle for cycle in found if re.fullmatch(_CYCLE, cycle)))

    def evidence(self, lane: Lane, bucket: Bucket, cycle: str) -> CycleEvidence:
        """See StatusReader."""
        s3, prefix = self._client_for(bucket.account, bucket.region, "s3"), f"{_evidence_prefix(lane)}{cycle}/"
        with refusals(f"reading {prefix} in bucket {bucket.name}"):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix)
            keys = [each["Key"][len(prefix) :] for page in pages for each in page.get("Contents", ())]
            texts = {
                word: s3.get_object(Bucket=bucket.name, Key=f"{prefix}{word}.jsonl")["Body"].read()
                for word in ("open", "hold")
                if f"{word}.jsonl" in keys
            }
        verdicts = {word: _rows(text, f"{bucket.name}/{prefix}{word}.jsonl") for word, text in texts.items()}
        return CycleEvidence(verdicts, frozenset(key[: -len(".json")] for key in keys if key.endswith(".json")))

    def patch_states(self, lane: Lane) -> tuple[PatchState, ...]:
        """See StatusReader."""
        group, ssm = (
            names.PATCH_GROUP.render(os=lane.os, env=lane.env),
            self._client_for(lane.account, lane.region, "ssm"),
        )
        with refusals(f"reading the patch states of {group} in {lane.account}/{lane.region}"):
            asked = ssm.get_paginator("describe_instance_patch_states_for_patch_group")
            pages = asked.paginate(PatchGroup=group, PaginationConfig={"PageSize": 100})
            shapes = [shape for page in pages for shape in page["InstancePatchStates"]]
        return tuple(
            PatchState(
                shape["InstanceId"],
                shape["OperationEndTime"].astimezone(UTC),
                shape.get("InstalledCount", 0),
                shape.get("MissingCount", 0),
                shape.get("FailedCount", 0),
                shape.get("InstalledPendingRebootCount", 0),
            )
            for shape in shapes
        )

    def _schedules(self, lane: Lane) -> dict[str, str]:
        client = self._client_for(lane.account, lane.region, "scheduler")
        group = names.SCHEDULE_GROUP.render(os=lane.os, env=lane.env)
        with refusals(f"listing the schedules of {group} in {lane.account}/{lane.region}"):
            try:
                pages = client.get_paginator("list_schedules").paginate(GroupName=group)
                return {each["Name"]: each["State"] for page in pages for each in page["Schedules"]}
            except ClientError as error:
                if is_said(error, "ResourceNotFoundException"):
                    return {}
                raise


def read_time(client_for: ClientFor, account: str, region: str, clock: Callable[[], datetime]) -> datetime:
    """What time it is for AWS (aware UTC), from its own answer: the clock of this machine may be wrong.

    ``clock`` is asked where an answer carries no date.
    """
    with refusals("asking what time it is (sts:GetCallerIdentity)"):
        answer = client_for(account, region, "sts").get_caller_identity()
    said = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(said).astimezone(UTC) if said else clock()


def _stack_state(shape: dict[str, Any]) -> StackState:
    return StackState(
        shape["StackStatus"],
        shape.get("LastUpdatedTime", shape["CreationTime"]).astimezone(UTC),
        shape.get("StackStatusReason", ""),
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in shape.get("Parameters", ())},
        {each["OutputKey"]: each["OutputValue"] for each in shape.get("Outputs", ())},
        shape.get("DriftInformation", {}).get("StackDriftStatus", "NOT_CHECKED"),
    )


def _window(ssm: Any, identifier: str) -> WindowState | None:
    try:
        window = ssm.get_maintenance_window(WindowId=identifier)
    except ClientError as error:
        if is_said(error, "DoesNotExistException"):
            return None
        raise
    return WindowState(window["WindowId"], bool(window["Enabled"]))


def _evidence_prefix(lane: Lane) -> str:
    return names.EVIDENCE_PREFIX.render(os=lane.os, env=lane.env, account=lane.account, region=lane.region) + "/"


def _rows(text: bytes, where: str) -> tuple[Mapping[str, object], ...]:
    try:
        rows = [json.loads(line) for line in text.decode().splitlines()]
    except ValueError as error:
        raise RefusedError(f"{where} is not evidence that a gate wrote", remedy="find out who wrote it") from error
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise RefusedError(f"{where} is not evidence that a gate wrote", remedy="find out who wrote it")
    return tuple(rows)
