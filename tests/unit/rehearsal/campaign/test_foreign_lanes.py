"""The lanes of other people's templates: every window that installs is one, whatever else there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from patchgate.emulator.ec2 import Ec2
from patchgate.errors import InputError
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix

from .others import (
    INSTALL,
    ROLE,
    SCAN,
    TAG,
    broken,
    document,
    grounds_of,
    run,
    shapes,
    task,
    window,
    write,
    write_naive,
)

OTHER_TAG = {"Key": "tag:Scan", "Values": ["yes"]}


def runs(name: str, parameters: Any = INSTALL, **inputs: Any) -> dict[str, Any]:
    """A runbook's step that runs a command document."""
    given = {"DocumentName": name, "InstanceIds": ["{{ InstanceId }}"], "Parameters": parameters}
    return {"name": "command", "action": "aws:runCommand", "inputs": given | inputs}


def calls(api: str, **inputs: Any) -> dict[str, Any]:
    return {"name": "call", "action": "aws:executeAwsApi", "inputs": {"Service": "ssm", "Api": api} | inputs}


def script(text: str) -> dict[str, Any]:
    inputs = {"Runtime": "python3.11", "Handler": "main", "Script": text}
    return {"name": "script", "action": "aws:executeScript", "inputs": inputs}


def nested(name: str, operation: str) -> dict[str, Any]:
    inputs = {"documentType": "SSMDocument", "documentPath": name, "documentParameters": {"Operation": operation}}
    return {"name": "nested", "action": "aws:runDocument", "inputs": inputs}


BASELINE = "AWS-RunPatchBaseline"


def test_a_scan_window_before_the_install_window_is_no_lane(tmp_path: Path) -> None:
    found = window("a-daily-scan", task(parameters=SCAN, targets=[[OTHER_TAG]])) | window("nightly-install", task())
    with grounds_of(write(tmp_path, patching=found)) as (grounds, (ground,)):
        assert ground.shape.name == "nightly-install"
        assert ground.terrain.tags == {"Patch": "nightly"}
        outcome = run(grounds, ground, "none", 0)
        assert outcome.installs == 12
        assert {"proof", "window"} <= broken(outcome)
        assert all("mw-" not in each.what or ground.terrain.facts.window_id in each.what for each in outcome.violations)


def test_every_lane_of_a_directory_is_rehearsed_with_its_own_functions(tmp_path: Path) -> None:
    with grounds_of(write_naive(tmp_path, "dev", "prd")) as (grounds, found):
        names = [f"maintenance-window-amazonlinux-{each}-eu-central-1" for each in ("dev", "prd")]
        assert [ground.shape.name for ground in found] == names
        for environment, ground in zip(("dev", "prd"), found, strict=True):
            terrain = ground.terrain
            assert terrain.programs == dict.fromkeys(("open", "close"), f"naive-gate-amazonlinux-{environment}")
            assert terrain.schedules["open"] == f"naive-open-amazonlinux-{environment}"
            assert terrain.schedules["close"] == f"naive-close-amazonlinux-{environment}"
            assert terrain.lane.vault == f"backup-vault-amazonlinux-{environment}-eu-central-1"
            assert terrain.tags["PatchGroup"] == f"amazonlinux-patch-group-{environment}"
            assert terrain.stacks[0] == f"patching-{environment}"
            outcome = run(grounds, ground, "none", 0)
            assert (outcome.patched, outcome.violations) == (4, ())


def test_each_kind_of_machines_of_a_window_is_a_lane(tmp_path: Path) -> None:
    linux, windows = {"Key": "tag:Os", "Values": ["linux", "bsd"]}, {"Key": "tag:Os", "Values": ["windows"]}
    found = window("nightly", task(targets=[[linux], [linux]]), task(targets=[[windows, TAG]]), task(parameters=SCAN))
    lanes = shapes(write(tmp_path, patching=found))
    assert [lane.name for lane in lanes] == ["nightly (Os=linux)", "nightly (Os=windows, Patch=nightly)"]


@pytest.mark.parametrize(
    ("tasks", "documents", "installs"),
    [
        (task(parameters=SCAN), {}, False),
        (task("AWS-RunShellScript", {"commands": ["echo Install"]}), {}, False),
        (task("own", {}, kind="AUTOMATION"), document("own", [runs(BASELINE)], InstanceId=""), True),
        (task("own", {}, kind="AUTOMATION"), document("own", [runs(BASELINE, SCAN)], InstanceId=""), False),
        (
            task("own", {"How": ["Install"]}, kind="AUTOMATION"),
            document("own", [runs(BASELINE, {"Operation": "{{ How }}"})], InstanceId="", How="Scan"),
            True,
        ),
        (
            task("own", {}, kind="AUTOMATION"),
            document("own", [runs(BASELINE, {"Operation": ["{{How}}"]})], InstanceId="", How="Scan"),
            False,
        ),
        (
            task("own", {}, kind="AUTOMATION"),
            document("own", [runs("theirs", {})], InstanceId="")
            | document("theirs", [nested(BASELINE, "Install")], "Command"),
            True,
        ),
        (task("theirs", {}), document("theirs", [nested(BASELINE, "Scan")], "Command"), False),
        (
            task("own", {}, kind="AUTOMATION"),
            document("own", [calls("SendCommand", DocumentName=BASELINE, Parameters=INSTALL)]),
            True,
        ),
        (task("own", {}, kind="AUTOMATION"), document("own", [calls("DescribeMaintenanceWindows")]), False),
        (
            task("own", {}, kind="AUTOMATION"),
            document("own", [script("ssm.send_command(DocumentName='x', Parameters={'Operation': ['Install']})")]),
            True,
        ),
        (task("own", {}, kind="AUTOMATION"), document("own", [script("print('nothing to install')")]), False),
    ],
)
def test_a_window_is_a_lane_when_its_task_ends_in_an_install(
    tmp_path: Path, tasks: dict[str, Any], documents: dict[str, Any], installs: bool
) -> None:
    directory = write(tmp_path, patching=window("other", tasks | {"ServiceRoleArn": ROLE}) | documents)
    if installs:
        assert [lane.name for lane in shapes(directory)] == ["other"]
    else:
        with pytest.raises(InputError, match="no maintenance window of the templates has a task that installs: other"):
            shapes(directory)


def test_windows_of_one_name_are_refused_with_both(tmp_path: Path) -> None:
    found = window("nightly", task(), key="One") | window("nightly", task(targets=[[OTHER_TAG]]), key="Two")
    with pytest.raises(InputError, match=r"mw-\w+ and mw-\w+ are both called nightly"):
        shapes(write(tmp_path, patching=found))


def test_machines_that_no_tag_names_are_refused_by_their_window(tmp_path: Path) -> None:
    named = [{"Key": "InstanceIds", "Values": ["i-0123456789abcdef0"]}]
    with pytest.raises(InputError, match="window nightly installs on machines that it names by InstanceIds"):
        shapes(write(tmp_path, patching=window("nightly", task(targets=[named]))))
    own = document("own", [runs(BASELINE)], InstanceId="")
    alone = task("own", {}, kind="AUTOMATION", targets=[], ServiceRoleArn=ROLE)
    with pytest.raises(InputError, match="window nightly installs on machines that it names by nothing"):
        shapes(write(tmp_path, patching=window("nightly", alone) | own))


def test_a_document_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"window nightly runs the document AWS-PatchInstanceWithRollback, .*: AWS owns it"
    ) as refused:
        shapes(write(tmp_path, patching=window("nightly", task("AWS-PatchInstanceWithRollback", {}))))
    assert BASELINE in refused.value.remedy


def test_a_window_that_opens_once_is_refused_by_name(tmp_path: Path) -> None:
    found = window("once", task(), Schedule="at(2026-07-12T03:00:00)") | window("nightly", task())
    with pytest.raises(InputError, match="the window once has 1 of the 4 starts"):
        shapes(write(tmp_path, patching=found))


def test_backups_of_another_lane_give_no_tags(tmp_path: Path) -> None:
    """Two plans, by a tag of their own each: machines get the one that their window's tags allow."""

    def plan(key: str, conditions: list[dict[str, str]]) -> dict[str, Any]:
        rule = {"RuleName": "nightly", "TargetBackupVault": {"Ref": f"{key}Vault"}}
        rule |= {"ScheduleExpression": "cron(0 17 * * ? *)"}
        role = {"Fn::GetAtt": ["Role", "Arn"]}
        selection = {"SelectionName": key, "IamRoleArn": role, "ListOfTags": conditions}
        return {
            f"{key}Vault": {"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": key}},
            f"{key}Plan": {
                "Type": "AWS::Backup::BackupPlan",
                "Properties": {"BackupPlan": {"BackupPlanName": key, "BackupPlanRule": [rule]}},
            },
            f"{key}Selection": {
                "Type": "AWS::Backup::BackupSelection",
                "Properties": {"BackupPlanId": {"Ref": f"{key}Plan"}, "BackupSelection": selection},
            },
        }

    def equals(key: str, value: str) -> dict[str, str]:
        return {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}

    trust = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {"Version": "2012-10-17", "Statement": [trust]}
    role = {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}}
    found = window("nightly", task()) | role | plan("weekly", [equals("Patch", "weekly")])
    found |= plan("nightlies", [equals("Patch", "weekly"), equals("Patch", "nightly"), equals("Backup", "yes")])
    with grounds_of(write(tmp_path, patching=found)) as (_, (ground,)):
        assert ground.terrain.tags == {"Patch": "nightly"}
        assert ground.terrain.lane.vault == "nightlies"


@pytest.mark.parametrize(
    ("systems", "expected"),
    [
        ((), ("AMAZON_LINUX_2023", "Linux")),
        (("WINDOWS",), ("WINDOWS", "Windows")),
        (("REDHAT_ENTERPRISE_LINUX",), ("REDHAT_ENTERPRISE_LINUX", "Linux")),
        (("AMAZON_LINUX_2", "AMAZON_LINUX_2023"), ("AMAZON_LINUX_2023", "Linux")),
    ],
)
def test_machines_are_of_a_system_that_the_patch_group_has_a_baseline_for(
    tmp_path: Path, systems: tuple[str, ...], expected: tuple[str, str]
) -> None:
    found = window("nightly", task(targets=[[{"Key": "tag:Patch Group", "Values": ["web"]}]]))
    for system in systems:
        rules = {"PatchRules": [{"ApproveAfterDays": 0, "PatchFilterGroup": {"PatchFilters": []}}]}
        properties = {
            "Name": f"web-{system}",
            "OperatingSystem": system,
            "PatchGroups": ["web"],
            "ApprovalRules": rules,
        }
        found[system.replace("_", "")] = {"Type": "AWS::SSM::PatchBaseline", "Properties": properties}
    with grounds_of(write(tmp_path, patching=found)) as (grounds, (ground,)):
        grounds.begin(ground, 0, draw_plan(0, read_mix("none"), ground.shape, ground.terrain).assumptions)
        known = grounds.stage.cloud.component(Ec2).region(ground.terrain.scope).instances
        spec = known[ground.terrain.instances[0]].spec
        assert (spec.operating_system, spec.platform_type) == expected
        assert ("F36" in ground.terrain.unfit) is (not systems)
        assert run(grounds, ground, "none", 0).installs == 12
