"""Change sets, as ``aws cloudformation deploy`` uses them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import LOG_GROUP, TOPIC, Lab
from tests.unit.emulator.cloudformation.test_describe import checked

from patchgate.emulator.cloud import Result


def template(name: str, **more: Any) -> dict[str, Any]:
    shown = TOPIC | {"Properties": {"TopicName": "shown", "DisplayName": {"Ref": "A"}}}
    return {"Resources": {"A": TOPIC | {"Properties": {"TopicName": name}}, "B": shown, **more}}


def plan(lab: Lab, body: dict[str, Any], kind: str = "UPDATE", name: str = "plan") -> Result:
    lab.call(
        "CreateChangeSet", StackName="stack", ChangeSetName=name, ChangeSetType=kind, TemplateBody=json.dumps(body)
    )
    return checked(lab, "DescribeChangeSet", ChangeSetName=name, StackName="stack")


def actions(described: Result) -> list[tuple[str, str, str | None]]:
    changes = [item["ResourceChange"] for item in described["Changes"]]
    return [(item["Action"], item["LogicalResourceId"], item.get("Replacement")) for item in changes]


def test_create_describe_execute(lab: Lab) -> None:
    described = plan(lab, template("one"), "CREATE")
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert actions(described) == [("Add", "A", None), ("Add", "B", None)]
    assert lab.status() == "REVIEW_IN_PROGRESS"
    assert lab.neighbour.calls == []
    lab.call("ExecuteChangeSet", ChangeSetName=described["ChangeSetId"])
    assert lab.status() == "CREATE_COMPLETE"
    assert lab.neighbour.names() == ["CreateTopic", "CreateTopic"]


def test_an_update_says_what_it_replaces_and_what_that_may_change(lab: Lab) -> None:
    lab.create(template("one", C=LOG_GROUP))
    described = plan(lab, template("two", D=LOG_GROUP))
    assert actions(described) == [
        ("Modify", "A", "True"),
        ("Modify", "B", "Conditional"),
        ("Add", "D", None),
        ("Remove", "C", None),
    ]
    lab.call("ExecuteChangeSet", ChangeSetName="plan", StackName="stack")
    assert lab.status() == "UPDATE_COMPLETE"


def test_nothing_to_change(lab: Lab) -> None:
    lab.create(template("one"))
    described = plan(lab, template("one"))
    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in described["StatusReason"]
    error = lab.refused("ExecuteChangeSet", ChangeSetName="plan", StackName="stack")
    assert error.code == "InvalidChangeSetStatusException"


def test_execution_makes_the_others_obsolete(lab: Lab) -> None:
    lab.create(template("one"))
    plan(lab, template("two"), name="first")
    plan(lab, template("three"), name="second")
    lab.call("ExecuteChangeSet", ChangeSetName="first", StackName="stack")
    assert lab.refused("ExecuteChangeSet", ChangeSetName="second", StackName="stack").code == (
        "InvalidChangeSetStatusException"
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ChangeSetName": "1"}, "at 'changeSetName' failed to satisfy constraint"),
        ({"StackName": "absent"}, "Stack [absent] does not exist"),
        ({"ChangeSetType": "CREATE"}, "already exists and cannot be created again with the changeSet [plan]"),
        ({"TemplateBody": "Resources: {A: {Type: 'AWS::No::No'}}"}, "Unrecognized resource types: [AWS::No::No]"),
    ],
)
def test_what_is_refused(lab: Lab, params: dict[str, Any], message: str) -> None:
    lab.create(template("one"))
    given = {"StackName": "stack", "ChangeSetName": "plan", "TemplateBody": json.dumps(template("two"))} | params
    assert message in lab.refused("CreateChangeSet", **given).message


def test_a_refused_creation_leaves_no_stack(lab: Lab) -> None:
    lab.refused("CreateChangeSet", StackName="stack", ChangeSetName="plan", ChangeSetType="CREATE", TemplateBody="a: b")
    assert lab.call("DescribeStacks") == {"Stacks": []}


def test_change_sets_go_with_their_stack(lab: Lab) -> None:
    described = plan(lab, template("one"), "CREATE")
    lab.call("DeleteStack", StackName="stack")
    assert lab.status() == "DELETE_COMPLETE"
    error = lab.refused("ExecuteChangeSet", ChangeSetName=described["ChangeSetId"])
    assert error.code == "ChangeSetNotFoundException"


def test_a_name_is_taken_once(lab: Lab) -> None:
    plan(lab, template("one"), "CREATE")
    given = {"StackName": "stack", "ChangeSetName": "plan", "ChangeSetType": "CREATE", "TemplateBody": "{}"}
    assert lab.refused("CreateChangeSet", **given).code == "AlreadyExistsException"


def test_deleted_and_absent_change_sets(lab: Lab) -> None:
    lab.create(template("one"))
    plan(lab, template("two"))
    assert lab.call("DeleteChangeSet", ChangeSetName="plan", StackName="stack") == {}
    assert lab.call("DeleteChangeSet", ChangeSetName="plan", StackName="stack") == {}
    error = lab.refused("DescribeChangeSet", ChangeSetName="plan", StackName="stack")
    assert (error.code, error.message) == ("ChangeSetNotFoundException", "ChangeSet [plan] does not exist")
