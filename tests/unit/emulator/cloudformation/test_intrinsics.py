"""Intrinsic functions, conditions, pseudo parameters and dynamic references: each with what it gives and refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import LOG_GROUP, TOPIC, Lab

from patchgate.emulator.errors import NotEmulatedError

MAPPINGS = {"M": {"eu-central-1": {"Zone": "Europe/Berlin", "List": ["a", "b"]}}}
CONDITIONS = {"Yes": {"Fn::Equals": ["a", "a"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}}
ARN = "arn:aws:sns:eu-central-1:111122223333:value-Topic-"


def template(node: Any, **sections: Any) -> dict[str, Any]:
    return {"Resources": {"Topic": TOPIC}, "Outputs": {"It": {"Value": node}}} | sections


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "AWS::Region"}, "eu-central-1"),
        ({"Ref": "AWS::AccountId"}, "111122223333"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"Ref": "AWS::StackName"}, "value"),
        ({"Fn::Sub": "a-${AWS::Region}-${!Literal}-$x"}, "a-eu-central-1-${Literal}-$x"),
        ({"Fn::Sub": ["${A}/${B}", {"A": 1, "B": {"Ref": "AWS::Region"}}]}, "1/eu-central-1"),
        ({"Fn::Join": ["-", ["a", 1, True, {"Ref": "AWS::NoValue"}, "b"]]}, "a-1-true-b"),
        ({"Fn::Select": ["1", ["a", "b"]]}, "b"),
        ({"Fn::Select": [2, {"Fn::Split": ["/", "a/b/c"]}]}, "c"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "Zone"]}, "Europe/Berlin"),
        ({"Fn::Select": [1, {"Fn::FindInMap": ["M", "eu-central-1", "List"]}]}, "b"),
        ({"Fn::If": ["Yes", "y", {"Fn::Select": [9, []]}]}, "y"),
        ({"Fn::If": ["No", "y", "n"]}, "n"),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
    ],
)
def test_values(lab: Lab, node: Any, value: str) -> None:
    assert lab.value_of(node, Mappings=MAPPINGS, Conditions=CONDITIONS) == value


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "Topic"},
        {"Fn::GetAtt": ["Topic", "TopicArn"]},
        {"Fn::GetAtt": "Topic.TopicArn"},
        {"Fn::Sub": "${Topic}"},
        {"Fn::Sub": "${Topic.TopicArn}"},
    ],
)
def test_references_to_resources(lab: Lab, node: Any) -> None:
    assert lab.value_of(node).startswith(ARN)


def test_the_stack_id_ends_in_a_uuid(lab: Lab) -> None:
    node = {"Fn::Select": [4, {"Fn::Split": ["-", {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}]}]}
    digits = lab.value_of(node)
    assert len(digits) == 12
    assert digits == lab.stack("value")["StackId"].rpartition("-")[2]


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")],
)
def test_partitions(region: str, partition: str, suffix: str) -> None:
    assert Lab(region=region).value_of({"Fn::Sub": "${AWS::Partition} ${AWS::URLSuffix}"}) == f"{partition} {suffix}"


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"Ref": "Absent"}, "Unresolved resource dependencies [Absent] in the Outputs block of the template"),
        ({"Fn::Sub": "${Absent}"}, "Unresolved resource dependencies [Absent] in the Outputs block of the template"),
        ({"Fn::GetAtt": ["Absent", "Arn"]}, "Fn::GetAtt references undefined resource Absent"),
        ({"Fn::GetAtt": ["Topic", "Arn"]}, "resource Topic does not support attribute type Arn in Fn::GetAtt"),
        ({"Fn::GetAtt": "Topic"}, "every Fn::GetAtt object requires two non-empty parameters"),
        ({"Ref": ["a"]}, "every Ref object must have a single String value"),
        ({"Ref": "Topic", "Fn::Sub": "x"}, "an object with Ref must have no other keys"),
        ({"Fn::Upper": "x"}, "Encountered unsupported function: Fn::Upper Supported functions are: [Fn::Base64, "),
        ({"Fn::Sub": "${a b}"}, "variable names in Fn::Sub syntax must contain only alphanumeric"),
        ({"Fn::Sub": ["x"]}, "don't specify expected arguments"),
        ({"Fn::If": ["Yes", "x"]}, "every Fn::If object requires three parameters"),
        ({"Fn::If": ["Absent", "x", "y"]}, "Unresolved condition dependency Absent in the Outputs block"),
    ],
)
def test_what_is_wrong_before_anything_is_created(lab: Lab, node: Any, message: str) -> None:
    assert message in lab.create_refused(template(node, Conditions=CONDITIONS))
    assert lab.neighbour.calls == []


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"Fn::Join": ["-", "text"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Join": [["-"], ["text"]]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Select": [2, ["a", "b"]]}, "cannot select nonexistent value at index 2"),
        ({"Fn::Select": ["x", ["a"]]}, "Fn::Select requires a list argument with a valid index"),
        ({"Fn::Select": [0, "a"]}, "Fn::Select requires a list argument with two elements"),
        ({"Fn::Split": ["", "a"]}, "every Fn::Split object requires two parameters"),
        ({"Fn::FindInMap": ["M", "us-east-1", "Zone"]}, "Unable to get mapping for M::us-east-1::Zone"),
        ({"Fn::FindInMap": ["N", "a", "b"]}, "Mapping named 'N' is not present in the 'Mappings' section"),
        ({"Fn::FindInMap": ["M", "a"]}, "every Fn::FindInMap object requires three parameters"),
        ({"Fn::If": ["Yes", {"Fn::Select": [9, ["a"]]}, "x"]}, "cannot select nonexistent value at index 9"),
        ({"Fn::Join": ["-", [{"Ref": "First"}], "x"]}, "every Fn::Join object requires two parameters"),
    ],
)
def test_a_function_whose_value_is_settled_is_looked_at_before_anything_is_created(
    lab: Lab, node: Any, message: str
) -> None:
    resource = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": node}}
    body = {"Mappings": MAPPINGS, "Conditions": CONDITIONS, "Resources": {"First": TOPIC, "It": resource}}
    assert message in lab.create_refused(body)
    outputs = {"Out": {"Value": node}}
    body = {"Mappings": MAPPINGS, "Conditions": CONDITIONS, "Resources": {"First": TOPIC}, "Outputs": outputs}
    assert message in lab.create_refused(body)
    assert lab.neighbour.calls == []


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"Fn::Select": [7, {"Fn::Split": [":", {"Ref": "First"}]}]}, "cannot select nonexistent value at index 7"),
        ({"Fn::FindInMap": ["M", {"Ref": "First"}, "Zone"]}, "Unable to get mapping for M::"),
        ({"Fn::Sub": ["${A}", {"A": ["x"]}]}, "Fn::Sub expression does not resolve to a string: ${A}"),
        ({"Fn::ImportValue": "absent"}, "No export named absent found."),
    ],
)
def test_what_is_wrong_in_evaluation_rolls_back(lab: Lab, node: Any, message: str) -> None:
    resource = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": node}}
    body = {"Mappings": MAPPINGS, "Resources": {"First": TOPIC, "It": resource | {"DependsOn": "First"}}}
    assert lab.create(body) == "ROLLBACK_COMPLETE"
    assert message in lab.reason("It", "CREATE_FAILED")
    assert lab.neighbour.names() == ["CreateTopic", "DeleteTopic"]


@pytest.mark.parametrize("name", ["Fn::GetAZs", "Fn::Cidr", "Fn::Transform"])
def test_functions_that_are_not_emulated_are_named(lab: Lab, name: str) -> None:
    error = lab.refused("CreateStack", StackName="s", TemplateBody=json.dumps(template({name: ""})))
    assert isinstance(error, NotEmulatedError)
    assert name in error.message


def test_condition_is_a_plain_key_outside_of_conditions(lab: Lab) -> None:
    policy = {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    resources = {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b", "PolicyDocument": policy}}}
    assert lab.create({"Resources": resources}) == "CREATE_COMPLETE"
    assert json.loads(lab.neighbour.last("PutBucketPolicy")["Policy"]) == policy


def test_no_value_takes_properties_and_elements_away(lab: Lab) -> None:
    nothing = {"Fn::If": ["No", "x", {"Ref": "AWS::NoValue"}]}
    tags = [nothing, {"Key": "a", "Value": "b"}]
    topic = TOPIC | {"Properties": {"DisplayName": nothing, "TopicName": "t", "Tags": tags}}
    lab.create({"Conditions": CONDITIONS, "Resources": {"It": topic}})
    params = {"Name": "t", "Attributes": {}, "Tags": [{"Key": "a", "Value": "b"}]}
    assert lab.neighbour.last("CreateTopic") == params


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::Equals": [{"Ref": "P"}, "x"]}, True),
        ({"Fn::Equals": [1, "1"]}, True),
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Equals": ["a", "A"]}, False),
        ({"Fn::Equals": [{"Fn::FindInMap": ["M", "eu-central-1", "Zone"]}, "Europe/Berlin"]}, True),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]}, True),
        ({"Fn::Not": [{"Condition": "No"}]}, True),
        ({"Condition": "No"}, False),
    ],
)
def test_conditions_decide_what_is_created(lab: Lab, condition: Any, holds: bool) -> None:
    body = {
        "Parameters": {"P": {"Type": "String", "Default": "x"}},
        "Mappings": MAPPINGS,
        "Conditions": CONDITIONS | {"C": condition},
        "Resources": {"Always": TOPIC, "Maybe": LOG_GROUP | {"Condition": "C"}},
        "Outputs": {"It": {"Value": "x", "Condition": "C"}},
    }
    lab.create(body)
    assert ("CreateLogGroup" in lab.neighbour.names()) is holds
    assert lab.outputs() == ({"It": "x"} if holds else {})


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"A": {"Condition": "B"}, "B": {"Fn::Not": [{"Condition": "A"}]}}, "circular condition dependency: [A, B]"),
        ({"A": {"Condition": "A"}}, "circular condition dependency: [A]"),
        ({"A": {"Condition": "B"}}, "Unresolved condition dependency B in the Conditions block"),
        ({"A": {"Fn::Equals": [{"Ref": "Topic"}, "x"]}}, "Unresolved dependencies [Topic]. Cannot reference resources"),
        ({"A": {"Fn::Equals": [{"Ref": "Q"}, "x"]}}, "Unresolved dependencies [Q]. Cannot reference resources"),
        ({"A": "true"}, "Every Conditions member must be a condition function"),
        (
            {"A": {"Fn::And": [{"Fn::Equals": ["a", "a"]}]}},
            "every Fn::And object requires a list of 2 to 10 conditions",
        ),
        ({"A": {"Fn::Not": []}}, "every Fn::Not object requires a list of one condition"),
        ({"A": {"Fn::Equals": ["a"]}}, "every Fn::Equals object requires a list of 2 string parameters"),
        ({"A": {"Fn::GetAtt": ["Topic", "Arn"]}}, "Encountered unsupported function: Fn::GetAtt"),
    ],
)
def test_bad_conditions(lab: Lab, conditions: Any, message: str) -> None:
    assert message in lab.create_refused(template("x", Conditions=conditions))


def test_dynamic_references(lab: Lab) -> None:
    lab.neighbour.parameters.update({"/a": "latest", "/a:2": "second"})
    topic = TOPIC | {"Properties": {"TopicName": "{{resolve:ssm:/a}}-x", "DisplayName": "{{resolve:ssm:/a:2}}"}}
    lab.create({"Resources": {"It": topic}})
    assert lab.neighbour.last("CreateTopic") == {"Name": "latest-x", "Attributes": {"DisplayName": "second"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{resolve:ssm:/absent}}", "ParameterNotFound"),
        ("{{resolve:ssm:/a:x}}", "Incorrect format is used in the following SSM reference"),
        ("{{resolve:secretsmanager:x}}", "does not implement dynamic references of secretsmanager"),
    ],
)
def test_bad_dynamic_references_fail_the_resource(lab: Lab, text: str, message: str) -> None:
    assert lab.create({"Resources": {"It": TOPIC | {"Properties": {"TopicName": text}}}}) == "ROLLBACK_COMPLETE"
    assert message in lab.reason("It", "CREATE_FAILED")


def test_other_braces_stay(lab: Lab) -> None:
    lab.create({"Resources": {"It": TOPIC | {"Properties": {"DisplayName": "{{prove.Decision}} {{ RESOURCE_ID }}"}}}})
    assert lab.neighbour.last("CreateTopic")["Attributes"] == {"DisplayName": "{{prove.Decision}} {{ RESOURCE_ID }}"}
