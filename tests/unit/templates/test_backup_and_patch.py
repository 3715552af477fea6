"""The backup-and-patch template: backups, baselines, window, runbook."""

from __future__ import annotations

from typing import Any

import pytest

from patchgate.domain.operating_systems import operating_systems
from patchgate.templates import Template
from patchgate.templates.baselines import MAXIMUM_FILTER_VALUES
from patchgate.templates.gate_code import build_bundle
from patchgate.templates.intrinsics import is_intrinsic, walk

Properties = dict[str, Any]


def _properties(template: Template, name: str) -> Properties:
    properties = template.resources[name]["Properties"]
    assert isinstance(properties, dict)
    return properties


def _step(template: Template, name: str) -> Properties:
    steps: list[Properties] = _properties(template, "InstallRunbook")["Content"]["mainSteps"]
    return next(step for step in steps if step["name"] == name)


def test_backups_are_selected_by_arn_and_by_both_tags(patching: Template) -> None:
    selection = _properties(patching, "BackupSelection")["BackupSelection"]
    assert "ListOfTags" not in selection
    assert selection["Resources"] == [
        {
            "Fn::If": [
                "SelectInstances",
                {"Fn::Sub": "arn:${AWS::Partition}:ec2:*:*:instance/*"},
                {"Ref": "AWS::NoValue"},
            ]
        },
        {"Fn::If": ["SelectVolumes", {"Fn::Sub": "arn:${AWS::Partition}:ec2:*:*:volume/*"}, {"Ref": "AWS::NoValue"}]},
    ]
    assert {c["ConditionKey"]: c["ConditionValue"] for c in selection["Conditions"]["StringEquals"]} == {
        "aws:ResourceTag/PatchGroup": {"Fn::Sub": "${TargetOperatingSystem}-patch-group-${Environment}"},
        "aws:ResourceTag/ToBackupAndPatch": "true",
    }


@pytest.mark.parametrize(
    ("choice", "instances", "volumes"),
    [("instances", True, False), ("volumes", False, True), ("instances-and-volumes", True, True)],
)
def test_what_is_backed_up_is_chosen(patching: Template, choice: str, instances: bool, volumes: bool) -> None:
    for name, expected in (("SelectInstances", instances), ("SelectVolumes", volumes)):
        ((equal,),) = patching.conditions[name].values()
        reference, value = equal["Fn::Equals"]
        assert reference == {"Ref": "BackupResources"}
        assert (choice != value) is expected


def test_kept_vault_and_role_can_be_used_again(patching: Template) -> None:
    assert patching.resources["BackupVault"]["Condition"] == "CreateVault"
    assert patching.resources["AWSBackupDefaultServiceRole"]["Condition"] == "CreateRole"
    (rule,) = _properties(patching, "BackupPlan")["BackupPlan"]["BackupPlanRule"]
    assert rule["TargetBackupVault"]["Fn::If"][0] == "CreateVault"
    role = _properties(patching, "BackupSelection")["BackupSelection"]["IamRoleArn"]["Fn::If"]
    assert role[0] == "CreateRole"
    assert role[2]["Fn::Sub"].startswith("arn:${AWS::Partition}:iam::${AWS::AccountId}:role${IamRolePath}AWSBackup-")


def test_every_operating_system_has_a_baseline_for_the_lanes_patch_group(patching: Template) -> None:
    for family in operating_systems():
        for baseline in family.baselines:
            properties = _properties(patching, baseline.logical_id)
            assert properties["OperatingSystem"] == baseline.operating_system
            assert properties["PatchGroups"] == [{"Fn::Sub": f"{family.name}-patch-group-${{Environment}}"}]
            assert "DefaultBaseline" not in properties
            condition = patching.conditions[patching.resources[baseline.logical_id]["Condition"]]
            assert condition == {"Fn::Equals": [{"Ref": "TargetOperatingSystem"}, family.name]}


def test_approval_is_immediate_where_delays_are_not_supported(patching: Template) -> None:
    delays = {
        name: resource["Properties"]["ApprovalRules"]["PatchRules"][0]["ApproveAfterDays"]
        for name, resource in patching.resources.items()
        if resource["Type"] == "AWS::SSM::PatchBaseline"
    }
    assert {name for name, delay in delays.items() if delay == 0} == {"UbuntuPatchBaseline", "DebianPatchBaseline"}
    assert {str(delay) for delay in delays.values() if delay != 0} == {str({"Ref": "ApproveAfterDays"})}


def test_no_default_has_more_products_than_a_filter_holds(patching: Template) -> None:
    lists = [p for p in patching.parameters if p.type == "CommaDelimitedList"]
    assert len(lists) == sum(len(family.baselines) for family in operating_systems())
    assert all(len(str(p.default).split(",")) <= MAXIMUM_FILTER_VALUES for p in lists)


def test_both_tasks_end_at_the_cutoff_and_deliver_at_once(patching: Template) -> None:
    scan = _properties(patching, "SsmMaintenanceWindowTaskScan")
    install = _properties(patching, "SsmMaintenanceWindowTaskInstall")
    assert [task["CutoffBehavior"] for task in (scan, install)] == ["CANCEL_TASK", "CANCEL_TASK"]
    assert [task["Priority"] for task in (install, scan)] == [1, 2]
    command = scan["TaskInvocationParameters"]["MaintenanceWindowRunCommandParameters"]
    assert command["TimeoutSeconds"] == 60
    assert command["Parameters"]["Operation"] == ["Scan"]
    assert _step(patching, "install")["inputs"]["TimeoutSeconds"] == 60


def test_installs_go_through_the_runbook_one_instance_at_a_time(patching: Template) -> None:
    install = _properties(patching, "SsmMaintenanceWindowTaskInstall")
    assert (install["TaskType"], install["TaskArn"]) == ("AUTOMATION", {"Ref": "InstallRunbook"})
    automation = install["TaskInvocationParameters"]["MaintenanceWindowAutomationParameters"]
    assert automation == {
        "DocumentVersion": "$DEFAULT",
        "Parameters": {
            "InstanceId": ["{{RESOURCE_ID}}"],
            "AutomationAssumeRole": [{"Fn::GetAtt": ["ProveRole", "Arn"]}],
        },
    }


def test_the_windows_id_travels_in_a_parameter(patching: Template) -> None:
    assert _properties(patching, "WindowIdParameter") == {
        "Name": {"Fn::Sub": "/patchgate/${TargetOperatingSystem}/${Environment}/window-id"},
        "Type": "String",
        "Value": {"Ref": "SsmMaintenanceWindow"},
    }


def test_documents_with_fixed_names_can_be_updated(patching: Template) -> None:
    for name in ("InstallRunbook", "PatchCommandDocument"):
        assert _properties(patching, name)["UpdateMethod"] == "NewVersion"


def test_the_runbook_proves_before_it_installs(patching: Template) -> None:
    steps = _properties(patching, "InstallRunbook")["Content"]["mainSteps"]
    assert [(step["name"], step["action"]) for step in steps] == [
        ("prove", "aws:executeScript"),
        ("decide", "aws:branch"),
        ("install", "aws:runCommand"),
        ("verifyStatus", "aws:waitForAwsResourceProperty"),
        ("verifyAgent", "aws:waitForAwsResourceProperty"),
        ("verifyPatchState", "aws:assertAwsResourceProperty"),
        ("denied", "aws:sleep"),
    ]
    assert {step["onFailure"] for step in steps} == {"Abort"}


def test_only_an_admission_leads_to_the_install(patching: Template) -> None:
    assert _step(patching, "decide")["inputs"] == {
        "Choices": [{"NextStep": "install", "Variable": "{{prove.Decision}}", "StringEquals": "admit"}],
        "Default": "denied",
    }
    assert _step(patching, "denied")["isEnd"] is True
    assert _step(patching, "verifyPatchState")["isEnd"] is True


def test_the_script_is_the_bundle_as_plain_text(patching: Template) -> None:
    inputs = _step(patching, "prove")["inputs"]
    assert inputs["Script"] == build_bundle("prove")
    assert (inputs["Runtime"], inputs["Handler"]) == ("python3.11", "script_handler")
    assert _step(patching, "prove")["timeoutSeconds"] <= 600


def test_the_node_is_told_until_when_it_may_start(patching: Template) -> None:
    parameters = _step(patching, "install")["inputs"]["Parameters"]
    assert parameters["NotAfter"] == ["{{prove.NotAfter}}"]
    assert parameters["RebootOption"] == [{"Ref": "InstallRebootOption"}]


def test_the_node_refuses_before_it_patches(patching: Template) -> None:
    steps = _properties(patching, "PatchCommandDocument")["Content"]["mainSteps"]
    assert [step["name"] for step in steps] == ["refuseLate", "refuseLateWindows", "patch"]
    for step, platform in zip(steps, ("Linux", "Windows"), strict=False):
        assert step["precondition"] == {"StringEquals": ["platformType", platform]}
        assert step["inputs"]["onFailure"] == "exit"
        assert step["inputs"]["runCommand"][-1] == "exit 1"
    assert steps[2]["inputs"]["documentPath"] == "AWS-RunPatchBaseline"


def test_the_command_document_holds_no_intrinsic(patching: Template) -> None:
    content = _properties(patching, "PatchCommandDocument")["Content"]
    assert [node for node in walk(content) if is_intrinsic(node)] == []
