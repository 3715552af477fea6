"""CreateStack: names, capabilities, tags, failure and rollback, exports."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import LOG_GROUP, REGION, TOPIC, Lab, only

from patchgate.emulator.errors import AwsError, NotEmulatedError

ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
TWO = {"Resources": {"First": TOPIC, "Second": LOG_GROUP | {"DependsOn": "First"}}}
REFUSAL = AwsError("LimitExceededException", "too many")
YAML = "Resources: {Topic: {Type: 'AWS::SNS::Topic'}}"


def test_events_and_history_of_a_creation(lab: Lab) -> None:
    assert lab.create(TWO) == "CREATE_COMPLETE"
    assert lab.events() == [
        ("stack", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_COMPLETE"),
        ("Second", "CREATE_IN_PROGRESS"),
        ("Second", "CREATE_IN_PROGRESS"),
        ("Second", "CREATE_COMPLETE"),
        ("stack", "CREATE_COMPLETE"),
    ]
    history = [(item["stack"], item["status"]) for item in lab.cloud.history.of("StackStatusChanged")]
    assert history == [("stack", "CREATE_IN_PROGRESS"), ("stack", "CREATE_COMPLETE")]


def test_the_stack_id(lab: Lab) -> None:
    stack_id = lab.call("CreateStack", StackName="my-stack", TemplateBody=YAML)["StackId"]
    assert stack_id.startswith(f"arn:aws:cloudformation:{REGION}:111122223333:stack/my-stack/")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1stack", "[a-zA-Z][-a-zA-Z0-9]*"),
        ("my_stack", "[a-zA-Z][-a-zA-Z0-9]*"),
        ("", "[a-zA-Z][-a-zA-Z0-9]*"),
        ("s" * 129, "length less than or equal to 128"),
    ],
)
def test_bad_names(lab: Lab, name: str, message: str) -> None:
    assert message in lab.refused("CreateStack", StackName=name, TemplateBody=YAML).message


def test_a_name_is_taken_until_its_stack_is_deleted(lab: Lab) -> None:
    lab.create(YAML)
    error = lab.refused("CreateStack", StackName="stack", TemplateBody=YAML)
    assert (error.code, error.message) == ("AlreadyExistsException", "Stack [stack] already exists")
    lab.call("DeleteStack", StackName="stack")
    assert lab.create(YAML) == "CREATE_COMPLETE"


def test_accounts_and_regions_are_apart(lab: Lab) -> None:
    lab.create(YAML)
    elsewhere = lab.cloud.call("999988887777", REGION, "cloudformation", "DescribeStacks", {})
    assert elsewhere == {"Stacks": []}


@pytest.mark.parametrize(
    ("resource", "needed"),
    [
        (ROLE, "CAPABILITY_IAM"),
        (only(ROLE, RoleName="mine")["Resources"]["It"], "CAPABILITY_NAMED_IAM"),
        (
            {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "PolicyDocument": {}, "Roles": ["r"]}},
            "CAPABILITY_IAM",
        ),
        (
            {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "p", "PolicyDocument": {}}},
            "CAPABILITY_NAMED_IAM",
        ),
    ],
)
def test_capabilities(lab: Lab, resource: dict[str, Any], needed: str) -> None:
    with pytest.raises(AwsError) as caught:
        lab.create({"Resources": {"It": resource}})
    assert caught.value.code == "InsufficientCapabilitiesException"
    assert caught.value.message == f"Requires capabilities : [{needed}]"
    assert lab.create({"Resources": {"It": resource}}, Capabilities=["CAPABILITY_NAMED_IAM"]) == "CREATE_COMPLETE"


def test_an_unknown_capability(lab: Lab) -> None:
    assert "enum value set: [CAPABILITY_IAM" in lab.create_refused(YAML, Capabilities=["CAPABILITY_ALL"])


def test_a_failure_rolls_back_in_reverse(lab: Lab) -> None:
    lab.neighbour.fail["CreateLogGroup"] = REFUSAL
    assert lab.create(TWO) == "ROLLBACK_COMPLETE"
    assert lab.neighbour.names() == ["CreateTopic", "CreateLogGroup", "DeleteTopic"]
    assert lab.reason("Second", "CREATE_FAILED") == (
        'Resource handler returned message: "LimitExceededException: too many"'
    )
    started = "The following resource(s) failed to create: [Second]. Rollback requested by user."
    assert lab.reason("stack", "ROLLBACK_IN_PROGRESS") == started
    assert lab.events()[-4:] == [
        ("Second", "DELETE_COMPLETE"),
        ("First", "DELETE_IN_PROGRESS"),
        ("First", "DELETE_COMPLETE"),
        ("stack", "ROLLBACK_COMPLETE"),
    ]


def test_a_half_created_resource_is_deleted_too(lab: Lab) -> None:
    lab.neighbour.fail["PutRetentionPolicy"] = REFUSAL
    assert lab.create(only(LOG_GROUP, LogGroupName="g", RetentionInDays=7)) == "ROLLBACK_COMPLETE"
    assert lab.neighbour.names() == ["CreateLogGroup", "PutRetentionPolicy", "DeleteLogGroup"]


def test_a_rollback_that_fails(lab: Lab) -> None:
    lab.neighbour.fail.update({"CreateLogGroup": REFUSAL, "DeleteTopic": REFUSAL})
    assert lab.create(TWO) == "ROLLBACK_FAILED"
    assert lab.stack()["StackStatusReason"] == "The following resource(s) failed to delete: [First]. "


@pytest.mark.parametrize("params", [{"OnFailure": "DO_NOTHING"}, {"DisableRollback": True}])
def test_do_nothing_keeps_what_there_is(lab: Lab, params: dict[str, Any]) -> None:
    lab.neighbour.fail["CreateLogGroup"] = REFUSAL
    assert lab.create(TWO, **params) == "CREATE_FAILED"
    assert lab.neighbour.names() == ["CreateTopic", "CreateLogGroup"]


def test_on_failure_delete(lab: Lab) -> None:
    lab.neighbour.fail["CreateLogGroup"] = REFUSAL
    assert lab.create(TWO, OnFailure="DELETE") == "DELETE_COMPLETE"
    assert lab.call("DescribeStacks") == {"Stacks": []}


def test_on_failure_and_disable_rollback_exclude_each_other(lab: Lab) -> None:
    assert "not both" in lab.create_refused(YAML, OnFailure="DELETE", DisableRollback=False)
    assert "enum value set" in lab.create_refused(YAML, OnFailure="RETRY")


@pytest.mark.parametrize(
    ("policy", "except_on_create", "deleted"),
    [("Retain", False, False), ("Retain", True, True), ("RetainExceptOnCreate", False, True), ("Delete", False, True)],
)
def test_deletion_policies_in_a_rollback(lab: Lab, policy: str, except_on_create: bool, deleted: bool) -> None:
    lab.neighbour.fail["CreateLogGroup"] = REFUSAL
    resources = {"First": TOPIC | {"DeletionPolicy": policy}, "Second": LOG_GROUP | {"DependsOn": "First"}}
    assert lab.create({"Resources": resources}, RetainExceptOnCreate=except_on_create) == "ROLLBACK_COMPLETE"
    assert ("DeleteTopic" in lab.neighbour.names()) is deleted
    assert (("First", "DELETE_SKIPPED") in lab.events()) is not deleted


def test_stack_tags_reach_resources_and_lose_to_their_own(lab: Lab) -> None:
    tags = [{"Key": "team", "Value": "ops"}, {"Key": "env", "Value": "prd"}]
    own = [{"Key": "env", "Value": "dev"}]
    vault = {"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": "vault"}}
    topic = TOPIC | {"Properties": {"Tags": own}}
    lab.create({"Resources": {"Topic": topic, "Vault": vault}}, Tags=tags)
    assert lab.neighbour.last("CreateTopic")["Tags"] == [{"Key": "team", "Value": "ops"}, own[0]]
    assert lab.neighbour.last("CreateBackupVault")["BackupVaultTags"] == {"team": "ops", "env": "prd"}
    assert lab.stack()["Tags"] == tags


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([{"Key": "aws:x", "Value": "y"}], "aws: prefixed tag key names are not allowed"),
        ([{"Key": "x", "Value": "y"}] * 2, "Duplicate tag keys"),
        ([{"Key": "x" * 129, "Value": "y"}], "a key has 1 to 128 characters"),
        ([{"Key": f"k{n}", "Value": "y"} for n in range(51)], "less than or equal to 50"),
    ],
)
def test_bad_tags(lab: Lab, tags: list[dict[str, str]], message: str) -> None:
    assert message in lab.create_refused(YAML, Tags=tags)


def test_generated_names_are_made_of_stack_and_logical_id(lab: Lab) -> None:
    lab.create({"Resources": {"MyBucket": {"Type": "AWS::S3::Bucket"}, "MyTopic": TOPIC}}, name="My-Stack")
    bucket, topic = lab.neighbour.last("CreateBucket")["Bucket"], lab.neighbour.last("CreateTopic")["Name"]
    assert bucket.startswith("my-stack-mybucket-")
    assert bucket == bucket.lower()
    assert topic.startswith("My-Stack-MyTopic-")


def test_a_service_role_acts(lab: Lab) -> None:
    role = "arn:aws:iam::111122223333:role/deployer"
    lab.create(YAML, RoleARN=role)
    lab.call("DeleteStack", StackName="stack")
    assert [principal for *_, principal in lab.neighbour.calls] == [role, role]


def exporting(name: str, value: str = "x") -> dict[str, Any]:
    return {"Resources": {"Topic": TOPIC}, "Outputs": {"O": {"Value": value, "Export": {"Name": name}}}}


IMPORTING = {"Resources": {"T": TOPIC | {"Properties": {"DisplayName": {"Fn::ImportValue": {"Fn::Sub": "shared"}}}}}}


def test_exports_and_imports(lab: Lab) -> None:
    lab.create(exporting("shared"), name="exporter")
    lab.create(IMPORTING, name="importer")
    assert lab.neighbour.last("CreateTopic")["Attributes"] == {"DisplayName": "x"}
    exports = lab.call("ListExports")["Exports"]
    assert [(item["Name"], item["Value"]) for item in exports] == [("shared", "x")]
    assert lab.call("ListImports", ExportName="shared")["Imports"] == ["importer"]
    lab.call("DeleteStack", StackName="importer")
    error = lab.refused("ListImports", ExportName="shared")
    assert error.message == "Export 'shared' is not imported by any stack."


def test_an_export_name_is_taken_once(lab: Lab) -> None:
    lab.create(exporting("shared"), name="first")
    assert lab.create(exporting("shared"), name="second") == "ROLLBACK_COMPLETE"
    assert "Export with name shared is already exported by stack first." in lab.reason(
        "second", "ROLLBACK_IN_PROGRESS", "second"
    )


@pytest.mark.parametrize(
    ("params", "what"),
    [
        ({"StackPolicyBody": "{}"}, "with StackPolicyBody"),
        ({"NotificationARNs": ["arn"]}, "with NotificationARNs"),
        ({"ResourceTypes": ["AWS::*"]}, "with ResourceTypes"),
    ],
)
def test_what_is_not_emulated_is_named(lab: Lab, params: dict[str, Any], what: str) -> None:
    error = lab.refused("CreateStack", StackName="stack", TemplateBody=YAML, **params)
    assert isinstance(error, NotEmulatedError)
    assert what in error.message


def test_a_body_is_needed(lab: Lab) -> None:
    error = lab.refused("CreateStack", StackName="stack")
    assert error.message == "Either Template URL or Template Body must be specified."
