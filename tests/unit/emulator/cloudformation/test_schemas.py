"""Properties held against the registry's schemas: coercion, problems in CloudFormation's words, replacement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import Lab, only

from patchgate.emulator.cloudformation.providers import PROVIDERS
from patchgate.emulator.cloudformation.schemas import schema_of, type_exists, values_at
from patchgate.emulator.cloudformation.validation import ANNOTATIONS, KEYWORDS

WINDOW: dict[str, Any] = {
    "Type": "AWS::SSM::MaintenanceWindow",
    "Properties": {
        "Name": "window",
        "Schedule": "cron(0 23 ? * 7 *)",
        "Duration": 3,
        "Cutoff": 1,
        "AllowUnassociatedTargets": False,
    },
}


def test_scalars_are_coerced_both_ways(lab: Lab) -> None:
    assert lab.create(only(WINDOW, Duration="3", AllowUnassociatedTargets="true", Description=12)) == "CREATE_COMPLETE"
    params = lab.neighbour.last("CreateMaintenanceWindow")
    assert (params["Duration"], params["AllowUnassociatedTargets"], params["Description"]) == (3, True, "12")


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"Enabled": True}, "#: extraneous key [Enabled] is not permitted"),
        ({"Duration": "three"}, "#/Duration: expected type: Integer, found: String"),
        ({"Duration": 25}, "#/Duration: failed validation constraint for keyword [maximum]"),
        ({"Cutoff": -1}, "#/Cutoff: failed validation constraint for keyword [minimum]"),
        ({"Name": "no spaces"}, "#/Name: failed validation constraint for keyword [pattern]"),
        ({"Name": ["x"]}, "#/Name: expected type: String, found: JSONArray"),
        ({"Schedule": ""}, "#/Schedule: failed validation constraint for keyword [minLength]"),
        ({"Description": "d" * 129}, "#/Description: failed validation constraint for keyword [maxLength]"),
        ({"Tags": [{"Key": "a"}]}, "#/Tags/0: required key [Value] not found"),
        ({"Tags": [{"Key": "a", "Value": "b", "C": "d"}]}, "#/Tags/0: extraneous key [C] is not permitted"),
        ({"Tags": [{"Key": "a;b", "Value": "b"}]}, "#/Tags/0/Key: failed validation constraint for keyword [pattern]"),
        ({"Tags": {"a": "b"}}, "#/Tags: expected type: JSONArray, found: JSONObject"),
        ({"WindowId": "mw-1"}, "#: read-only property [WindowId] is not permitted"),
    ],
)
def test_properties_that_do_not_fit_fail_the_resource(lab: Lab, properties: dict[str, Any], problem: str) -> None:
    assert lab.create(only(WINDOW, **properties)) == "ROLLBACK_COMPLETE"
    head = "Properties validation failed for resource It with message:\n"
    assert lab.reason("It", "CREATE_FAILED") == head + problem
    assert lab.neighbour.calls == []


def test_every_problem_is_named_at_once(lab: Lab) -> None:
    lab.create(only({"Type": WINDOW["Type"]}, Enabled=True, Cutoff=24))
    lines = lab.reason("It", "CREATE_FAILED").splitlines()[1:]
    missing = {f"#: required key [{name}] not found" for name in ("AllowUnassociatedTargets", "Schedule", "Duration")}
    assert missing < set(lines)
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("kind", "properties", "problem"),
    [
        (
            "AWS::CloudWatch::Alarm",
            {"ComparisonOperator": "Equals", "EvaluationPeriods": 1, "Threshold": 1, "MetricName": "m"},
            "keyword [enum]",
        ),
        ("AWS::SSM::PatchBaseline", {"Name": "base", "OperatingSystem": "BEOS"}, "#/OperatingSystem: failed"),
        ("AWS::Lambda::Function", {"Role": "role", "Code": {"ZipFile": ""}}, "#/Role: failed validation constraint"),
        ("AWS::Backup::BackupPlan", {"BackupPlan": {}}, "#/BackupPlan: required key [BackupPlanRule] not found"),
        ("AWS::SNS::Subscription", {"Protocol": "sqs"}, "#: required key [TopicArn] not found"),
    ],
)
def test_other_types(lab: Lab, kind: str, properties: dict[str, Any], problem: str) -> None:
    assert lab.create(only({"Type": kind}, **properties)) == "ROLLBACK_COMPLETE"
    assert problem in lab.reason("It", "CREATE_FAILED")


def test_types_are_those_of_the_region() -> None:
    assert type_exists("eu-central-1", "AWS::Backup::RestoreTestingPlan")
    assert not type_exists("cn-north-1", "AWS::Backup::RestoreTestingPlan")
    assert not type_exists("eu-central-1", "AWS::SSM::Nothing")
    assert type_exists("a-region-of-tomorrow-1", "AWS::SSM::MaintenanceWindow")


def test_create_only_properties_replace() -> None:
    schema = schema_of("eu-central-1", "AWS::SSM::MaintenanceWindowTask")
    assert schema.replaced_by({"WindowId": "a", "TaskArn": "x"}, {"WindowId": "a", "TaskArn": "y"}) == []
    assert schema.replaced_by({"WindowId": "a", "TaskArn": "x"}, {"WindowId": "b", "TaskArn": "x"}) == ["WindowId"]
    assert schema.replaced_by({"TaskType": "LAMBDA"}, {}) == ["TaskType"]


def test_pointers_reach_into_lists() -> None:
    assert values_at({"A": [{"B": 1}, {"C": 2}, {"B": 3}]}, ("A", "*", "B")) == [1, 3]
    assert values_at({"A": 1}, ("A", "B")) == []


def _schemas(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        yield node
        for key in ("properties", "patternProperties", "definitions"):
            for item in node.get(key, {}).values():
                yield from _schemas(item)
        for key in ("items", "additionalProperties", "not"):
            yield from _schemas(node.get(key))
        for key in ("allOf", "anyOf", "oneOf"):
            for item in node.get(key, ()):
                yield from _schemas(item)


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_every_keyword_of_an_emulated_type_is_known(kind: str) -> None:
    document = schema_of("us-east-1", kind).document
    parts = {name: document[name] for name in ("properties", "definitions") if name in document}
    used = {keyword for node in _schemas(parts) for keyword in node}
    assert used <= KEYWORDS | ANNOTATIONS


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_a_provider_fits_its_schema(kind: str) -> None:
    provider, schema = PROVIDERS[kind], schema_of("us-east-1", kind)
    assert provider.supported <= set(schema.document["properties"])
    read_only = {pointer[0] for pointer in schema.read_only if len(pointer) == 1}
    assert not provider.supported & read_only
    assert provider.attributes <= set(schema.document["properties"])
    assert schema.tag_property is None or schema.tag_property in provider.supported
    assert provider.name_property in ("", *schema.document["properties"])
