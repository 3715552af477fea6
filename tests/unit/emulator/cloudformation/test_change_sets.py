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
        ("Modify", "B", "False"),
        ("Add", "D", None),
        ("Remove", "C", None),
    ]
    lab.call("ExecuteChangeSet", ChangeSetName="plan", StackName="stack")
    assert lab.status() == "UPDATE_COMPLETE"


def parameter(value: Any, name: Any = None, **more: Any) -> dict[str, Any]:
    named = {} if name is None else {"Name": name}
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **named, **more}}


def detail(attribute: str, recreation: str, evaluation: str, source: str, cause: str = "") -> dict[str, Any]:
    kind, _, name = attribute.partition(".")
    target = {"Attribute": kind, **({"Name": name} if name else {}), "RequiresRecreation": recreation}
    caused = {"CausingEntity": cause} if cause else {}
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": source, **caused}


def changed(lab: Lab, before: dict[str, Any], after: dict[str, Any], **params: Any) -> dict[str, dict[str, Any]]:
    """What a change set says of each resource that an update from one template to the other touches."""
    lab.call("CreateStack", StackName="stack", TemplateBody=json.dumps(before))
    given = {"StackName": "stack", "ChangeSetName": "plan", "TemplateBody": json.dumps(after)}
    lab.call("CreateChangeSet", **given, **params)
    described = checked(lab, "DescribeChangeSet", ChangeSetName="plan", StackName="stack")
    return {item["ResourceChange"]["LogicalResourceId"]: item["ResourceChange"] for item in described["Changes"]}


def test_a_direct_change_is_static_and_says_whether_it_replaces(lab: Lab) -> None:
    found = changed(
        lab,
        {"Resources": {"A": parameter("v", "/a"), "B": parameter("v", "/b"), "C": parameter("v", "/c")}},
        {"Resources": {"A": parameter("w", "/a"), "B": parameter("w", "/new"), "C": parameter("v", "/c")}},
    )
    assert set(found) == {"A", "B"}
    assert (found["A"]["Replacement"], found["A"]["Scope"]) == ("False", ["Properties"])
    assert found["A"]["Details"] == [detail("Properties.Value", "Never", "Static", "DirectModification")]
    assert (found["B"]["Replacement"], found["B"]["PolicyAction"]) == ("True", "ReplaceAndDelete")
    assert found["B"]["Details"] == [
        detail("Properties.Value", "Never", "Static", "DirectModification"),
        detail("Properties.Name", "Always", "Static", "DirectModification"),
    ]


def test_a_parameters_change_is_listed_twice(lab: Lab) -> None:
    """As in the user guide's example of a changed input parameter."""
    body = {
        "Parameters": {"P": {"Type": "String", "Default": "one"}, "Q": {"Type": "String", "Default": "q"}},
        "Resources": {"A": parameter({"Ref": "P"}, {"Fn::Sub": "/${Q}"}), "B": parameter({"Ref": "Q"})},
    }
    found = changed(lab, body, body, Parameters=[{"ParameterKey": "P", "ParameterValue": "two"}])
    assert set(found) == {"A"}
    assert found["A"]["Details"] == [
        detail("Properties.Value", "Never", "Dynamic", "DirectModification"),
        detail("Properties.Value", "Never", "Static", "ParameterReference", "P"),
    ]
    assert found["A"]["Replacement"] == "False"


def test_what_refers_to_a_replaced_resource_is_replaced_only_where_that_asks_for_it(lab: Lab) -> None:
    def body(name: str) -> dict[str, Any]:
        return {
            "Resources": {
                "A": parameter("v", name),
                "Value": parameter({"Ref": "A"}, "/value"),
                "Name": parameter("v", {"Fn::Sub": "${A}/below"}) | {"UpdateReplacePolicy": "Retain"},
                "After": parameter("v", "/after") | {"DependsOn": "Name"},
                "Third": parameter("v", {"Fn::Sub": "${Name}/below"}),
            }
        }

    found = changed(lab, body("/one"), body("/two"))
    assert {name: item["Replacement"] for name, item in found.items()} == {
        "A": "True", "Value": "False", "Name": "True", "Third": "True",
    }  # fmt: skip
    assert found["Value"]["Details"] == [detail("Properties.Value", "Never", "Static", "ResourceReference", "A")]
    assert found["Name"]["Details"] == [detail("Properties.Name", "Always", "Static", "ResourceReference", "A")]
    assert found["Name"]["PolicyAction"] == "ReplaceAndRetain"


def test_attributes_of_changed_resources_are_dynamic_and_conditions_follow(lab: Lab) -> None:
    def body(display: str) -> dict[str, Any]:
        topic = TOPIC | {"Properties": {"TopicName": "t", "DisplayName": display}}
        named = {"Fn::GetAtt": ["T", "TopicName"]}
        return {
            "Resources": {
                "T": topic,
                "Value": parameter(named, "/value"),
                "Name": parameter("v", named),
                "Below": parameter({"Ref": "Name"}, "/below"),
                "Ref": parameter({"Ref": "T"}, "/ref"),
            }
        }

    found = changed(lab, body("one"), body("two"))
    assert {name: item["Replacement"] for name, item in found.items()} == {
        "T": "False", "Value": "False", "Name": "Conditional", "Below": "False",
    }  # fmt: skip
    cause = ("Dynamic", "ResourceAttribute", "T.TopicName")
    assert found["Value"]["Details"] == [detail("Properties.Value", "Never", *cause)]
    assert found["Name"]["Details"] == [detail("Properties.Name", "Always", *cause)]
    assert found["Below"]["Details"] == [
        detail("Properties.Value", "Never", "Dynamic", "ResourceReference", "Name"),
    ]
    assert "PolicyAction" not in found["Name"]


def test_tags_metadata_and_policies_are_scopes_of_their_own(lab: Lab) -> None:
    before = {
        "Resources": {"T": TOPIC | {"Properties": {"TopicName": "t"}}, "Gone": TOPIC | {"DeletionPolicy": "Retain"}}
    }
    after = {
        "Resources": {
            "T": TOPIC | {"Properties": {"TopicName": "t"}, "Metadata": {"a": "b"}, "DeletionPolicy": "Retain"}
        }
    }
    found = changed(lab, before, after, Tags=[{"Key": "k", "Value": "v"}])
    assert found["T"]["Scope"] == ["Tags", "Metadata", "DeletionPolicy"]
    assert found["T"]["Details"] == [
        detail("Tags", "Never", "Static", "DirectModification"),
        detail("Metadata", "Never", "Static", "DirectModification"),
        detail("DeletionPolicy", "Never", "Static", "DirectModification"),
    ]
    assert (found["T"]["Replacement"], found["Gone"]["PolicyAction"]) == ("False", "Retain")
    assert "Replacement" not in found["Gone"]


def test_a_conditional_create_only_property_says_conditionally(lab: Lab) -> None:
    def body(text: str) -> dict[str, Any]:
        content = {"schemaVersion": "2.2", "mainSteps": [], "description": text}
        return {"Resources": {"D": {"Type": "AWS::SSM::Document", "Properties": {"Content": content}}}}

    found = changed(lab, body("one"), body("two"))
    assert found["D"]["Replacement"] == "Conditional"
    assert found["D"]["Details"] == [detail("Properties.Content", "Conditionally", "Static", "DirectModification")]


def test_what_cannot_be_evaluated_beforehand_is_conditional(lab: Lab) -> None:
    after = {"Resources": {"A": parameter({"Fn::ImportValue": "nobodys"}, "/a")}}
    found = changed(lab, {"Resources": {"A": parameter("v", "/a")}}, after)
    assert (found["A"]["Replacement"], found["A"]["Details"]) == ("Conditional", [])


def test_the_change_sets_of_a_stack(lab: Lab) -> None:
    lab.create(template("one"))
    plan(lab, template("two"), name="first")
    plan(lab, template("one"), name="second")
    found = checked(lab, "ListChangeSets", StackName="stack")["Summaries"]
    assert [(item["ChangeSetName"], item["Status"]) for item in found] == [
        ("first", "CREATE_COMPLETE"), ("second", "FAILED"),
    ]  # fmt: skip
    assert lab.refused("ListChangeSets", StackName="no").message == "Stack [no] does not exist"


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
