"""What depends on what: order of creation and deletion, cycles, names that are not there."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import TOPIC, Lab


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}} | more


def shown(*references: Any) -> dict[str, Any]:
    return {"Properties": {"DisplayName": {"Fn::Join": ["", list(references)]}}}


def test_resources_follow_what_they_depend_on_and_else_the_template(lab: Lab) -> None:
    resources = {
        "A": named("a", DependsOn="C"),
        "B": named("b"),
        "C": TOPIC | {"Properties": {"TopicName": "c", "DisplayName": {"Ref": "D"}}},
        "D": named("d", DependsOn=["B"]),
    }
    lab.create({"Resources": resources})
    assert [params["Name"] for _, _, params, _ in lab.neighbour.calls] == ["b", "d", "c", "a"]
    lab.call("DeleteStack", StackName="stack")
    deleted = [params["TopicArn"][-1] for _, name, params, _ in lab.neighbour.calls if name == "DeleteTopic"]
    assert deleted == ["a", "c", "d", "b"]


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"A": named("a", DependsOn="B"), "B": named("b", DependsOn="A")}, "resources: [A, B]"),
        ({"A": TOPIC | shown({"Ref": "A"})}, "resources: [A]"),
        (
            {
                "A": TOPIC | shown({"Fn::GetAtt": ["B", "TopicArn"]}),
                "B": TOPIC | shown({"Fn::Sub": "${C}"}),
                "C": named("c", DependsOn="A"),
                "D": named("d", DependsOn="A"),
                "E": named("e"),
            },
            "resources: [A, B, C]",
        ),
    ],
)
def test_cycles_are_named_without_those_who_only_wait(lab: Lab, resources: Any, message: str) -> None:
    assert lab.create_refused({"Resources": resources}) == f"Circular dependency between {message}"


@pytest.mark.parametrize(
    "resource",
    [named("a", DependsOn="X"), TOPIC | shown({"Ref": "X"}), TOPIC | shown({"Fn::Sub": "${X}"})],
)
def test_names_that_are_not_there(lab: Lab, resource: Any) -> None:
    message = "Template format error: Unresolved resource dependencies [X] in the Resources block of the template"
    assert lab.create_refused({"Resources": {"A": resource}}) == message


def test_a_resource_whose_condition_is_false_cannot_be_referred_to(lab: Lab) -> None:
    no = {"Conditions": {"No": {"Fn::Equals": ["a", "b"]}}}
    gone = named("x", Condition="No")
    message = "Template format error: Unresolved resource dependencies [X] in the Resources block of the template"
    assert lab.create_refused(no | {"Resources": {"X": gone, "A": TOPIC | shown({"Ref": "X"})}}) == message
    outputs = {"Outputs": {"O": {"Value": {"Ref": "X"}}}}
    assert "[X] in the Outputs block" in lab.create_refused(no | outputs | {"Resources": {"X": gone, "A": TOPIC}})


def test_but_in_a_branch_that_is_not_taken_it_can(lab: Lab) -> None:
    either = {"Fn::If": ["No", {"Ref": "X"}, "none"]}
    template = {
        "Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"X": named("x", Condition="No"), "A": TOPIC | shown(either)},
        "Outputs": {"O": {"Value": {"Ref": "X"}, "Condition": "No"}},
    }
    assert lab.create(template) == "CREATE_COMPLETE"
    assert lab.neighbour.last("CreateTopic")["Attributes"] == {"DisplayName": "none"}
