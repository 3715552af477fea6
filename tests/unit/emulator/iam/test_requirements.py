"""The table of what operations need, against the service authorization reference that cfn-lint carries."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.iam.authority import KNOWN_OPERATIONS
from patchgate.emulator.iam.requirements_neighbours import LISTED
from patchgate.emulator.iam.requirements_owned import OPEN
from patchgate.emulator.light import LightNeighbour

REFERENCE = json.loads(
    (Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json").read_text(encoding="utf-8")
)
HERE = Scope("111111111111", "eu-west-1", "arn:aws:iam::111111111111:role/r")
ROLE = "arn:aws:iam::111111111111:role/p"
GIVEN: dict[str, Any] = {
    "AlarmName": "a",
    "PolicyArn": "arn:aws:iam::111111111111:policy/p",
    "PolicyName": "p",
    "QueueName": "q",
    "RoleName": "p",
    "SubscriptionArn": "arn:aws:sns:eu-west-1:111111111111:t:1",
    "AutomationExecutionId": "1",
    "BackupPlanId": "p",
    "BackupVaultName": "v",
    "BaselineId": "pb-1",
    "Resource": "arn:aws:lambda:eu-west-1:111111111111:function:f",
    "Rule": "r",
    "StackName": "s",
    "StackSetName": "s",
    "Bucket": "logs",
    "CalendarNames": ["freeze", "arn:aws:ssm:eu-west-1:222222222222:document/shared"],
    "DocumentName": "AWS-RunPatchBaseline",
    "FunctionName": "f",
    "GroupName": "g",
    "ImageId": "ami-1",
    "InstanceId": "i-1",
    "InstanceIds": ["i-1"],
    "Key": "k",
    "Name": "/n",
    "Names": ["/n", "plain"],
    "OutputS3BucketName": "logs",
    "Path": "/n/",
    "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/111111111111/q",
    "RecoveryPointArn": "arn:aws:ec2:eu-west-1::image/ami-1",
    "Resources": ["ami-1", "snap-1", "i-1", "vol-1"],
    "RoleArn": ROLE,
    "SnapshotId": "snap-1",
    "TopicArn": "arn:aws:sns:eu-west-1:111111111111:t",
    "VolumeId": "vol-1",
    "WindowId": "mw-1",
    "logGroupName": "/g",
    "logStreamName": "s",
}
TAGGED = {
    "backup": "arn:aws:backup:eu-west-1:111111111111:backup-vault:v",
    "cloudwatch": "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:a",
    "events": "arn:aws:events:eu-west-1:111111111111:rule/r",
    "logs": "arn:aws:logs:eu-west-1:111111111111:log-group:/g",
    "scheduler": "arn:aws:scheduler:eu-west-1:111111111111:schedule-group/g",
    "sns": "arn:aws:sns:eu-west-1:111111111111:t",
}
UNTYPED = {"backup": [r"arn:.*:ec2:.*::(image|snapshot)/.*"]}
"""Recovery points of EC2 have ARNs of EC2, which the reference's patterns leave open."""


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    cloud = Cloud(COMPONENTS, start=datetime(2026, 7, 10, tzinfo=UTC))
    cloud.neighbour = LightNeighbour(cloud)
    return cloud


@pytest.mark.parametrize(("service", "operation"), sorted(KNOWN_OPERATIONS))
def test_actions_exist_and_resources_are_of_a_type_that_they_take(cloud: Cloud, service: str, operation: str) -> None:
    tagged = TAGGED.get(service, "")
    given = GIVEN | {"ResourceArn": tagged, "ResourceARN": tagged, "resourceArn": tagged}
    given |= {"Name": "t"} if service == "sns" else {}
    needs = list(KNOWN_OPERATIONS[service, operation](cloud, HERE, given))
    assert needs or (service, operation) == ("sts", "GetCallerIdentity")
    for need in needs:
        prefix, name = need.action.split(":")
        actions = {known.lower(): facts for known, facts in REFERENCE[prefix]["Actions"].items()}
        kinds = actions[name.lower()].get("Resources") or []
        if need.resource == "*":
            assert not kinds or operation in (*OPEN.get(service, ()), *LISTED.get(service, ())), need
            continue
        known = REFERENCE[prefix]["Resources"]
        formats = [
            pattern for kind in kinds for pattern in known.get(kind.lower(), {}).get("ARNFormats", [])
        ] + UNTYPED.get(prefix, [])
        assert any(_fits(pattern, need.resource) for pattern in formats), (need, formats)


def test_every_operation_that_is_implemented_says_what_it_needs() -> None:
    """KMS asks its key policies instead: ``key_policies``."""
    asked = [kind for kind in COMPONENTS if kind.service != "kms"]
    implemented = {(kind.service, name) for kind in asked for name, _ in kind.operations()}
    assert implemented - set(KNOWN_OPERATIONS) == set()


def test_every_operation_of_the_light_neighbour_says_what_it_needs(cloud: Cloud) -> None:
    assert isinstance(cloud.neighbour, LightNeighbour)
    assert set(cloud.neighbour.implemented()) - set(KNOWN_OPERATIONS) == set()


def test_a_version_of_an_object_is_an_action_of_its_own(cloud: Cloud) -> None:
    for operation, action in (("GetObject", "s3:GetObjectVersion"), ("DeleteObject", "s3:DeleteObjectVersion")):
        (need,) = KNOWN_OPERATIONS["s3", operation](cloud, HERE, GIVEN | {"VersionId": "v"})
        assert need.action == action


def test_roles_are_asked_by_their_path_and_with_what_they_are_given(cloud: Cloud) -> None:
    given = {"RoleName": "deep", "Path": "/a/b/", "AssumeRolePolicyDocument": "{}", "PermissionsBoundary": "arn:b"}
    (need,) = KNOWN_OPERATIONS["iam", "CreateRole"](cloud, HERE, given)
    assert need.resource == "arn:aws:iam::111111111111:role/a/b/deep"
    assert need.facts == {"iam:permissionsboundary": "arn:b"}
    trust = {"Version": "2012-10-17", "Statement": []}
    made = {"RoleName": "deep", "Path": "/a/b/", "AssumeRolePolicyDocument": json.dumps(trust)}
    cloud.neighbour.call(Scope("111111111111", "eu-west-1"), "iam", "CreateRole", made)
    (need,) = KNOWN_OPERATIONS["iam", "AttachRolePolicy"](cloud, HERE, {"RoleName": "deep", "PolicyArn": "arn:p"})
    assert (need.resource, need.facts) == ("arn:aws:iam::111111111111:role/a/b/deep", {"iam:policyarn": "arn:p"})


def _fits(pattern: str, arn: str) -> bool:
    return re.fullmatch(re.sub(r"\$\{\w+\}", "[^:]*", pattern), arn) is not None


def test_a_version_or_label_is_no_part_of_a_parameters_arn(cloud: Cloud) -> None:
    (need,) = KNOWN_OPERATIONS["ssm", "GetParameter"](cloud, HERE, {"Name": "/a/b:3"})
    assert need.resource == "arn:aws:ssm:eu-west-1:111111111111:parameter/a/b"


def test_documents_of_aws_belong_to_no_account(cloud: Cloud) -> None:
    first, *_ = KNOWN_OPERATIONS["ssm", "SendCommand"](cloud, HERE, GIVEN)
    assert first.resource == "arn:aws:ssm:eu-west-1::document/AWS-RunPatchBaseline"


def test_an_acl_is_a_permission_of_its_own(cloud: Cloud) -> None:
    given = GIVEN | {"ACL": "bucket-owner-full-control"}
    needs = list(KNOWN_OPERATIONS["s3", "PutObject"](cloud, HERE, given))
    assert [need.action for need in needs] == ["s3:PutObject", "s3:PutObjectAcl"]
    assert needs[0].facts == {"s3:x-amz-acl": "bucket-owner-full-control"}
