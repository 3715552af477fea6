"""Parameters: declarations, values, constraints, and who is named when one is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import TOPIC, Lab

from patchgate.emulator.errors import NotEmulatedError


def template(value: Any = "", **parameter: Any) -> dict[str, Any]:
    output = {"Fn::Join": ["|", {"Ref": "P"}]} if "List" in parameter.get("Type", "") else {"Ref": "P"}
    return {
        "Parameters": {"P": {"Type": "String"} | parameter},
        "Resources": {"Topic": TOPIC},
        "Outputs": {"It": {"Value": output}},
    }


@pytest.mark.parametrize(
    ("parameter", "good", "bad", "message"),
    [
        ({"AllowedValues": ["dev", "prd"]}, "dev", "uat", "Parameter 'P' must be one of AllowedValues"),
        ({"AllowedPattern": "o-[a-z]{3}"}, "o-abc", "o-abcd", "Parameter 'P' must match pattern o-[a-z]{3}"),
        ({"AllowedPattern": "a|b"}, "b", "bc", "must match pattern"),
        ({"MinLength": 2}, "ab", "a", "Parameter 'P' must contain at least 2 characters"),
        ({"MaxLength": "2"}, "ab", "abc", "Parameter 'P' must contain at most 2 characters"),
        ({"Type": "Number"}, "1.5", "one", "Parameter 'P' must be a number"),
        ({"Type": "Number"}, "-1", "NaN", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 1}, "1", "0.9", "Parameter 'P' must be a number not less than 1"),
        ({"Type": "Number", "MaxValue": 24}, "24", "25", "Parameter 'P' must be a number not greater than 24"),
        ({"Type": "List<Number>"}, "1, 2", "1, x", "Parameter 'P' must be a number"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a, b", "a,c", "must be one of AllowedValues"),
        (
            {"AllowedPattern": "x", "ConstraintDescription": "must be x"},
            "x",
            "y",
            "Parameter 'P' failed to satisfy constraint: must be x",
        ),
        ({}, "x" * 4096, "x" * 4097, "Parameter 'P' must not be longer than 4096 bytes"),
    ],
)
def test_constraints(lab: Lab, parameter: dict[str, Any], good: str, bad: str, message: str) -> None:
    assert message in lab.create_refused(template(**parameter), given={"P": bad})
    assert lab.create(template(**parameter), given={"P": good}) == "CREATE_COMPLETE"


def test_a_default_is_held_to_the_constraints_too(lab: Lab) -> None:
    assert "must be one of AllowedValues" in lab.create_refused(template(AllowedValues=["a"], Default="b"))


@pytest.mark.parametrize(("text", "elements"), [("a , b,c ", "a|b|c"), ("a", "a"), ("", "")])
def test_lists_are_split_and_trimmed_in_values_and_defaults(text: str, elements: str) -> None:
    given, default = Lab(), Lab()
    given.create(template(Type="CommaDelimitedList"), given={"P": text})
    default.create(template(Type="CommaDelimitedList", Default=text))
    assert given.outputs() == default.outputs() == {"It": elements}


@pytest.mark.parametrize(("default", "text"), [(True, "true"), (12, "12"), ("x", "x")])
def test_defaults_are_text(lab: Lab, default: Any, text: str) -> None:
    lab.create(template(Default=default))
    assert lab.outputs() == {"It": text}


def test_missing_and_unknown_parameters_are_named(lab: Lab) -> None:
    two = template() | {"Parameters": {"P": {"Type": "String"}, "Q": {"Type": "String"}}}
    assert lab.create_refused(two) == "Parameters: [P, Q] must have values"
    unknown = {"P": "1", "Q": "2", "R": "3"}
    assert lab.create_refused(two, given=unknown) == "Parameters: [R] do not exist in the template"


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"Type": "Text"}, "Unrecognized parameter type: Text"),
        ({"Pattern": "x"}, "Invalid template parameter property 'Pattern'"),
        ({"Default": ["x"]}, "Every Default member must be a string"),
        ({"AllowedValues": "x"}, "AllowedValues of parameter P must be a list"),
        ({"AllowedPattern": "("}, "AllowedPattern of parameter P is not a regular expression"),
        ({"MinValue": 1}, "MinValue of parameter P is not allowed for type String"),
        ({"Type": "Number", "MinLength": 1}, "MinLength of parameter P is not allowed for type Number"),
        ({"MinLength": "x"}, "MinLength of parameter P must be a number"),
        ({"Description": "d" * 4001}, "Description of parameter P is longer than 4000"),
    ],
)
def test_bad_declarations(lab: Lab, parameter: dict[str, Any], message: str) -> None:
    assert message in lab.create_refused(template(**parameter), given={"P": "1"})


def test_a_parameter_without_a_type(lab: Lab) -> None:
    assert "must contain a Type member" in lab.create_refused(template() | {"Parameters": {"P": {"Default": "x"}}})


def test_types_that_need_other_services_are_named(lab: Lab) -> None:
    body = "Parameters: {P: {Type: 'AWS::EC2::VPC::Id'}}\nResources: {T: {Type: 'AWS::SNS::Topic'}}"
    error = lab.refused("CreateStack", StackName="s", TemplateBody=body)
    assert isinstance(error, NotEmulatedError)
    assert "AWS::EC2::VPC::Id (P)" in error.message


def test_ssm_parameter_values_are_resolved(lab: Lab) -> None:
    lab.neighbour.parameters["/a/b"] = "resolved"
    lab.create(template(Type="AWS::SSM::Parameter::Value<String>"), given={"P": "/a/b"})
    assert lab.outputs() == {"It": "resolved"}
    shown = [{"ParameterKey": "P", "ParameterValue": "/a/b", "ResolvedValue": "resolved"}]
    assert lab.stack()["Parameters"] == shown


def test_an_ssm_parameter_that_is_not_there_is_named(lab: Lab) -> None:
    message = lab.create_refused(template(Type="AWS::SSM::Parameter::Value<String>"), given={"P": "/a/b"})
    assert message == "Unable to fetch parameters [/a/b] from parameter store for this account."


def test_no_echo_values_are_masked(lab: Lab) -> None:
    lab.create(template(NoEcho=True), given={"P": "secret"})
    assert lab.stack()["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "****"}]
    assert lab.outputs() == {"It": "secret"}


def test_previous_values(lab: Lab) -> None:
    lab.create(template(), given={"P": "one"})
    keep = [{"ParameterKey": "P", "UsePreviousValue": True}]
    changed = template() | {"Description": "x", "Outputs": {"Other": {"Value": {"Ref": "P"}}}}
    lab.call("UpdateStack", StackName="stack", TemplateBody=json.dumps(changed), Parameters=keep)
    assert lab.outputs() == {"Other": "one"}


def test_previous_values_that_cannot_be(lab: Lab) -> None:
    keep = [{"ParameterKey": "P", "UsePreviousValue": True}]
    body = json.dumps(template())
    error = lab.refused("CreateStack", StackName="s", TemplateBody=body, Parameters=keep)
    assert "not in the previous template" in error.message
    both = [{"ParameterKey": "P", "UsePreviousValue": True, "ParameterValue": "x"}]
    error = lab.refused("CreateStack", StackName="s", TemplateBody=body, Parameters=both)
    assert "Cannot specify usePreviousValue as true and non empty value" in error.message
    twice = [{"ParameterKey": "P", "ParameterValue": "x"}] * 2
    assert "more than once" in lab.refused("CreateStack", StackName="s", TemplateBody=body, Parameters=twice).message
