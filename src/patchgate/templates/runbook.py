"""The install runbook (prove, install, verify), its command document, the role it runs with, and the nodes' policy.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-documents.html
"""

from __future__ import annotations

from typing import Any

from patchgate.plan import names
from patchgate.templates.backup import VAULT_NAME
from patchgate.templates.gate_code import SCRIPTS, build_bundle
from patchgate.templates.intrinsics import Node, get_att, ref, sub
from patchgate.templates.parameters import FREEZE_CALENDARS, MAXIMUM_PROOF_AGE, WAIVED_CATEGORIES, Group, number
from patchgate.templates.policies import (
    LANE_INSTANCES,
    LANE_INSTANCES_ONLY,
    READ_CALENDARS,
    READ_LEASES,
    WRITE_EVIDENCE,
    allow,
    allow_reading,
    bucket_arn,
    policy,
    role,
    ssm_arn,
    trust,
    use_bucket_key,
)
from patchgate.templates.window import DELIVERY_SECONDS, LOGS, REBOOT_OPTIONS

GROUP = Group(
    "Proof",
    (
        MAXIMUM_PROOF_AGE,
        number("ProofMaxAgeSeconds", "Seconds after its proof within which an install must start.", 120, 60, 600),
        FREEZE_CALENDARS,
        WAIVED_CATEGORIES,
    ),
)

INSTALL_SECONDS = 5_400
"""The install step's limit: AWS-RunPatchBaseline takes 7,200 s at most, and a reboot comes on top."""

REFUSE_LATE_SHELL = (
    "now=$(date -u +%s)",
    'if [ "$now" -lt "{{NotAfter}}" ]; then',
    "  exit 0",
    "fi",
    'echo "patchgate: refused, the proof ended at {{NotAfter}} and it is $now"',
    "exit 1",
)
"""Exits 1 unless the clock is read and is before NotAfter: without a clock the comparison fails, and so does this."""

REFUSE_LATE_POWERSHELL = (
    "$ErrorActionPreference = 'Stop'",
    "$now = [int64]([DateTime]::UtcNow - [DateTime]'1970-01-01').TotalSeconds",
    "if ($now -lt {{NotAfter}}) {",
    "  exit 0",
    "}",
    'Write-Output "patchgate: refused, the proof ended at {{NotAfter}} and it is $now"',
    "exit 1",
)


def build_runbook_resources() -> dict[str, Node]:
    """logical id -> resource."""
    return {
        "InstallRunbook": _document("Automation", sub(names.RUNBOOK.as_sub()), _runbook()),
        "PatchCommandDocument": _document("Command", sub(names.COMMAND_DOCUMENT.as_sub()), _command_document()),
        "ProveRole": _prove_role(),
        "InstanceLogPolicy": _instance_policy(),
    }


def _document(kind: str, name: Node, content: Node) -> Node:
    """A document with a fixed name: only a new version can be deployed over it."""
    return {
        "Type": "AWS::SSM::Document",
        "Properties": {
            "Name": name,
            "DocumentType": kind,
            "TargetType": "/AWS::EC2::Instance",
            "UpdateMethod": "NewVersion",
            "Content": content,
        },
    }


def _runbook() -> Node:
    return {
        "schemaVersion": "0.3",
        "description": "No backup, no patch: proves one instance, then installs and verifies, or ends as denied",
        "assumeRole": "{{AutomationAssumeRole}}",
        "parameters": {
            "InstanceId": {
                "type": "String",
                "description": "The instance to patch",
                "allowedPattern": "^i-[0-9a-f]{8,17}$",
            },
            "AutomationAssumeRole": {
                "type": "String",
                "description": "ARN of the role of every step",
                "default": get_att("ProveRole", "Arn"),
            },
        },
        "mainSteps": [_prove(), _decide(), _install(), *_verify(), _denied()],
    }


def _step(name: str, action: str, inputs: Node, **settings: Any) -> Node:
    return {"name": name, "action": f"aws:{action}", "onFailure": "Abort", **settings, "inputs": inputs}


def _prove() -> Node:
    payload = {
        "InstanceId": "{{InstanceId}}",
        "ExecutionId": "{{automation:EXECUTION_ID}}",
        "OperatingSystem": ref("TargetOperatingSystem"),
        "Environment": ref("Environment"),
        "Partition": ref("AWS::Partition"),
        "AccountId": ref("AWS::AccountId"),
        "Region": ref("AWS::Region"),
        "BackupVaultName": VAULT_NAME,
        "BackupResources": ref("BackupResources"),
        "MaximumProofAgeMinutes": ref("MaximumProofAgeMinutes"),
        "ProofMaxAgeSeconds": ref("ProofMaxAgeSeconds"),
        "FreezeCalendars": ref("FreezeCalendars"),
        "WaivedMessageCategories": ref("WaivedMessageCategories"),
        "LogBucket": ref("S3Bucket"),
    }
    inputs = {
        "Runtime": "python3.11",
        "Handler": SCRIPTS["prove"],
        "InputPayload": payload,
        "Script": build_bundle("prove"),
    }
    outputs = [
        {"Name": name, "Selector": f"$.Payload.{name}", "Type": "String"}
        for name in ("Decision", "Reason", "Detail", "Cycle", "NotAfter")
    ]
    return _step("prove", "executeScript", inputs, timeoutSeconds=600, isCritical=True) | {"outputs": outputs}


def _decide() -> Node:
    """A denial is an answer and not an error: it does not eat the other instances' error budget."""
    choices = [{"NextStep": "install", "Variable": "{{prove.Decision}}", "StringEquals": "admit"}]
    return _step("decide", "branch", {"Choices": choices, "Default": "denied"})


def _install() -> Node:
    inputs = {
        "DocumentName": ref("PatchCommandDocument"),
        "DocumentVersion": "$DEFAULT",
        "InstanceIds": ["{{InstanceId}}"],
        "Parameters": {
            "NotAfter": ["{{prove.NotAfter}}"],
            "Operation": ["Install"],
            "RebootOption": [ref("InstallRebootOption")],
        },
        "TimeoutSeconds": DELIVERY_SECONDS,
        "OutputS3BucketName": ref("S3Bucket"),
        "OutputS3KeyPrefix": sub(f"{LOGS}/install"),
    }
    return _step("install", "runCommand", inputs, timeoutSeconds=INSTALL_SECONDS, isCritical=True)


def _verify() -> list[Node]:
    status = {
        "Service": "ec2",
        "Api": "DescribeInstanceStatus",
        "InstanceIds": ["{{InstanceId}}"],
        "PropertySelector": "$.InstanceStatuses[0].InstanceStatus.Status",
        "DesiredValues": ["ok"],
    }
    agent = {
        "Service": "ssm",
        "Api": "DescribeInstanceInformation",
        "Filters": [{"Key": "InstanceIds", "Values": ["{{InstanceId}}"]}],
        "PropertySelector": "$.InstanceInformationList[0].PingStatus",
        "DesiredValues": ["Online"],
    }
    patches = {
        "Service": "ssm",
        "Api": "DescribeInstancePatchStates",
        "InstanceIds": ["{{InstanceId}}"],
        "PropertySelector": "$.InstancePatchStates[0].FailedCount",
        "DesiredValues": ["0"],
    }
    wait = "waitForAwsResourceProperty"
    return [
        _step("verifyStatus", wait, status, timeoutSeconds=900),
        _step("verifyAgent", wait, agent, timeoutSeconds=900),
        _step("verifyPatchState", "assertAwsResourceProperty", patches, isEnd=True),
    ]


def _denied() -> Node:
    return _step("denied", "sleep", {"Duration": "PT1S"}, isEnd=True)


def _command_document() -> Node:
    return {
        "schemaVersion": "2.2",
        "description": "Patches a node unless its proof has ended by the node's own clock",
        "parameters": {
            "NotAfter": {
                "type": "String",
                "description": "Last second, since 1970 UTC, in which patching may start",
                "allowedPattern": "^[0-9]{10}$",
            },
            "Operation": {"type": "String", "allowedValues": ["Scan", "Install"], "default": "Install"},
            "RebootOption": {
                "type": "String",
                "allowedValues": list(REBOOT_OPTIONS),
                "default": REBOOT_OPTIONS[0],
            },
        },
        "mainSteps": [
            _refuse_late("refuseLate", "runShellScript", "Linux", REFUSE_LATE_SHELL),
            _refuse_late("refuseLateWindows", "runPowerShellScript", "Windows", REFUSE_LATE_POWERSHELL),
            {
                "name": "patch",
                "action": "aws:runDocument",
                "inputs": {
                    "documentType": "SSMDocument",
                    "documentPath": "AWS-RunPatchBaseline",
                    "documentParameters": {"Operation": "{{Operation}}", "RebootOption": "{{RebootOption}}"},
                },
            },
        ],
    }


def _refuse_late(name: str, action: str, platform: str, lines: tuple[str, ...]) -> Node:
    return {
        "name": name,
        "action": f"aws:{action}",
        "precondition": {"StringEquals": ["platformType", platform]},
        "inputs": {"timeoutSeconds": "60", "runCommand": list(lines), "onFailure": "exit"},
    }


def _prove_role() -> Node:
    trusted = trust(
        "ssm.amazonaws.com",
        {
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
            "ArnLike": {"aws:SourceArn": ssm_arn("automation-execution/*")},
        },
    )
    points = [sub(f"arn:${{AWS::Partition}}:ec2:${{AWS::Region}}::{kind}/*") for kind in ("image", "snapshot")]
    statements = [
        READ_LEASES,
        READ_CALENDARS,
        allow_reading(
            "backup:ListBackupJobs",
            "backup:ListRecoveryPointsByResource",
            "ec2:DescribeImages",
            "ec2:DescribeInstanceStatus",
            "ec2:DescribeInstances",
            "ec2:DescribeSnapshots",
            "ssm:CancelCommand",
            "ssm:DescribeInstanceInformation",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
        ),
        allow("ReadRecoveryPoints", ["backup:DescribeRecoveryPoint"], points),
        WRITE_EVIDENCE,
        use_bucket_key("kms:GenerateDataKey"),
        allow(
            "Install",
            ["ssm:SendCommand"],
            [ssm_arn(f"document/{names.COMMAND_DOCUMENT.as_sub()}"), bucket_arn()],
        ),
        allow("InstallOnLaneInstances", ["ssm:SendCommand"], LANE_INSTANCES, LANE_INSTANCES_ONLY),
        allow("VerifyPatches", ["ssm:DescribeInstancePatchStates"], LANE_INSTANCES),
    ]
    return role(names.PROVE_ROLE, trusted, statements)


def _instance_policy() -> Node:
    """What an instance profile needs beside AmazonSSMManagedInstanceCore: to write its output, and nothing else."""
    statements = [
        allow("WriteLogs", ["s3:PutObject", "s3:PutObjectAcl"], bucket_arn(f"{LOGS}/*")),
        allow("ReadBucketEncryption", ["s3:GetEncryptionConfiguration"], bucket_arn()),
        use_bucket_key("kms:GenerateDataKey"),
    ]
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": sub(names.INSTANCE_POLICY.as_sub()),
            "Path": ref("IamRolePath"),
            "Description": "For the instance profile: write patch logs to the log bucket",
            "PolicyDocument": policy(statements),
        },
    }
