"""Templates in S3, named by TemplateURL: behind both doors, with the same answers and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.cloudformation.reader import MAX_OBJECT_BYTES, MAX_TEMPLATE_BYTES
from patchgate.emulator.cloudformation.template_source import TemplateObject, locate
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.wire import WireDoor

START = datetime(2026, 7, 4, 12, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "eu-west-1"
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}


def template(size: int = 0, **resources: Any) -> str:
    """A template of at least ``size`` bytes."""
    document: dict[str, Any] = {"Resources": resources or {"P": PARAMETER}, "Metadata": {"Filler": ""}}
    document["Metadata"]["Filler"] = "x" * max(0, size - len(json.dumps(document)))
    return json.dumps(document)


@pytest.fixture(params=[DirectDoor, WireDoor], ids=["direct", "wire"])
def door(request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param(Cloud(COMPONENTS, start=START)) as door:
        s3 = door.session(ACCOUNT, REGION).client("s3")
        s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield door


def put(door: Any, key: str, text: str | bytes) -> str:
    body = text.encode() if isinstance(text, str) else text
    door.session(ACCOUNT, REGION).client("s3").put_object(Bucket="templates", Key=key, Body=body)
    return f"https://templates.s3.{REGION}.amazonaws.com/{key}"


def refusal(method: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        method(**params)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    return str(caught.value.response["Error"]["Message"])


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("https://b-1.s3.eu-west-1.amazonaws.com/a/b%20c.yaml", "b-1", "a/b c.yaml"),
        ("https://b.c.s3.us-gov-west-1.amazonaws.com/k", "b.c", "k"),
        ("https://bucket.s3.amazonaws.com/k", "bucket", "k"),
        ("https://bucket.s3-eu-west-1.amazonaws.com/k", "bucket", "k"),
        ("https://bucket.s3.dualstack.eu-west-1.amazonaws.com/k", "bucket", "k"),
        ("https://s3.cn-north-1.amazonaws.com.cn/bucket/k", "bucket", "k"),
        ("https://s3-eu-west-1.amazonaws.com/bucket/a/k", "bucket", "a/k"),
        ("https://s3.amazonaws.com/bucket/k", "bucket", "k"),
        ("http://127.0.0.1:4566/bucket/k", "bucket", "k"),
        ("http://localhost:4566/bucket/k", "bucket", "k"),
    ],
)
def test_addresses_of_objects(url: str, bucket: str, key: str) -> None:
    assert locate(url) == TemplateObject(bucket, key)
    assert locate(f"{url}?versionId=v1") == TemplateObject(bucket, key, "v1")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://bucket/key", "must be a supported URL"),
        ("bucket/key", "must be a supported URL"),
        ("https://[::1/key", "must be a supported URL"),
        ("https://example.org/bucket/key", "example.org is not a valid S3 domain"),
        ("https://s3.eu-west-1.amazonaws.com.example.org/b/k", "is not a valid S3 domain"),
        ("http://s3.amazonaws.com/bucket/key", "is not a valid S3 domain"),
        ("https://bucket.s3.amazonaws.com/", "must reference a valid S3 object"),
        ("https://s3.amazonaws.com/bucket", "must reference a valid S3 object"),
    ],
)
def test_addresses_that_are_refused(url: str, said: str) -> None:
    with pytest.raises(AwsError, match=said):
        locate(url)


def test_documents_of_systems_manager_are_named() -> None:
    with pytest.raises(NotEmulatedError, match="TemplateURL with a Systems Manager document"):
        locate("ssm-doc://arn:aws:ssm:eu-west-1:111122223333:document/d")


def test_a_large_template_lives_by_its_url(door: Any) -> None:
    cloudformation = door.session(ACCOUNT, REGION).client("cloudformation")
    large = template(MAX_TEMPLATE_BYTES + 1)
    url = put(door, "a/large.json", large)
    assert "less than or equal to 51200" in refusal(cloudformation.create_stack, StackName="s", TemplateBody=large)
    assert cloudformation.validate_template(TemplateURL=url)["Parameters"] == []
    assert cloudformation.get_template_summary(TemplateURL=url)["ResourceTypes"] == ["AWS::SSM::Parameter"]
    cloudformation.create_stack(StackName="s", TemplateURL=url)
    assert cloudformation.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    put(door, "a/large.json", template(MAX_TEMPLATE_BYTES + 1, P=PARAMETER, Q=PARAMETER))
    cloudformation.update_stack(StackName="s", TemplateURL=url)
    cloudformation.update_stack(StackName="s", UsePreviousTemplate=True, Tags=[{"Key": "k", "Value": "v"}])
    third = put(door, "third.json", template(MAX_OBJECT_BYTES, R=PARAMETER))
    cloudformation.create_change_set(StackName="s", ChangeSetName="c", TemplateURL=third)
    cloudformation.execute_change_set(StackName="s", ChangeSetName="c")
    resources = cloudformation.describe_stack_resources(StackName="s")["StackResources"]
    assert [item["LogicalResourceId"] for item in resources] == ["R"]
    assert len(json.dumps(cloudformation.get_template(StackName="s")["TemplateBody"])) >= MAX_OBJECT_BYTES


def test_a_stack_set_of_a_large_template_makes_stacks(door: Any) -> None:
    session = door.session(ACCOUNT, REGION)
    cloudformation, iam = session.client("cloudformation"), session.client("iam")
    for name, who in (
        ("AWSCloudFormationStackSetAdministrationRole", {"Service": "cloudformation.amazonaws.com"}),
        ("AWSCloudFormationStackSetExecutionRole", {"AWS": ACCOUNT}),
    ):
        trust = {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"},
        }
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(everything))
    url = put(door, "set.json", template(MAX_TEMPLATE_BYTES + 1))
    cloudformation.create_stack_set(StackSetName="set", TemplateURL=url)
    cloudformation.create_stack_instances(StackSetName="set", Accounts=[ACCOUNT], Regions=[REGION])
    door.cloud.kernel.run_until(START.replace(hour=13))
    (instance,) = cloudformation.list_stack_instances(StackSetName="set")["Summaries"]
    assert (instance["Status"], instance.get("StatusReason")) == ("CURRENT", None)
    url = put(door, "set.json", template(MAX_TEMPLATE_BYTES + 1, Q=PARAMETER))
    cloudformation.update_stack_set(StackSetName="set", TemplateURL=url)
    door.cloud.kernel.run_until(START.replace(hour=14))
    resources = cloudformation.describe_stack_resources(StackName=instance["StackId"])["StackResources"]
    assert [item["LogicalResourceId"] for item in resources] == ["Q"]


def test_what_cannot_be_read_is_said_as_s3_says_it(door: Any) -> None:
    cloudformation = door.session(ACCOUNT, REGION).client("cloudformation")
    place = f"https://templates.s3.{REGION}.amazonaws.com"
    more = "\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
    validate = cloudformation.validate_template
    assert refusal(validate, TemplateURL=f"{place}/no") == f"S3 error: The specified key does not exist.{more}"
    missing = f"https://s3.{REGION}.amazonaws.com/nobodys-bucket/key"
    assert refusal(validate, TemplateURL=missing) == f"S3 error: The specified bucket does not exist{more}"
    url = put(door, "t", template())
    other = door.session("999999999999", REGION).client("cloudformation")
    assert refusal(other.create_stack, StackName="s", TemplateURL=url) == f"S3 error: Access Denied{more}"
    url = put(door, "t", template(MAX_OBJECT_BYTES + 1))
    assert refusal(validate, TemplateURL=url) == "Template may not exceed 1000000 bytes in size."
    assert "is not UTF-8 text" in refusal(validate, TemplateURL=put(door, "t", b"\xff"))
    assert "but not both" in refusal(validate, TemplateURL=url, TemplateBody=template())
