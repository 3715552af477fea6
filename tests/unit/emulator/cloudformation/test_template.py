"""Sections, resources and outputs: structure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import TOPIC, Lab

from patchgate.emulator.errors import NotEmulatedError

GOOD: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09", "Description": "d", "Resources": {"Topic": TOPIC}}


def with_resource(**attributes: Any) -> dict[str, Any]:
    return {"Resources": {"Topic": TOPIC | attributes}}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("- a\n- b\n", "unsupported structure"),
        (GOOD | {"Resource": {}}, "Invalid template property or properties [Resource]"),
        (GOOD | {"AWSTemplateFormatVersion": "2010-09-10"}, "unsupported value for AWSTemplateFormatVersion"),
        (GOOD | {"Resources": {}}, "At least one Resources member must be defined"),
        ({"Description": "only"}, "At least one Resources member must be defined"),
        (GOOD | {"Description": ["d"]}, "every Description member must be a string"),
        (GOOD | {"Description": "d" * 1025}, "'Description' length is greater than 1024"),
        (GOOD | {"Resources": ["x"]}, "[/Resources] must be an object"),
        ({"Resources": {"my-topic": TOPIC}}, "Resource name my-topic is non alphanumeric"),
        ({"Resources": {"Topic": None}}, "[/Resources/Topic] 'null' values are not allowed"),
        (with_resource(Properties={"TopicName": None}), "[/Resources/Topic/Properties/TopicName] 'null' values"),
        ({"Resources": {"Topic": {"Properties": {}}}}, "must contain a Type member"),
        (with_resource(Type="AWS::SNS::Topik"), "Unrecognized resource types: [AWS::SNS::Topik]"),
        (with_resource(Property={}), "Invalid template resource property 'Property'"),
        (with_resource(Condition=["A"]), "Condition of resource Topic must be a string"),
        (with_resource(Condition="Absent"), "Unresolved condition dependency Absent in the Resources block"),
        (with_resource(DependsOn={"A": 1}), "DependsOn of resource Topic"),
        (with_resource(DeletionPolicy="Keep"), "unrecognized DeletionPolicy Keep for resource Topic"),
        (with_resource(DeletionPolicy="Snapshot"), "AWS::SNS::Topic does not support deletionpolicy Snapshot"),
        (with_resource(UpdateReplacePolicy="RetainExceptOnCreate"), "unrecognized UpdateReplacePolicy"),
        (GOOD | {"Outputs": {"A": {"Val": 1}}}, "Invalid template output property 'Val'"),
        (GOOD | {"Outputs": {"A": {"Description": "x"}}}, "Output A must contain a Value member"),
        (GOOD | {"Outputs": {"A": {"Value": ["x"]}}}, "must evaluate to a String"),
        (GOOD | {"Outputs": {"A": {"Value": "x", "Export": "y"}}}, "[/Outputs/A/Export] must be an object"),
        (GOOD | {"Outputs": {"A": {"Value": "x", "Export": {}}}}, "must hold a Name"),
        (GOOD | {"Outputs": {"A": {"Value": "x", "Condition": "C"}}}, "dependency C in the Outputs block"),
        (GOOD | {"Mappings": {"M": {"a": "b"}}}, "[/Mappings/M/a] must be an object"),
        (GOOD | {"Mappings": {"M": {"a": {"b": {"c": 1}}}}}, "Every Mappings attribute must be a String or a List"),
        (GOOD | {"Parameters": {"Topic": {"Type": "String", "Default": "x"}}}, "Duplicate name [Topic]"),
    ],
)
def test_bad_structure_is_a_validation_error(lab: Lab, template: Any, message: str) -> None:
    assert message in lab.create_refused(template)
    assert lab.neighbour.calls == []


@pytest.mark.parametrize(
    ("template", "what"),
    [
        (GOOD | {"Transform": "AWS::Serverless-2016-10-31"}, "Transform"),
        (GOOD | {"Rules": {}}, "Rules"),
        (with_resource(UpdatePolicy={}), "UpdatePolicy of a resource (Topic)"),
        (with_resource(CreationPolicy={}), "CreationPolicy of a resource (Topic)"),
        ({"Resources": {"Vm": {"Type": "AWS::EC2::Instance"}}}, "the resource types [AWS::EC2::Instance]"),
        (with_resource(Properties={"ArchivePolicy": {}}), "AWS::SNS::Topic with ArchivePolicy (resource Topic)"),
    ],
)
def test_what_aws_has_and_the_embedded_aws_has_not_is_named(lab: Lab, template: Any, what: str) -> None:
    error = lab.refused("CreateStack", StackName="stack", TemplateBody=json.dumps(template))
    assert isinstance(error, NotEmulatedError)
    assert what in error.message
    assert lab.neighbour.calls == []


def test_a_type_that_is_not_emulated_may_stand_behind_a_false_condition(lab: Lab) -> None:
    template = GOOD | {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Topic": TOPIC, "Vm": {"Type": "AWS::EC2::Instance", "Condition": "Never"}},
    }
    assert lab.create(template) == "CREATE_COMPLETE"


def test_everything_that_a_template_may_have(lab: Lab) -> None:
    template = GOOD | {
        "Metadata": {"AWS::CloudFormation::Interface": {"ParameterGroups": []}},
        "Parameters": {"Env": {"Type": "String", "Default": "prd"}},
        "Mappings": {"M": {"a": {"b": "c", "d": ["e", "f"]}}},
        "Conditions": {"Yes": {"Fn::Equals": ["a", "a"]}},
        "Resources": {"Topic": TOPIC | {"DeletionPolicy": "RetainExceptOnCreate", "Metadata": {"a": {"Ref": "Env"}}}},
        "Outputs": {"A": {"Value": 1, "Description": "x", "Condition": "Yes", "Export": {"Name": "n"}}},
    }
    assert lab.create(template) == "CREATE_COMPLETE"
    described = lab.call("DescribeStackResource", StackName="stack", LogicalResourceId="Topic")["StackResourceDetail"]
    assert described["Metadata"] == '{"a": "prd"}'
