"""Calls of roles through the wire door: allowed, denied in each service's words, and kept up with IAM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.wire import WireDoor
from patchgate.emulator.world import InstanceSpec

ACCOUNT, REGION = "111111111111", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gate/role"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session"
HERE = Scope(ACCOUNT, REGION, ROLE)
START = datetime(2026, 7, 10, 12, tzinfo=UTC)
Allow = Callable[..., None]


@pytest.fixture
def door() -> Iterator[WireDoor]:
    with WireDoor(Cloud(COMPONENTS, start=START, organization_id="o-a1b2c3d4e5")) as door:
        iam = door.session(ACCOUNT, REGION).client("iam")
        iam.create_role(RoleName="role", Path="/gate/", AssumeRolePolicyDocument=json.dumps(trust()))
        yield door


def trust(**condition: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}}
    statement["Action"] = "sts:AssumeRole"
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


@pytest.fixture
def allow(door: WireDoor) -> Allow:
    """Replaces what the role may do by one statement."""

    def put(*actions: str, resource: str = "*", effect: str = "Allow", name: str = "it", **condition: Any) -> None:
        statement: dict[str, Any] = {"Effect": effect, "Action": list(actions), "Resource": resource}
        statement |= {"Condition": condition} if condition else {}
        iam = door.session(ACCOUNT, REGION).client("iam")
        iam.put_role_policy(
            RoleName="role",
            PolicyName=name,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
        )

    return put


def client(door: WireDoor, service: str) -> Any:
    return door.session(HERE).client(service)


def put(door: WireDoor, name: str = "/a") -> None:
    client(door, "ssm").put_parameter(Name=name, Value="1", Type="String", Overwrite=True)


PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a"


@pytest.mark.parametrize(
    ("service", "method", "params", "code", "message"),
    [
        (
            "ssm", "put_parameter", {"Name": "/a", "Value": "1", "Type": "String"}, "AccessDeniedException",
            (f"User: {SESSION} is not authorized to perform: ssm:PutParameter on resource: {PARAMETER} because no "
            "identity-based policy allows the ssm:PutParameter action"),
        ),
        (
            "ssm", "describe_instance_information", {}, "AccessDeniedException",
            (f"User: {SESSION} is not authorized to perform: ssm:DescribeInstanceInformation on resource: "
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:* because no identity-based policy allows the "
            "ssm:DescribeInstanceInformation action"),
        ),
        (
            "ec2", "describe_instances", {}, "UnauthorizedOperation",
            (f"You are not authorized to perform this operation. User: {SESSION} is not authorized to perform: "
            "ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action"),
        ),
        (
            "s3", "put_object", {"Bucket": "logs", "Key": "k"}, "AccessDenied",
            (f'User: {SESSION} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::logs/k" because '
            "no identity-based policy allows the s3:PutObject action"),
        ),
        (
            "sns", "publish", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "Message": "m"}, "AuthorizationError",
            (f"User: {SESSION} is not authorized to perform: SNS:Publish on resource: arn:aws:sns:{REGION}:{ACCOUNT}:t "
            "because no identity-based policy allows the SNS:Publish action"),
        ),
        (
            "sqs", "send_message", {"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q", "MessageBody": "m"},
            "AccessDenied",
            (f"User: {SESSION} is not authorized to perform: sqs:sendmessage on resource: "
            f"arn:aws:sqs:{REGION}:{ACCOUNT}:q because no identity-based policy allows the sqs:sendmessage action"),
        ),
        (
            "backup", "list_backup_jobs", {}, "AccessDeniedException",
            (f"User: {SESSION} is not authorized to perform: backup:ListBackupJobs because no identity-based policy "
            "allows the backup:ListBackupJobs action"),
        ),
    ],
)  # fmt: skip
def test_a_denial_has_the_words_of_its_service(
    door: WireDoor, service: str, method: str, params: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ClientError) as denied:
        getattr(client(door, service), method)(**params)
    assert denied.value.response["Error"]["Code"] == code
    assert denied.value.response["Error"]["Message"] == message
    (record,) = door.cloud.history.of("CallDenied")
    assert (record["principal"], record["service"]) == (ROLE, service)


def test_what_is_allowed_is_carried_out_as_the_role(door: WireDoor, allow: Allow) -> None:
    allow("ssm:PutParameter", resource=PARAMETER)
    put(door)
    (record,) = door.cloud.history.of("ParameterPut")
    assert record["principal"] == ROLE
    with pytest.raises(ClientError, match="parameter/ab because"):
        put(door, "/ab")


def test_changes_of_iam_take_effect_at_once(door: WireDoor, allow: Allow) -> None:
    allow("ssm:PutParameter")
    put(door)
    iam = door.session(ACCOUNT, REGION).client("iam")
    iam.delete_role_policy(RoleName="role", PolicyName="it")
    with pytest.raises(ClientError, match="AccessDenied"):
        put(door)
    made = iam.create_policy(
        PolicyName="m",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}}
        ),
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="role", PolicyArn=made)
    put(door)
    nothing = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    iam.create_policy_version(PolicyArn=made, PolicyDocument=nothing, SetAsDefault=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        put(door)


def test_an_explicit_deny_says_so(door: WireDoor, allow: Allow) -> None:
    allow("ssm:*")
    allow("ssm:PutParameter", effect="Deny", name="no")
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        put(door)


def test_a_boundary_bounds(door: WireDoor, allow: Allow) -> None:
    allow("ssm:*", "ec2:*")
    iam = door.session(ACCOUNT, REGION).client("iam")
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}
    )
    arn = iam.create_policy(PolicyName="b", PolicyDocument=document)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="role", PermissionsBoundary=arn)
    client(door, "ec2").describe_instances()
    with pytest.raises(ClientError, match="because no permissions boundary allows the ssm:PutParameter action"):
        put(door)


def test_tags_of_an_instance_decide_about_commands(door: WireDoor, allow: Allow) -> None:
    for number, group in enumerate(("mine", "other")):
        spec = InstanceSpec(f"i-0000000{number}", group, "UBUNTU", "Linux", tags={"PatchGroup": group})
        door.cloud.component(Ec2).add_instance(HERE, spec)
    allow("ssm:SendCommand", resource=f"arn:aws:ssm:{REGION}::document/AWS-RunPatchBaseline", name="document")
    instances = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"
    allow("ssm:SendCommand", resource=instances, StringEquals={"ssm:resourceTag/PatchGroup": "mine"})

    def send(instance: str) -> None:
        client(door, "ssm").send_command(
            DocumentName="AWS-RunPatchBaseline", InstanceIds=[instance], Parameters={"Operation": ["Scan"]}
        )

    send("i-00000000")
    with pytest.raises(ClientError, match="instance/i-00000001 because"):
        send("i-00000001")


def test_an_operation_that_is_not_in_the_table_is_refused_by_name(door: WireDoor, allow: Allow) -> None:
    allow("ssm:*")
    with pytest.raises(ClientError, match=r"NotEmulated.*the permissions of dynamodb:ListTables"):
        client(door, "dynamodb").list_tables()
    allow("*")
    assert client(door, "dynamodb").list_tables()["TableNames"] == []


def test_what_people_and_tools_call_is_denied_in_aws_words(door: WireDoor) -> None:
    for service, method, code in (
        ("cloudformation", "describe_stacks", "AccessDenied"),
        ("lambda", "list_functions", "AccessDeniedException"),
        ("backup", "list_backup_plans", "AccessDeniedException"),
        ("cloudwatch", "describe_alarms", "AccessDenied"),
    ):
        with pytest.raises(ClientError, match="is not authorized to perform") as caught:
            getattr(client(door, service), method)()
        assert caught.value.response["Error"]["Code"] == code


def test_a_role_that_is_not_there_may_do_nothing(door: WireDoor) -> None:
    with pytest.raises(AwsError, match="AccessDenied"):
        door.cloud.call(ACCOUNT, REGION, "ssm", "GetParameter", {"Name": "/a"}, principal=ROLE + "s")
    with pytest.raises(AwsError, match="AccessDenied"):
        door.cloud.call(ACCOUNT, REGION, "ssm", "GetParameter", {"Name": "/a"}, principal=ROLE.replace("gate/", ""))


def test_users_are_refused_and_not_guessed_about(door: WireDoor) -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/u"
    with pytest.raises(NotEmulatedError, match="only roles"):
        door.cloud.call(ACCOUNT, REGION, "ssm", "GetParameter", {"Name": "/a"}, principal=user)


def test_a_bucket_of_the_roles_own_account_may_allow_it(door: WireDoor) -> None:
    s3 = door.session(ACCOUNT, REGION).client("s3")
    s3.create_bucket(Bucket="patching-logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::patching-logs/*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        client(door, "s3").put_object(Bucket="patching-logs", Key="k")
    s3.put_bucket_policy(Bucket="patching-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    client(door, "s3").put_object(Bucket="patching-logs", Key="k")


@pytest.mark.parametrize(
    ("condition", "trusted"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:SourceAccount": "222222222222"}}, False),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:ssm:*:{ACCOUNT}:automation-execution/*"}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:ssm:*:{ACCOUNT}:document/*"}}, False),
    ],
)
def test_trust_looks_at_where_the_service_acts(door: WireDoor, condition: dict[str, Any], trusted: bool) -> None:
    iam = door.session(ACCOUNT, REGION).client("iam")
    iam.update_assume_role_policy(RoleName="role", PolicyDocument=json.dumps(trust(**condition)))
    source = f"arn:aws:ssm:{REGION}:{ACCOUNT}:automation-execution/1"
    authority = door.cloud.authority
    assert authority.trusts(HERE, ROLE, "ssm.amazonaws.com", source) is trusted
    assert authority.trusts(HERE, ROLE, "lambda.amazonaws.com", source) is False
    assert authority.trusts(HERE, ROLE + "s", "ssm.amazonaws.com", source) is False


def test_trust_refuses_conditions_that_a_service_is_not_documented_to_meet(door: WireDoor) -> None:
    iam = door.session(ACCOUNT, REGION).client("iam")
    conditional = trust(StringEquals={"aws:SourceAccount": ACCOUNT})
    iam.update_assume_role_policy(RoleName="role", PolicyDocument=json.dumps(conditional))
    with pytest.raises(NotEmulatedError, match="aws:sourceaccount"):
        door.cloud.authority.trusts(HERE, ROLE, "ssm.amazonaws.com")


@pytest.mark.parametrize(
    ("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc")]
)
def test_managed_policies_of_aws_are_written_for_the_partition(door: WireDoor, region: str, partition: str) -> None:
    iam = door.session(ACCOUNT, region).client("iam")
    arn = iam.create_role(RoleName="AWSBackup", AssumeRolePolicyDocument=json.dumps(trust()))["Role"]["Arn"]
    managed = f"arn:{partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    iam.attach_role_policy(RoleName="AWSBackup", PolicyArn=managed)
    there = Scope(ACCOUNT, region, arn)
    check = door.cloud.authority.check
    check(there, "ec2", "CreateImage", {"InstanceId": "i-1"})
    check(there, "ec2", "CreateTags", {"Resources": ["ami-1", "snap-1"]})
    with pytest.raises(AwsError, match="UnauthorizedOperation"):
        check(there, "ec2", "CreateTags", {"Resources": ["i-1"]})


def test_the_service_linked_role_of_systems_manager_is_in_every_account(door: WireDoor) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"
    there = HERE.as_principal(arn)
    assert door.cloud.authority.trusts(there, arn, "ssm.amazonaws.com")
    door.cloud.authority.check(there, "ssm", "SendCommand", {"DocumentName": "AWS-RunPatchBaseline"})
    with pytest.raises(AwsError, match="PutParameter"):
        door.cloud.authority.check(there, "ssm", "PutParameter", {"Name": "/a"})


def test_a_list_of_a_bucket_may_be_bound_to_a_prefix(door: WireDoor, allow: Allow) -> None:
    door.session(ACCOUNT, REGION).client("s3").create_bucket(
        Bucket="patching-logs", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    allow("s3:ListBucket", resource="arn:aws:s3:::patching-logs", StringLike={"s3:prefix": "evidence/*"})
    s3 = client(door, "s3")
    assert s3.list_objects_v2(Bucket="patching-logs", Prefix="evidence/a/b")["KeyCount"] == 0
    for other in ({"Prefix": "logs/"}, {}):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket="patching-logs", **other)
