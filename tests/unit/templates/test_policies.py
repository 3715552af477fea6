"""Least privilege: every statement of every template, and the calls of the gate against what its roles may do."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import cfnlint
import pytest
from botocore.loaders import Loader

from patchgate.templates import Template, build_templates
from patchgate.templates.intrinsics import walk
from patchgate.templates.policies import ONLY_EVERY_RESOURCE, allow_reading

AUTHORIZATION = json.loads(
    (Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json").read_text(encoding="utf-8")
)
Statement = dict[str, Any]


def _statements(node: Any) -> Iterator[Statement]:
    for child in walk(node):
        if isinstance(child, dict) and {"Effect", "Action"} <= set(child):
            yield child


def _actions(statement: Statement) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def _resources(statement: Statement) -> list[Any]:
    resource = statement["Resource"]
    return resource if isinstance(resource, list) else [resource]


def _allowed(template: Template, *logical_ids: str) -> set[str]:
    return {
        action
        for name in logical_ids
        for statement in _statements(template.resources[name])
        if "Resource" in statement
        for action in _actions(statement)
    }


def _text(resource: Any) -> str:
    return str(resource.get("Fn::Sub", "")) if isinstance(resource, dict) else str(resource)


def test_every_resource_is_named_unless_aws_accepts_only_a_star(template: Template) -> None:
    for statement in _statements(template.resources):
        if statement["Effect"] == "Allow" and "*" in _resources_or_none(statement):
            assert set(_actions(statement)) <= ONLY_EVERY_RESOURCE


def _resources_or_none(statement: Statement) -> list[Any]:
    return _resources(statement) if "Resource" in statement else []


def test_no_action_is_a_wildcard_where_it_is_allowed(template: Template) -> None:
    allowed = [s for s in _statements(template.resources) if s["Effect"] == "Allow"]
    assert [action for statement in allowed for action in _actions(statement) if "*" in action] == []


def test_nobody_is_allowed_what_is_not_named(template: Template) -> None:
    assert [s for s in _statements(template.resources) if {"NotAction", "NotResource", "NotPrincipal"} & set(s)] == []


@pytest.mark.parametrize("action", sorted(ONLY_EVERY_RESOURCE))
def test_the_allow_list_is_of_actions_without_a_resource_type(action: str) -> None:
    service, name = action.split(":")
    known = {key.lower(): facts for key, facts in AUTHORIZATION[service]["Actions"].items()}
    assert not known[name.lower()].get("Resources")


def test_only_actions_of_the_allow_list_are_allowed_on_everything() -> None:
    with pytest.raises(ValueError, match="s3:PutObject"):
        allow_reading("ssm:ListCommands", "s3:PutObject")


def test_every_action_exists(template: Template) -> None:
    for statement in _statements(template.resources):
        for action in _actions(statement):
            service, name = action.split(":")
            if "*" not in name:
                assert name.lower() in {known.lower() for known in AUTHORIZATION[service]["Actions"]}, action


def test_every_role_has_the_operators_path_and_boundary(template: Template) -> None:
    for resource in template.resources.values():
        if resource["Type"] == "AWS::IAM::Role":
            properties = resource["Properties"]
            assert properties["Path"] == {"Ref": "IamRolePath"}
            assert properties["PermissionsBoundary"]["Fn::If"][0] == "HasBoundary"


def test_each_role_trusts_one_service(template: Template) -> None:
    trusted = {
        name: resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    services = {
        "AWSBackupDefaultServiceRole": "backup.amazonaws.com",
        "DisableMaintenanceLambdaRole": "lambda.amazonaws.com",
        "EnableMaintenanceLambdaRole": "lambda.amazonaws.com",
        "MaintenanceWindowRole": "ssm.amazonaws.com",
        "ProveRole": "ssm.amazonaws.com",
        "SchedulerRole": "scheduler.amazonaws.com",
    }
    for name, (statement,) in trusted.items():
        assert statement["Principal"] == {"Service": services[name]}
        assert statement["Action"] == "sts:AssumeRole"
        confused_deputy = name in {"ProveRole", "SchedulerRole"}
        assert ("aws:SourceAccount" in statement.get("Condition", {}).get("StringEquals", {})) is confused_deputy


def test_commands_are_sent_only_to_the_lanes_instances(patching: Template) -> None:
    tags = {
        "ssm:resourceTag/PatchGroup": {"Fn::Sub": "${TargetOperatingSystem}-patch-group-${Environment}"},
        "ssm:resourceTag/ToBackupAndPatch": "true",
    }
    for name, document in (
        ("MaintenanceWindowRole", "arn:${AWS::Partition}:ssm:${AWS::Region}::document/AWS-RunPatchBaseline"),
        ("ProveRole", "document/patchgate-patch-${TargetOperatingSystem}-${Environment}"),
    ):
        sending = [s for s in _statements(patching.resources[name]) if "ssm:SendCommand" in _actions(s)]
        on_instances = [s for s in sending if "instance/*" in _text(_resources(s)[0])]
        assert [s["Condition"] for s in on_instances] == [{"StringEquals": tags}]
        (of_document,) = [s for s in sending if s not in on_instances]
        assert _text(_resources(of_document)[0]).endswith(document)


def test_the_window_passes_only_the_prove_role_and_only_to_systems_manager(patching: Template) -> None:
    (passing,) = [s for s in _statements(patching.resources) if "iam:PassRole" in _actions(s)]
    assert passing["Resource"] == {"Fn::GetAtt": ["ProveRole", "Arn"]}
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}


def test_only_the_lanes_own_window_is_switched(monitoring: Template) -> None:
    (switching,) = [s for s in _statements(monitoring.resources) if "ssm:UpdateMaintenanceWindow" in _actions(s)]
    lane = {"Fn::Sub": "${TargetOperatingSystem}-patch-group-${Environment}"}
    assert switching["Condition"] == {"StringEquals": {"aws:ResourceTag/PatchGroup": lane}}
    tags = build_templates()["aws-backup-and-patch-stackset"].resources["SsmMaintenanceWindow"]["Properties"]["Tags"]
    assert tags == [{"Key": "PatchGroup", "Value": lane}]


def test_the_gate_writes_only_its_own_parameters(monitoring: Template) -> None:
    """Nothing of the gate may write the window's id or lift a freeze."""
    written = {
        _text(resource).rsplit("/${Environment}/", 1)[1]
        for statement in _statements(monitoring.resources)
        if {"ssm:PutParameter", "ssm:DeleteParameter"} & set(_actions(statement))
        for resource in _resources(statement)
    }
    assert written == {"20*/open", "20*/hold", "20*/closed", "20*/told", "due", "20*"}


def test_evidence_is_written_only_below_the_lanes_prefix() -> None:
    prefix = "${S3Bucket}/evidence/${TargetOperatingSystem}/${Environment}/${AWS::AccountId}/${AWS::Region}/*"
    for name, role in (
        ("aws-backup-and-patch-stackset", "ProveRole"),
        ("aws-monitoring-backup-stackset", "EnableMaintenanceLambdaRole"),
    ):
        statements = _statements(build_templates()[name].resources[role])
        (writing,) = [s for s in statements if "s3:PutObject" in _actions(s)]
        assert _text(writing["Resource"]).endswith(prefix)


def test_instances_write_only_logs(patching: Template) -> None:
    statements = list(_statements(patching.resources["InstanceLogPolicy"]))
    assert {a for s in statements for a in _actions(s)} == {
        "s3:PutObject", "s3:PutObjectAcl", "s3:GetEncryptionConfiguration", "kms:GenerateDataKey",
    }  # fmt: skip
    assert "/logs/${TargetOperatingSystem}/" in _text(statements[0]["Resource"])


def _calls(script: str) -> set[str]:
    """IAM actions of the AWS calls in a script of the gate, from the names of its clients' methods and paginators."""
    tree = ast.parse(resources.files("patchgate.gate").joinpath(f"{script}.py").read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.add(node.func.attr)
            if node.func.attr == "get_paginator":
                names |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    found = set()
    for service in ("ssm", "ec2", "backup", "s3", "sns", "scheduler"):
        for operation in Loader().load_service_model(service, "service-2")["operations"]:
            method = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation).lower()
            if method in names:
                found.add(f"{service}:{operation}")
    return {_ACTION_OF.get(call, call) for call in found}


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
_ACTION_OF = {"s3:ListObjectsV2": "s3:ListBucket"}


OWN = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}


def test_the_open_function_may_do_what_it_does_and_no_more(monitoring: Template) -> None:
    allowed = _allowed(monitoring, "GatePolicy", "EnableMaintenanceLambdaRole")
    assert allowed - OWN == _calls("open_window")


def test_the_close_function_may_do_what_it_does_and_no_more(monitoring: Template) -> None:
    allowed = _allowed(monitoring, "GatePolicy", "DisableMaintenanceLambdaRole")
    assert allowed - OWN == _calls("close_window")


RUNBOOK = {
    "ssm:SendCommand", "ssm:ListCommands", "ssm:ListCommandInvocations", "ssm:CancelCommand",
    "ssm:DescribeInstanceInformation", "ssm:DescribeInstancePatchStates", "ec2:DescribeInstanceStatus",
    "kms:GenerateDataKey",
}  # fmt: skip
"""What the runbook's other steps need, beside the prove script."""


def test_the_runbook_may_do_what_it_does_and_no_more(patching: Template) -> None:
    assert _allowed(patching, "ProveRole") == _calls("prove") | RUNBOOK


def test_each_function_is_told_everything_that_it_reads(monitoring: Template) -> None:
    for script, name in (("open_window", "EnableMaintenanceLambda"), ("close_window", "DisableMaintenanceLambda")):
        source = resources.files("patchgate.gate").joinpath(f"{script}.py").read_text(encoding="utf-8")
        read = set(re.findall(r"env(?:ironment)?\[\"([A-Z_]+)\"\]", source))
        told = monitoring.resources[name]["Properties"]["Environment"]["Variables"]
        assert read <= set(told)
        assert "GATE_HASH" in told


def test_the_prove_step_is_told_everything_that_it_reads(patching: Template) -> None:
    source = resources.files("patchgate.gate").joinpath("prove.py").read_text(encoding="utf-8")
    read = set(re.findall(r"(?:events|given)\[[\"']([A-Za-z]+)[\"']\]", source))
    prove = patching.resources["InstallRunbook"]["Properties"]["Content"]["mainSteps"][0]
    assert read == set(prove["inputs"]["InputPayload"])
