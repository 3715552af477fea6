"""Facts of a fleet: every page is read, what is not patchgate's is left out, and a refusal is never taken for a no."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.aws.fleet_facts import FleetFacts
from patchgate.aws.refusals import RefusedError
from patchgate.operations.rollout.facts import (
    Caller,
    FactsReader,
    InstanceFacts,
    Kept,
    KeptNames,
    OrganizationFacts,
    Usage,
    digest_template,
)

OWN, OTHER, REGION = "999999999999", "111111111111", "eu-central-1"
PLACE = (OTHER, REGION)
PATCH = (OTHER, REGION, "patchgate-patch-ubuntu-dev")

LOOKED = datetime(2026, 7, 10, 12, tzinfo=UTC)


class FakeClient:
    """Answers by method: a value, an exception, or a list of pages for a paginator."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __getattr__(self, method: str) -> Any:
        def call(**request: Any) -> Any:
            answer = self.answers[method]
            answer = answer(request) if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def get_paginator(self, method: str) -> Any:
        client = self

        class Pages:
            def paginate(self, **request: Any) -> Iterator[Any]:
                answer = client.answers[method]
                yield from answer(request) if callable(answer) else answer

        return Pages()


def facts_of(**clients: FakeClient) -> FactsReader:
    def client_for(account: str, region: str, service: str) -> FakeClient:
        assert account in (OWN, OTHER)
        assert region == REGION
        return clients[service]

    return FleetFacts(client_for, lambda: Caller(OWN, "arn"), REGION)


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


def test_the_organization_and_the_active_accounts_of_all_units_below() -> None:
    accounts = {
        "ou-1": [[{"Id": "2", "Status": "ACTIVE"}, {"Id": "3", "Status": "SUSPENDED"}], [{"Id": "1"}]],
        "ou-2": [[{"Id": "4", "Status": "ACTIVE"}]],
    }
    units: dict[str, list[list[dict[str, str]]]] = {"ou-1": [[{"Id": "ou-2"}]], "ou-2": [[]]}
    client = FakeClient(
        describe_organization={"Organization": {"Id": "o-1", "MasterAccountId": OWN}},
        list_roots=[{"Roots": [{"Id": "r-1"}]}],
        list_accounts_for_parent=lambda request: [{"Accounts": page} for page in accounts[request["ParentId"]]],
        list_organizational_units_for_parent=lambda request: [
            {"OrganizationalUnits": page} for page in units[request["ParentId"]]
        ],
    )
    reader = facts_of(organizations=client)
    assert reader.organization() == OrganizationFacts("o-1", OWN, "r-1")
    assert reader.accounts_of(["ou-1"]) == {"ou-1": ("1", "2", "4")}


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AWSOrganizationsNotInUseException", "deployment.mode stacks"),
        ("AccessDeniedException", "use credentials of the organization's management account"),
        ("ThrottlingException", "wait a few minutes, and run this again: AWS limits how often it is asked"),
    ],
)
def test_an_organization_that_cannot_be_read_says_what_to_do(code: str, remedy: str) -> None:
    with pytest.raises(RefusedError, match=f"reading the organization was refused: {code}") as refused:
        facts_of(organizations=FakeClient(describe_organization=error(code))).organization()
    assert remedy in refused.value.remedy


def test_stacks_of_patchgate_are_read_with_what_a_deployment_changes() -> None:
    shape = {
        "StackName": PATCH[2],
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [{"ParameterKey": "A", "ParameterValue": "1"}],
        "Tags": [{"Key": "team", "Value": "sre"}],
        "Outputs": [{"OutputKey": "GateHash", "OutputValue": "h"}],
        "DriftInformation": {"StackDriftStatus": "DRIFTED", "LastCheckTimestamp": LOOKED},
    }
    drifts = [
        {"LogicalResourceId": "Window", "ResourceType": "W", "StackResourceDriftStatus": "MODIFIED",
         "PropertyDifferences": [{"PropertyPath": "/Duration"}, {"PropertyPath": "/Cutoff"}]},
        {"LogicalResourceId": "Plan", "ResourceType": "P", "StackResourceDriftStatus": "DELETED"},
    ]  # fmt: skip

    def drifts_of(request: dict[str, Any]) -> dict[str, Any]:
        assert request["StackName"] == PATCH[2]
        if "NextToken" in request:
            return {"StackResourceDrifts": drifts[1:]}
        return {"StackResourceDrifts": drifts[:1], "NextToken": "more"}

    others = [{"StackName": "StackSet-patchgate-patch-1"}, {"StackName": "patchgate-nested", "ParentId": "x"}]
    client = FakeClient(
        describe_stacks=[{"Stacks": others}, {"Stacks": [shape]}],
        get_template={"TemplateBody": {"Resources": {}}},
        describe_stack_resource_drifts=drifts_of,
    )
    found = facts_of(cloudformation=client).stacks([PLACE])
    assert list(found) == [PATCH]
    assert found[PATCH].parameters == {"A": "1"}
    assert found[PATCH].tags == {"team": "sre"}
    assert found[PATCH].outputs == {"GateHash": "h"}
    assert (found[PATCH].drift, found[PATCH].drift_at) == ("DRIFTED", LOOKED)
    assert found[PATCH].drifted == ("Window (W) was changed: Duration, Cutoff", "Plan (P) is gone")
    assert found[PATCH].template == digest_template('{"Resources":\n {}}')


def test_a_stack_set_is_read_with_its_instances_and_what_is_running() -> None:
    instance = {"Status": "OUTDATED", "StatusReason": "late", "ParameterOverrides": [
        {"ParameterKey": "A", "ParameterValue": "2"}]}  # fmt: skip
    client = FakeClient(
        list_stack_sets=[{"Summaries": [{"StackSetName": "other"}, {"StackSetName": "patchgate-patch-ubuntu-dev"}]}],
        describe_stack_set={"StackSet": {"PermissionModel": "SERVICE_MANAGED", "TemplateBody": "a: b"}},
        list_stack_instances=[{"Summaries": [{"Account": OTHER, "Region": REGION}]}],
        list_stack_set_operations={"Summaries": [{"OperationId": "op-2", "Status": "RUNNING"}]},
        describe_stack_instance={"StackInstance": instance},
    )
    (found,) = facts_of(cloudformation=client).sets(REGION).values()
    assert (found.model, found.running) == ("SERVICE_MANAGED", "op-2")
    assert found.instances == {PLACE: InstanceFacts("OUTDATED", {"A": "2"}, "late")}


def test_what_was_kept_is_found_by_name() -> None:
    vaults = [{"BackupVaultList": [{"BackupVaultName": "vault"}]}]
    names = KeptNames(PATCH, "vault", "role")
    there = facts_of(backup=FakeClient(list_backup_vaults=vaults), iam=FakeClient(get_role={}))
    assert there.kept([names]) == {PATCH: Kept(vault=True, role=True)}
    gone = FakeClient(get_role=error("NoSuchEntity"))
    empty = FakeClient(list_backup_vaults=[{"BackupVaultList": []}])
    assert facts_of(backup=empty, iam=gone).kept([names]) == {PATCH: Kept()}
    denied = FakeClient(get_role=error("AccessDenied"))
    with pytest.raises(RefusedError, match="looking for the role role in 111111111111 was refused: AccessDenied"):
        facts_of(backup=empty, iam=denied).kept([names])


def test_windows_and_own_baselines_are_counted_over_all_pages() -> None:
    def baselines(request: dict[str, Any]) -> list[dict[str, Any]]:
        assert request["Filters"] == [{"Key": "OWNER", "Values": ["Self"]}]
        return [{"BaselineIdentities": [{}]}]

    windows: list[dict[str, Any]] = [{"WindowIdentities": [{}, {}]}, {"WindowIdentities": [{}]}]
    ssm = FakeClient(describe_maintenance_windows=windows, describe_patch_baselines=baselines)
    assert facts_of(ssm=ssm).usage([PLACE]) == {PLACE: Usage(3, 1)}
