"""The log bucket: who may write where."""

from __future__ import annotations

from typing import Any

import pytest

from patchgate.templates import Template

BUCKET = {"Fn::GetAtt": ["PatchingLogsBucket", "Arn"]}
OBJECTS = {"Fn::Sub": "${PatchingLogsBucket.Arn}/*"}
OWN = "${PatchingLogsBucket.Arn}/evidence/${TargetOperatingSystem}/${Environment}/${!aws:PrincipalAccount}/*"
OURS = {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "PrincipalOrgID"}}}


@pytest.fixture
def bucket(logs: Template) -> dict[str, Any]:
    properties = logs.resources["PatchingLogsBucket"]["Properties"]
    assert isinstance(properties, dict)
    return properties


@pytest.fixture
def statements(logs: Template) -> dict[str, Any]:
    document = logs.resources["PatchingLogsBucketPolicy"]["Properties"]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_it_is_private_versioned_encrypted_and_owned(bucket: dict[str, Any]) -> None:
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == {"Fn::If": ["HasKey", "aws:kms", "AES256"]}


def test_its_objects_expire(bucket: dict[str, Any]) -> None:
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] == {"Ref": "LogRetentionDays"}
    assert "Prefix" not in rule


def test_its_name_ends_in_the_last_group_of_the_stack_ids_uuid(bucket: dict[str, Any]) -> None:
    text, values = bucket["BucketName"]["Fn::Sub"]
    assert text == "${PatchingLogsBucketName}-${TargetOperatingSystem}-${Environment}-${StackSuffix}"
    uuid = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert values == {"StackSuffix": {"Fn::Select": [4, {"Fn::Split": ["-", uuid]}]}}


def test_systems_manager_writes_for_the_organization_only(statements: dict[str, Any]) -> None:
    statement = statements["AllowSystemsManager"]
    assert statement["Principal"] == {"Service": "ssm.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("s3:PutObject", OBJECTS)
    assert statement["Condition"]["StringEquals"] == {
        "s3:x-amz-acl": "bucket-owner-full-control",
        "aws:SourceOrgID": {"Ref": "PrincipalOrgID"},
    }


def test_every_other_grant_is_for_the_organization_only(statements: dict[str, Any]) -> None:
    for sid in ("AllowIamRole", "AllowReadingEncryption"):
        assert statements[sid]["Condition"] == OURS
    assert statements["AllowIamRole"]["Resource"] == {"Fn::Sub": "${PatchingLogsBucket.Arn}/logs/*"}
    assert {s for s, statement in statements.items() if statement["Effect"] == "Allow"} == {
        "AllowSystemsManager", "AllowIamRole", "AllowGateToWriteEvidence", "AllowReadingEncryption",
        "AllowCloseToReadEvidence",
    }  # fmt: skip


def test_a_close_function_reads_the_evidence_of_its_own_account(statements: dict[str, Any]) -> None:
    statement = statements["AllowCloseToReadEvidence"]
    assert statement["Action"] == ["s3:GetObject", "s3:ListBucket"]
    assert statement["Resource"] == [BUCKET, {"Fn::Sub": OWN}]
    close = "arn:${AWS::Partition}:iam::*:role/*patchgate-gate-close-${TargetOperatingSystem}-${Environment}-*"
    assert statement["Condition"] == OURS | {"ArnLike": {"aws:PrincipalArn": {"Fn::Sub": close}}}


def test_evidence_is_written_by_the_gates_roles_only(statements: dict[str, Any]) -> None:
    statement = statements["DenyEvidenceButByGate"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == ["s3:PutObject*", "s3:DeleteObject*"]
    assert statement["Resource"] == {"Fn::Sub": "${PatchingLogsBucket.Arn}/evidence/*"}
    gate = {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/*patchgate-gate-*-${TargetOperatingSystem}-${Environment}-*"}
    assert statement["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": gate}}
    allowed = statements["AllowGateToWriteEvidence"]
    assert (allowed["Action"], allowed["Resource"]) == ("s3:PutObject", {"Fn::Sub": OWN})
    assert allowed["Condition"] == OURS | {"ArnLike": {"aws:PrincipalArn": gate}}


def test_nothing_goes_without_tls(statements: dict[str, Any]) -> None:
    statement = statements["DenyWithoutTLS"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Resource"] == [BUCKET, OBJECTS]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
