"""What the describing operations return; every answer is held against botocore's model."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.unit.emulator.cloudformation.lab import START, TOPIC, Lab
from tests.unit.emulator.cloudformation.test_create import ROLE

from patchgate.emulator.cloud import Result

TEMPLATE: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "what it is",
    "Metadata": {"a": 1},
    "Parameters": {"P": {"Type": "String", "Default": "x", "AllowedValues": ["x", "y"], "Description": "d"}},
    "Resources": {"Topic": TOPIC, "Role": ROLE},
    "Outputs": {"O": {"Value": {"Ref": "P"}, "Description": "o", "Export": {"Name": "e"}}},
}
BODY = json.dumps(TEMPLATE)
IAM: dict[str, Any] = {"Capabilities": ["CAPABILITY_IAM"]}


def checked(lab: Lab, operation: str, **params: Any) -> Result:
    """The answer, after it was held against the output shape (required members, types)."""
    answer = lab.call(operation, **params)
    shape = botocore.session.get_session().get_service_model("cloudformation").operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    assert set(answer) <= set(shape.members)
    return answer


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DescribeStacks", {}),
        ("DescribeStacks", {"StackName": "stack"}),
        ("DescribeStackEvents", {"StackName": "stack"}),
        ("DescribeStackResources", {"StackName": "stack"}),
        ("DescribeStackResource", {"StackName": "stack", "LogicalResourceId": "Topic"}),
        ("ListStackResources", {"StackName": "stack"}),
        ("ListStacks", {}),
        ("ListExports", {}),
        ("GetTemplate", {"StackName": "stack"}),
        ("GetTemplateSummary", {"StackName": "stack"}),
        ("GetTemplateSummary", {"TemplateBody": BODY}),
        ("ValidateTemplate", {"TemplateBody": BODY}),
    ],
)
def test_answers_fit_the_model(lab: Lab, operation: str, params: dict[str, Any]) -> None:
    lab.create(BODY, **IAM)
    assert checked(lab, operation, **params)


def test_describe_stacks(lab: Lab) -> None:
    lab.create(BODY, **IAM)
    stack = lab.stack()
    assert stack["Description"] == "what it is"
    assert stack["CreationTime"] == START
    assert stack["Capabilities"] == ["CAPABILITY_IAM"]
    assert stack["Outputs"] == [{"OutputKey": "O", "OutputValue": "x", "Description": "o", "ExportName": "e"}]
    assert stack["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "x"}]


def test_resources_by_their_physical_id(lab: Lab) -> None:
    lab.create(BODY, **IAM)
    topic = lab.call("DescribeStackResource", StackName="stack", LogicalResourceId="Topic")["StackResourceDetail"]
    physical = topic["PhysicalResourceId"]
    assert len(lab.call("DescribeStackResources", PhysicalResourceId=physical)["StackResources"]) == 2
    one = lab.call("DescribeStackResources", StackName="stack", LogicalResourceId="Topic")["StackResources"]
    assert [item["ResourceType"] for item in one] == ["AWS::SNS::Topic"]


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("DescribeStacks", {"StackName": "no"}, "Stack with id no does not exist"),
        ("DescribeStackEvents", {"StackName": "no"}, "Stack [no] does not exist"),
        ("GetTemplate", {"StackName": "no"}, "Stack with id no does not exist"),
        ("DescribeStackResources", {}, "Exactly one of"),
        ("DescribeStackResources", {"PhysicalResourceId": "no"}, "Stack for no does not exist"),
        ("DescribeStackResources", {"StackName": "stack", "LogicalResourceId": "No"}, "Resource No does not exist"),
        ("DescribeStackResource", {"StackName": "stack", "LogicalResourceId": "No"}, "does not exist for stack stack"),
        ("GetTemplateSummary", {}, "Exactly one of"),
        ("ValidateTemplate", {}, "Either Template URL or Template Body"),
        ("ValidateTemplate", {"TemplateBody": "Resources: {A: {Type: 'AWS::No::No'}}"}, "[AWS::No::No]"),
    ],
)
def test_what_is_not_there_is_named(lab: Lab, operation: str, params: dict[str, Any], message: str) -> None:
    lab.create(BODY, **IAM)
    error = lab.refused(operation, **params)
    assert error.code == "ValidationError"
    assert message in error.message


def test_templates_come_back_as_they_were_given(lab: Lab) -> None:
    text = "# a comment\nResources: {Topic: {Type: 'AWS::SNS::Topic'}}\n"
    lab.create(text)
    assert lab.call("GetTemplate", StackName="stack")["TemplateBody"] == text


def test_summaries(lab: Lab) -> None:
    summary = lab.call("GetTemplateSummary", TemplateBody=BODY)
    assert summary["ResourceTypes"] == ["AWS::SNS::Topic", "AWS::IAM::Role"]
    assert summary["Capabilities"] == ["CAPABILITY_IAM"]
    assert "[AWS::IAM::Role]" in summary["CapabilitiesReason"]
    parameter = {"ParameterKey": "P", "DefaultValue": "x", "NoEcho": False, "Description": "d"}
    assert lab.call("ValidateTemplate", TemplateBody=BODY)["Parameters"] == [parameter]
    constrained = {"ParameterType": "String", "ParameterConstraints": {"AllowedValues": ["x", "y"]}}
    assert summary["Parameters"] == [parameter | constrained]


def test_lists_are_paged(lab: Lab) -> None:
    for number in range(101):
        lab.create("Resources: {T: {Type: 'AWS::SNS::Topic'}}", name=f"s{number}")
    first = checked(lab, "DescribeStacks")
    second = checked(lab, "DescribeStacks", NextToken=first["NextToken"])
    assert [len(first["Stacks"]), len(second["Stacks"])] == [100, 1]
    assert "NextToken" not in second


def test_stacks_are_filtered_by_status(lab: Lab) -> None:
    lab.create(BODY, name="gone", **IAM)
    lab.call("DeleteStack", StackName="gone")
    lab.create(BODY, name="here", **IAM)
    found = lab.call("ListStacks", StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert [item["StackName"] for item in found] == ["gone"]
    assert len(lab.call("ListStacks")["StackSummaries"]) == 2
