"""FactsReader over boto3: what AWS has of a fleet, read concurrently and to the last page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from patchgate.aws.accounts import fan_out
from patchgate.aws.refusals import is_said, refusals
from patchgate.operations.rollout.facts import (
    Caller,
    InstanceFacts,
    Kept,
    KeptNames,
    OrganizationFacts,
    Place,
    SetFacts,
    StackFacts,
    StackKey,
    Usage,
    digest_template,
)

PREFIX = "patchgate-"
_RUNNING = ("RUNNING", "STOPPING", "QUEUED")

ClientFor = Callable[[str, str, str], Any]
"""Account, Region, service -> client."""


class FleetFacts:
    """FactsReader. ``client_for(account, region, service)`` gives boto3 clients; ``caller`` is who asks."""

    def __init__(self, client_for: ClientFor, caller: Callable[[], Caller], region: str) -> None:
        self._client_for = client_for
        self._ask_caller = caller
        self._region = region

    def caller(self) -> Caller:
        """See FactsReader."""
        return self._ask_caller()

    def organization(self) -> OrganizationFacts:
        """See FactsReader."""
        client = self._organizations()
        remedies = {
            "AWSOrganizationsNotInUseException": "without an organization: deployment.mode stacks, and accounts "
            "instead of organizational units",
            "AccessDeniedException": "use credentials of the organization's management account",
        }
        with refusals("reading the organization", remedies):
            shape = client.describe_organization()["Organization"]
            roots = [root for page in client.get_paginator("list_roots").paginate() for root in page["Roots"]]
        return OrganizationFacts(shape["Id"], shape["MasterAccountId"], roots[0]["Id"])

    def accounts_of(self, units: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """See FactsReader."""
        return dict(fan_out(lambda unit: (unit, tuple(sorted(self._below(unit)))), units))

    def stacks(self, places: Iterable[Place]) -> Mapping[StackKey, StackFacts]:
        """See FactsReader."""
        found = [each for listed in fan_out(self._stacks_at, places) for each in listed]
        digests = fan_out(self._template_of, [key for key, _ in found])
        drifted = fan_out(self._drifted, found)
        return {
            key: _stack_facts(shape, digest, resources)
            for (key, shape), digest, resources in zip(found, digests, drifted, strict=True)
        }

    def sets(self, region: str) -> Mapping[str, SetFacts]:
        """See FactsReader."""
        client = self._client_for(self.caller().account, region, "cloudformation")
        with refusals(f"listing the stack sets in {region}"):
            pages = client.get_paginator("list_stack_sets").paginate(Status="ACTIVE")
            names = [each["StackSetName"] for page in pages for each in page["Summaries"]]
        return {name: self._set(client, name) for name in names if name.startswith(PREFIX)}

    def kept(self, names: Iterable[KeptNames]) -> Mapping[StackKey, Kept]:
        """See FactsReader."""
        wanted = list(names)
        places = list(dict.fromkeys((each.stack[0], each.stack[1]) for each in wanted))
        vaults = dict(zip(places, fan_out(self._vaults_at, places), strict=True))
        roles = fan_out(self._has_role, wanted)
        return {
            each.stack: Kept(each.vault in vaults[each.stack[0], each.stack[1]], role)
            for each, role in zip(wanted, roles, strict=True)
        }

    def usage(self, places: Iterable[Place]) -> Mapping[Place, Usage]:
        """See FactsReader."""
        wanted = list(places)
        return dict(zip(wanted, fan_out(self._usage_at, wanted), strict=True))

    def _organizations(self) -> Any:
        return self._client_for(self.caller().account, self._region, "organizations")

    def _below(self, unit: str) -> Iterator[str]:
        client = self._organizations()
        with refusals(f"listing the accounts of {unit}"):
            for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=unit):
                yield from (each["Id"] for each in page["Accounts"] if each.get("Status", "ACTIVE") == "ACTIVE")
            units = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=unit)
            below = [each["Id"] for page in units for each in page["OrganizationalUnits"]]
        for each in below:
            yield from self._below(each)

    def _stacks_at(self, place: Place) -> list[tuple[StackKey, dict[str, Any]]]:
        client = self._client_for(*place, "cloudformation")
        with refusals(f"listing the stacks of {'/'.join(place)}"):
            pages = client.get_paginator("describe_stacks").paginate()
            shapes = [shape for page in pages for shape in page["Stacks"]]
        return [
            ((*place, shape["StackName"]), shape)
            for shape in shapes
            if shape["StackName"].startswith(PREFIX) and "ParentId" not in shape
        ]

    def _template_of(self, key: StackKey) -> str:
        account, region, name = key
        client = self._client_for(account, region, "cloudformation")
        with refusals(f"reading the template of stack {'/'.join(key)}"):
            body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        return digest_template(body if isinstance(body, str) else json.dumps(body))

    def _drifted(self, found: tuple[StackKey, dict[str, Any]]) -> tuple[str, ...]:
        """What the last drift detection found changed in a stack that has drifted."""
        (account, region, name), shape = found
        if shape.get("DriftInformation", {}).get("StackDriftStatus") != "DRIFTED":
            return ()
        client = self._client_for(account, region, "cloudformation")
        with refusals(f"reading what drifted of stack {account}/{region}/{name}"):
            drifts, request = [], {"StackName": name, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
            while True:  # the SDK has no paginator for it
                page = client.describe_stack_resource_drifts(**request)
                drifts += page["StackResourceDrifts"]
                if not page.get("NextToken"):
                    break
                request["NextToken"] = page["NextToken"]
        return tuple(map(_describe_drift, drifts))

    def _set(self, client: Any, name: str) -> SetFacts:
        with refusals(f"reading stack set {name}"):
            shape = client.describe_stack_set(StackSetName=name)["StackSet"]
            instances = client.get_paginator("list_stack_instances").paginate(StackSetName=name)
            places = [(each["Account"], each["Region"]) for page in instances for each in page["Summaries"]]
            operations = client.list_stack_set_operations(StackSetName=name)["Summaries"]
        running = next((each["OperationId"] for each in operations if each["Status"] in _RUNNING), "")

        def instance(place: Place) -> InstanceFacts:
            with refusals(f"reading the instance of stack set {name} in {'/'.join(place)}"):
                found = client.describe_stack_instance(
                    StackSetName=name, StackInstanceAccount=place[0], StackInstanceRegion=place[1]
                )["StackInstance"]
            return InstanceFacts(
                found["Status"],
                _values(found.get("ParameterOverrides")),
                found.get("StatusReason", ""),
                found.get("DriftStatus", "NOT_CHECKED"),
                _utc(found.get("LastDriftCheckTimestamp")),
            )

        return SetFacts(
            shape.get("PermissionModel", "SELF_MANAGED"),
            _values(shape.get("Parameters")),
            _tags(shape),
            digest_template(shape["TemplateBody"]),
            dict(zip(places, fan_out(instance, places), strict=True)),
            running,
        )

    def _vaults_at(self, place: Place) -> frozenset[str]:
        """All vaults: asking for one that is not there is answered as if it were forbidden."""
        client = self._client_for(*place, "backup")
        with refusals(f"listing the backup vaults of {'/'.join(place)}"):
            pages = client.get_paginator("list_backup_vaults").paginate()
            return frozenset(each["BackupVaultName"] for page in pages for each in page["BackupVaultList"])

    def _has_role(self, names: KeptNames) -> bool:
        account, region, _ = names.stack
        client = self._client_for(account, region, "iam")
        with refusals(f"looking for the role {names.role} in {account}"):
            try:
                client.get_role(RoleName=names.role)
            except ClientError as error:
                if is_said(error, "NoSuchEntity"):
                    return False
                raise
        return True

    def _usage_at(self, place: Place) -> Usage:
        client = self._client_for(*place, "ssm")
        with refusals(f"counting maintenance windows and patch baselines of {'/'.join(place)}"):
            pages = client.get_paginator("describe_maintenance_windows").paginate()
            windows = sum(len(page["WindowIdentities"]) for page in pages)
            own = [{"Key": "OWNER", "Values": ["Self"]}]
            listed = client.get_paginator("describe_patch_baselines").paginate(Filters=own)
            baselines = sum(len(page["BaselineIdentities"]) for page in listed)
        return Usage(windows, baselines)


def _describe_drift(drift: dict[str, Any]) -> str:
    """A resource, and what of it was changed."""
    paths = ", ".join(each["PropertyPath"].lstrip("/") for each in drift.get("PropertyDifferences", ()))
    what = "is gone" if drift["StackResourceDriftStatus"] == "DELETED" else f"was changed: {paths or 'by hand'}"
    return f"{drift['LogicalResourceId']} ({drift['ResourceType']}) {what}"


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _stack_facts(shape: dict[str, Any], template: str, drifted: tuple[str, ...]) -> StackFacts:
    drift = shape.get("DriftInformation", {})
    return StackFacts(
        shape["StackStatus"],
        _values(shape.get("Parameters")),
        _tags(shape),
        template,
        {each["OutputKey"]: each["OutputValue"] for each in shape.get("Outputs", ())},
        drift.get("StackDriftStatus", "NOT_CHECKED"),
        shape.get("StackStatusReason", ""),
        _utc(drift.get("LastCheckTimestamp")),
        drifted,
    )


def _values(parameters: Iterable[dict[str, Any]] | None) -> dict[str, str]:
    return {each["ParameterKey"]: each.get("ParameterValue", "") for each in parameters or ()}


def _tags(shape: dict[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in shape.get("Tags") or ()}
