"""UpdateStack: in place, by replacement, cleanup, rollback; and DeleteStack."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import LOG_GROUP, TOPIC, Lab, only
from tests.unit.emulator.cloudformation.test_create import IMPORTING, exporting
from tests.unit.emulator.cloudformation.test_schemas import WINDOW

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.errors import AwsError

REFUSAL = AwsError("LimitExceededException", "too many")


def topics(**names: str) -> dict[str, Any]:
    return {"Resources": {key: TOPIC | {"Properties": {"DisplayName": text}} for key, text in names.items()}}


def test_in_place(lab: Lab) -> None:
    lab.create(topics(A="one", B="same"))
    before = lab.call("DescribeStackResource", StackName="stack", LogicalResourceId="A")["StackResourceDetail"]
    assert lab.update(topics(A="two", B="same")) == "UPDATE_COMPLETE"
    after = lab.call("DescribeStackResource", StackName="stack", LogicalResourceId="A")["StackResourceDetail"]
    assert after["PhysicalResourceId"] == before["PhysicalResourceId"]
    assert lab.neighbour.names()[2:] == ["SetTopicAttributes"]
    assert lab.events()[-5:] == [
        ("stack", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_COMPLETE"),
        ("stack", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("stack", "UPDATE_COMPLETE"),
    ]


def test_added_and_removed(lab: Lab) -> None:
    lab.create(topics(A="one", B="two"))
    lab.update(topics(B="two", C="three"))
    assert lab.neighbour.names() == ["CreateTopic", "CreateTopic", "CreateTopic", "DeleteTopic"]
    listed = lab.call("ListStackResources", StackName="stack")["StackResourceSummaries"]
    assert [item["LogicalResourceId"] for item in listed] == ["B", "C"]


def test_replacement_makes_the_new_one_first_and_tells_its_dependents(lab: Lab) -> None:
    def template(name: str) -> dict[str, Any]:
        shown = TOPIC | {"Properties": {"TopicName": "shown", "DisplayName": {"Ref": "A"}}}
        return {"Resources": {"A": TOPIC | {"Properties": {"TopicName": name}}, "B": shown}}

    lab.create(template("one"))
    assert lab.update(template("two")) == "UPDATE_COMPLETE"
    assert lab.neighbour.names()[2:] == ["CreateTopic", "SetTopicAttributes", "DeleteTopic"]
    assert lab.neighbour.last("SetTopicAttributes")["AttributeValue"].endswith(":two")
    assert lab.neighbour.last("DeleteTopic")["TopicArn"].endswith(":one")


def test_a_replaced_resource_may_be_retained(lab: Lab) -> None:
    lab.create(only(TOPIC | {"UpdateReplacePolicy": "Retain"}, TopicName="one"))
    lab.update(only(TOPIC | {"UpdateReplacePolicy": "Retain"}, TopicName="two"))
    assert "DeleteTopic" not in lab.neighbour.names()
    assert ("It", "DELETE_SKIPPED") in lab.events()


def test_a_custom_name_cannot_be_replaced(lab: Lab) -> None:
    topic = only(TOPIC, TopicName="mine.fifo", FifoTopic=True)
    lab.create(topic)
    assert lab.update(only(TOPIC, TopicName="mine.fifo", FifoTopic=False)) == "UPDATE_ROLLBACK_COMPLETE"
    message = (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename mine.fifo and "
        "update the stack again."
    )
    assert lab.reason("It", "UPDATE_FAILED") == message


def test_a_failed_update_takes_everything_back(lab: Lab) -> None:
    lab.create(topics(A="one", Z="last"))
    listed = lab.call("DescribeStackResources", StackName="stack")["StackResources"]
    physical = {item["PhysicalResourceId"] for item in listed}
    broken = topics(A="two")["Resources"] | {
        "N": TOPIC | {"DependsOn": "A"},
        "Z": TOPIC | {"Properties": {"TopicName": "other"}, "DependsOn": "N"},
        "Bad": LOG_GROUP | {"DependsOn": "Z"},
    }
    lab.neighbour.fail["CreateLogGroup"] = REFUSAL
    assert lab.update({"Resources": broken}, Tags=[]) == "UPDATE_ROLLBACK_COMPLETE"
    assert lab.neighbour.names()[2:] == [
        "SetTopicAttributes",
        "CreateTopic",
        "CreateTopic",
        "CreateLogGroup",
        "SetTopicAttributes",
        "DeleteTopic",
        "DeleteTopic",
    ]
    assert lab.neighbour.last("SetTopicAttributes")["AttributeValue"] == "one"
    listed = lab.call("DescribeStackResources", StackName="stack")["StackResources"]
    assert {item["PhysicalResourceId"] for item in listed} == physical
    assert lab.call("GetTemplate", StackName="stack")["TemplateBody"].count("Bad") == 0
    assert lab.reason("stack", "UPDATE_ROLLBACK_IN_PROGRESS") == "The following resource(s) failed to update: [Bad]."
    assert lab.update(topics(A="two", Z="last")) == "UPDATE_COMPLETE"


def test_a_rollback_that_fails(lab: Lab) -> None:
    lab.create(topics(A="one"))
    lab.neighbour.fail["SetTopicAttributes"] = REFUSAL
    assert lab.update(topics(A="two")) == "UPDATE_ROLLBACK_FAILED"
    error = lab.refused("UpdateStack", StackName="stack", UsePreviousTemplate=True)
    assert "is in UPDATE_ROLLBACK_FAILED state and can not be updated." in error.message


def test_a_rollback_that_failed_is_continued(lab: Lab) -> None:
    lab.create(topics(A="one"))
    lab.neighbour.fail["SetTopicAttributes"] = REFUSAL
    assert lab.update(topics(A="two", B="new")) == "UPDATE_ROLLBACK_FAILED"
    lab.call("ContinueUpdateRollback", StackName="stack")
    assert lab.status() == "UPDATE_ROLLBACK_FAILED"
    del lab.neighbour.fail["SetTopicAttributes"]
    lab.call("ContinueUpdateRollback", StackName="stack")
    assert lab.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert lab.neighbour.last("SetTopicAttributes")["AttributeValue"] == "one"
    assert lab.update(topics(A="three")) == "UPDATE_COMPLETE"
    error = lab.refused("ContinueUpdateRollback", StackName="stack")
    assert "is in UPDATE_COMPLETE state and can not continue rollback." in error.message


def test_what_cannot_be_rolled_back_is_skipped(lab: Lab) -> None:
    lab.create(topics(A="one"))
    lab.neighbour.fail["SetTopicAttributes"] = REFUSAL
    lab.update(topics(A="two"))
    error = lab.refused("ContinueUpdateRollback", StackName="stack", ResourcesToSkip=["B"])
    assert "[B] did not fail to roll back" in error.message
    lab.call("ContinueUpdateRollback", StackName="stack", ResourcesToSkip=["A"])
    assert lab.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert "skipped" in lab.reason("A", "UPDATE_COMPLETE")


def test_disabled_rollback(lab: Lab) -> None:
    lab.create(topics(A="one"))
    lab.neighbour.fail["SetTopicAttributes"] = REFUSAL
    assert lab.update(topics(A="two"), DisableRollback=True) == "UPDATE_FAILED"


def test_a_cleanup_that_fails_does_not_fail_the_update(lab: Lab) -> None:
    lab.create(topics(A="one", B="two"))
    lab.neighbour.fail["DeleteTopic"] = REFUSAL
    assert lab.update(topics(A="one")) == "UPDATE_COMPLETE"
    assert ("B", "DELETE_FAILED") in lab.events()


def test_nothing_to_update(lab: Lab) -> None:
    lab.create(topics(A="one"))
    for template in (topics(A="one"), topics(A="one") | {"Description": "new"}):
        with pytest.raises(AwsError) as caught:
            lab.update(template)
        assert caught.value.message == "No updates are to be performed."


@pytest.mark.parametrize(
    "change",
    [
        {"Outputs": {"O": {"Value": "x"}}},
        {"Resources": {"A": TOPIC | {"Metadata": {"a": "b"}}}},
        {"Resources": {"A": TOPIC | {"DeletionPolicy": "Retain"}}},
    ],
)
def test_what_counts_as_an_update(lab: Lab, change: dict[str, Any]) -> None:
    lab.create({"Resources": {"A": TOPIC}})
    assert lab.update({"Resources": {"A": TOPIC}} | change) == "UPDATE_COMPLETE"
    assert lab.neighbour.names() == ["CreateTopic"]


def test_stack_tags_are_an_update_of_every_taggable_resource(lab: Lab) -> None:
    lab.create(topics(A="one"), Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    lab.update(topics(A="one"), Tags=[{"Key": "a", "Value": "3"}])
    assert lab.neighbour.last("TagResource")["Tags"] == [{"Key": "a", "Value": "3"}]
    assert lab.neighbour.last("UntagResource")["TagKeys"] == ["b"]


def test_tags_stay_when_an_update_does_not_speak_of_them(lab: Lab) -> None:
    tags = [{"Key": "a", "Value": "1"}]
    lab.create(topics(A="one"), Tags=tags)
    lab.update(topics(A="two"))
    assert lab.stack()["Tags"] == tags


def test_a_type_cannot_change(lab: Lab) -> None:
    lab.create({"Resources": {"A": TOPIC}})
    with pytest.raises(AwsError, match=r"modifies resource type of the following resources: \[A\]"):
        lab.update({"Resources": {"A": LOG_GROUP}})


def test_a_stack_that_never_was_cannot_be_updated(lab: Lab) -> None:
    assert lab.refused("UpdateStack", StackName="x", TemplateBody="a: b").message == "Stack [x] does not exist"
    lab.neighbour.fail["CreateTopic"] = REFUSAL
    lab.create(topics(A="one"))
    error = lab.refused("UpdateStack", StackName="stack", UsePreviousTemplate=True)
    assert "is in ROLLBACK_COMPLETE state and can not be updated." in error.message


@pytest.mark.parametrize(
    ("enables", "before", "after"), [(True, False, True), (False, False, False), (False, True, True)]
)
def test_an_update_of_a_window_and_whether_it_enables_it(enables: bool, before: bool, after: bool) -> None:
    lab = Lab(assumptions=Assumptions(stack_update_enables_window=enables))
    lab.neighbour.window_enabled = before
    lab.create(only(WINDOW))
    lab.update(only(WINDOW), Tags=[{"Key": "a", "Value": "b"}])
    assert lab.neighbour.last("UpdateMaintenanceWindow")["Enabled"] is after


def test_an_update_elsewhere_does_not_touch_the_window(lab: Lab) -> None:
    def template(text: str) -> dict[str, Any]:
        return {"Resources": only(WINDOW)["Resources"] | topics(A=text)["Resources"]}

    lab.create(template("one"))
    lab.update(template("two"))
    assert "UpdateMaintenanceWindow" not in lab.neighbour.names()


def test_an_export_in_use_can_neither_change_nor_go(lab: Lab) -> None:
    lab.create(exporting("shared"), name="exporter")
    lab.create(IMPORTING, name="importer")
    assert lab.update(exporting("shared", "y"), name="exporter") == "UPDATE_ROLLBACK_COMPLETE"
    assert "Cannot update export shared as it is in use by importer." in lab.reason(
        "exporter", "UPDATE_ROLLBACK_IN_PROGRESS", "exporter"
    )
    lab.call("DeleteStack", StackName="exporter")
    assert lab.status("exporter") == "DELETE_FAILED"
    assert "Cannot delete export shared as it is in use by importer." in lab.stack("exporter")["StackStatusReason"]
    lab.call("DeleteStack", StackName="importer")
    lab.call("DeleteStack", StackName="exporter")
    assert lab.call("ListExports") == {"Exports": []}


def test_delete(lab: Lab) -> None:
    lab.create(topics(A="one", B="two"))
    stack_id = lab.stack()["StackId"]
    assert lab.call("DeleteStack", StackName="stack") == {}
    assert lab.neighbour.names().count("DeleteTopic") == 2
    error = lab.refused("DescribeStacks", StackName="stack")
    assert (error.code, error.message) == ("ValidationError", "Stack with id stack does not exist")
    assert lab.call("DescribeStacks", StackName=stack_id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_deleting_what_is_not_there_is_no_error(lab: Lab) -> None:
    assert lab.call("DeleteStack", StackName="absent") == {}
    lab.create(topics(A="one"))
    lab.neighbour.fail["DeleteTopic"] = AwsError("NotFound", "no such topic")
    lab.call("DeleteStack", StackName="stack")
    assert lab.status() == "DELETE_COMPLETE"


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_retained_resources_stay(lab: Lab, policy: str) -> None:
    lab.create({"Resources": {"A": TOPIC | {"DeletionPolicy": policy}}})
    lab.call("DeleteStack", StackName="stack")
    assert lab.neighbour.names() == ["CreateTopic"]
    assert lab.events()[-2:] == [("A", "DELETE_SKIPPED"), ("stack", "DELETE_COMPLETE")]


def test_a_delete_that_fails_can_be_repeated_and_what_resists_be_retained(lab: Lab) -> None:
    resources = {"Base": LOG_GROUP, "A": TOPIC | {"DependsOn": "Base"}, "Other": {"Type": "AWS::SQS::Queue"}}
    lab.create({"Resources": resources})
    lab.neighbour.fail["DeleteTopic"] = REFUSAL
    assert "valid state" in lab.refused("DeleteStack", StackName="stack", RetainResources=["A"]).message
    lab.call("DeleteStack", StackName="stack")
    assert lab.status() == "DELETE_FAILED"
    assert lab.stack()["StackStatusReason"] == "The following resource(s) failed to delete: [A]. "
    assert "DeleteQueue" in lab.neighbour.names()
    assert "DeleteLogGroup" not in lab.neighbour.names()
    assert "[X] do not exist" in lab.refused("DeleteStack", StackName="stack", RetainResources=["X"]).message
    lab.call("DeleteStack", StackName="stack", RetainResources=["A"])
    assert lab.status() == "DELETE_COMPLETE"
    assert lab.neighbour.names().count("DeleteQueue") == 1


def test_termination_protection(lab: Lab) -> None:
    lab.create(topics(A="one"), EnableTerminationProtection=True)
    error = lab.refused("DeleteStack", StackName="stack")
    assert error.message == "Stack [stack] cannot be deleted while TerminationProtection is enabled"
