"""Machines as Systems Manager sees them, patch baselines and groups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.emulator.ssm_lab import GROUP, SCOPE, START, Lab

from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.world import AgentBehaviour, Patch


def baseline(lab: Lab, *filters: tuple[str, list[str]], **settings: Any) -> str:
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": key, "Values": values} for key, values in filters]},
        "ApproveAfterDays": 7,
    }
    base: dict[str, Any] = {
        "Name": "baseline",
        "OperatingSystem": "AMAZON_LINUX_2",
        "ApprovalRules": {"PatchRules": [rule]},
    }
    return str(lab.call("CreatePatchBaseline", **(base | settings))["BaselineId"])


def pings(lab: Lab, **filters: str) -> dict[str, str]:
    wanted = [{"Key": key.replace("tag_", "tag:"), "Values": [value]} for key, value in filters.items()]
    found = lab.call("DescribeInstanceInformation", Filters=wanted)["InstanceInformationList"]
    return {item["InstanceId"]: item["PingStatus"] for item in found}


def test_ping_follows_machine_and_agent() -> None:
    lab = Lab()
    agent = AgentBehaviour(offline_from=START + timedelta(hours=1), online_from=START + timedelta(hours=2))
    steady, flaky = lab.machine(1), lab.machine(2, agent=agent)
    lost = lab.machine(3, agent=AgentBehaviour(ping="ConnectionLost"))
    inactive = lab.machine(4, agent=AgentBehaviour(ping="Inactive"))
    assert pings(lab) == {steady: "Online", flaky: "Online", lost: "ConnectionLost", inactive: "Inactive"}
    lab.run(hours=1)
    lab.cloud.component(Ec2).reboot(SCOPE, steady)
    assert pings(lab, PingStatus="Online") == {}
    lab.run(hours=1)
    assert pings(lab, PingStatus="Online") == {steady: "Online", flaky: "Online"}
    lab.cloud.component(Ec2).set_state(SCOPE, steady, "stopped")
    assert pings(lab, InstanceIds=steady) == {steady: "ConnectionLost"}
    lab.cloud.component(Ec2).set_state(SCOPE, steady, "terminated")
    assert pings(lab, InstanceIds=steady) == {}


def test_information_is_filtered_and_paged() -> None:
    lab = Lab()
    for number in range(1, 8):
        lab.machine(number)
    windows = lab.machine(8, platform_type="Windows", operating_system="WINDOWS", tags={"PatchGroup": "other"})
    assert list(pings(lab, PlatformTypes="Windows")) == [windows]
    assert len(pings(lab, tag_PatchGroup=GROUP)) == 7
    old = [{"key": "InstanceIds", "valueSet": [windows]}]
    shown = lab.call("DescribeInstanceInformation", InstanceInformationFilterList=old)["InstanceInformationList"]
    assert (shown[0]["PlatformName"], shown[0]["ResourceType"]) == ("Microsoft Windows Server", "EC2Instance")
    first = lab.call("DescribeInstanceInformation", MaxResults=5)
    rest = lab.call("DescribeInstanceInformation", MaxResults=5, NextToken=first["NextToken"])
    assert (len(first["InstanceInformationList"]), len(rest["InstanceInformationList"])) == (5, 3)
    assert lab.refused("DescribeInstanceInformation", MaxResults=4) == "ValidationException"
    bad = [{"Key": "Colour", "Values": ["red"]}]
    assert lab.refused("DescribeInstanceInformation", Filters=bad) == "InvalidFilterKey"


def patch(lab: Lab, machine: str, operation: str, **parameters: str) -> dict[str, Any]:
    given = {"Operation": [operation]} | {key: [value] for key, value in parameters.items()}
    sent = lab.send("AWS-RunPatchBaseline", machine, Parameters=given)
    lab.run(hours=1)
    assert lab.invocation(sent, machine)["Status"] in ("Success", "Failed")
    return dict(lab.call("DescribeInstancePatchStates", InstanceIds=[machine])["InstancePatchStates"][0])


def counts(state: dict[str, Any]) -> tuple[int, ...]:
    """Installed, pending reboot, missing, failed."""
    return tuple(state[f"{name}Count"] for name in ("Installed", "InstalledPendingReboot", "Missing", "Failed"))


PATCHES = (Patch("KERNEL", reboot=True), Patch("LIBRARY"), Patch("BROKEN", fails="No space left on device"))


def test_scan_reports_and_installs_nothing() -> None:
    lab = Lab()
    machine = lab.machine(1, patches=PATCHES)
    state = patch(lab, machine, "Scan")
    assert (state["Operation"], state["PatchGroup"], counts(state)) == ("Scan", GROUP, (0, 0, 3, 0))
    assert lab.events("InstanceRebooted") == []
    assert state["OperationEndTime"] - state["OperationStartTime"] == timedelta(minutes=2)


def test_no_reboot_leaves_pending_until_the_next_boot() -> None:
    lab = Lab()
    machine = lab.machine(1, patches=PATCHES)
    state = patch(lab, machine, "Install", RebootOption="NoReboot")
    assert counts(state) == (1, 1, 0, 1)
    assert "LastNoRebootInstallOperationTime" in state
    assert lab.events("InstanceRebooted") == []
    (ended,) = lab.events("PatchEnded")
    assert (ended["pending_reboot"], ended["failed"], ended["status"]) == (["KERNEL"], ["BROKEN"], "Failed")
    lab.call("RebootInstances", service="ec2", InstanceIds=[machine])
    lab.run(minutes=5)
    assert counts(patch(lab, machine, "Scan")) == (2, 0, 1, 0)


def test_reboot_if_needed_reboots_whenever_something_was_installed() -> None:
    lab = Lab()
    machine = lab.machine(1, patches=(Patch("LIBRARY"),))
    state = patch(lab, machine, "Install")
    assert (counts(state), len(lab.events("InstanceRebooted"))) == ((1, 0, 0, 0), 1)
    assert counts(patch(lab, machine, "Install")) == (1, 0, 0, 0)
    assert len(lab.events("InstanceRebooted")) == 1


def test_patches_are_listed_with_their_states() -> None:
    lab = Lab()
    machine = lab.machine(1, patches=PATCHES)
    patch(lab, machine, "Install")
    listed = lab.call("DescribeInstancePatches", InstanceId=machine)["Patches"]
    assert {item["KBId"]: item["State"] for item in listed} == {
        "KERNEL": "INSTALLED",
        "LIBRARY": "INSTALLED",
        "BROKEN": "FAILED",
    }
    failed = lab.call("DescribeInstancePatches", InstanceId=machine, Filters=[{"Key": "State", "Values": ["FAILED"]}])
    assert [item["KBId"] for item in failed["Patches"]] == ["BROKEN"]
    grouped = lab.call(
        "DescribeInstancePatchStatesForPatchGroup",
        PatchGroup=GROUP,
        Filters=[{"Key": "FailedCount", "Values": ["0"], "Type": "GreaterThan"}],
    )
    assert [item["InstanceId"] for item in grouped["InstancePatchStates"]] == [machine]


def test_the_baseline_of_the_patch_group_decides() -> None:
    lab = Lab()
    patches = (Patch("SEC"), Patch("FIX", classification="Bugfix"), Patch("LOW", severity="Low"), Patch("NO"))
    machine = lab.machine(1, patches=patches)
    made = baseline(lab, ("CLASSIFICATION", ["Security"]), ("SEVERITY", ["Important"]), RejectedPatches=["NO"])
    assert counts(patch(lab, machine, "Scan")) == (0, 0, 3, 0)
    lab.call("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=GROUP)
    state = patch(lab, machine, "Scan")
    assert (state["BaselineId"], counts(state)) == (made, (0, 0, 1, 0))


LATE = "2026-07-05"
"""The day after the lab's start, which is at 20:00 UTC."""


@pytest.mark.parametrize(
    ("system", "rule", "hours"),
    [
        ("AMAZON_LINUX_2", {"ApproveAfterDays": 0}, 10),
        ("AMAZON_LINUX_2", {"ApproveAfterDays": 2}, 58),
        ("AMAZON_LINUX_2", {"ApproveUntilDate": LATE}, 10),
        ("AMAZON_LINUX_2", {"ApproveUntilDate": "2026-07-04"}, None),
        ("WINDOWS", {"ApproveAfterDays": 1}, 34),
        ("UBUNTU", {"ApproveAfterDays": 2}, 10),
    ],
)
def test_a_release_is_approved_when_its_delay_is_over(system: str, rule: dict[str, Any], hours: int | None) -> None:
    lab = Lab()
    released = START + timedelta(hours=10)
    machine = lab.machine(1, patches=(Patch("OLD"), Patch("NEW", released=released)), operating_system=system)
    every = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]}}
    made = baseline(lab, OperatingSystem=system, ApprovalRules={"PatchRules": [every | rule]})
    lab.call("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=GROUP)

    def missing_after(wanted: int) -> int:
        lab.cloud.kernel.run_until(START + timedelta(hours=wanted))
        return counts(patch(lab, machine, "Scan"))[2]

    assert missing_after(0) == 1
    assert missing_after((hours or 100) - 1) == 1
    assert missing_after(hours or 100) == (1 if hours is None else 2)


def test_a_listed_patch_has_no_delay_but_must_be_there() -> None:
    lab = Lab()
    machine = lab.machine(1, patches=(Patch("NEW", released=START + timedelta(hours=2)),))
    made = baseline(lab, ("CLASSIFICATION", ["*"]), ApprovedPatches=["NEW"])
    lab.call("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=GROUP)
    assert counts(patch(lab, machine, "Scan"))[2] == 0
    lab.run(hours=2)
    assert counts(patch(lab, machine, "Scan"))[2] == 1


def test_another_operating_system_gets_the_default_baseline() -> None:
    lab = Lab()
    made = baseline(lab, ("CLASSIFICATION", ["*"]))
    lab.call("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=GROUP)
    found = lab.call("GetPatchBaselineForPatchGroup", PatchGroup=GROUP, OperatingSystem="AMAZON_LINUX_2")
    assert found["BaselineId"] == made
    other = lab.call("GetPatchBaselineForPatchGroup", PatchGroup=GROUP, OperatingSystem="UBUNTU")["BaselineId"]
    assert other == lab.call("GetDefaultPatchBaseline", OperatingSystem="UBUNTU")["BaselineId"]
    assert lab.call("GetPatchBaseline", BaselineId=other)["Name"] == "AWS-UbuntuDefaultPatchBaseline"


def test_one_baseline_for_each_group_and_system() -> None:
    lab = Lab()
    first, second = baseline(lab, Name="first"), baseline(lab, Name="second")
    named = {"PatchGroup": GROUP, "BaselineId": first}
    assert lab.call("RegisterPatchBaselineForPatchGroup", **named) == named
    again = {"PatchGroup": GROUP, "BaselineId": second}
    assert lab.refused("RegisterPatchBaselineForPatchGroup", **again) == "AlreadyExistsException"
    (mapping,) = lab.call("DescribePatchGroups")["Mappings"]
    assert (mapping["PatchGroup"], mapping["BaselineIdentity"]["BaselineName"]) == (GROUP, "first")
    assert lab.refused("DeletePatchBaseline", BaselineId=first) == "ResourceInUseException"
    lab.call("DeregisterPatchBaselineForPatchGroup", **named)
    assert lab.call("DeletePatchBaseline", BaselineId=first) == {"BaselineId": first}
    assert lab.refused("GetPatchBaseline", BaselineId=first) == "DoesNotExistException"


def test_updates_keep_and_replace() -> None:
    lab = Lab()
    made = baseline(lab, ("SEVERITY", ["Critical"]), Description="first")
    updated = lab.call("UpdatePatchBaseline", BaselineId=made, RejectedPatches=["x"])
    assert (updated["Description"], updated["RejectedPatches"], updated["OperatingSystem"]) == (
        "first",
        ["x"],
        "AMAZON_LINUX_2",
    )
    replaced = lab.call("UpdatePatchBaseline", BaselineId=made, Replace=True, Name="second")
    assert (replaced["Name"], replaced["ApprovalRules"]) == ("second", {"PatchRules": []})
    assert "Description" not in replaced


@pytest.mark.parametrize(
    "settings",
    [
        {"Name": "no"},
        {"OperatingSystem": "TEMPLE_OS"},
        {"filters": [("PRIORITY", ["Required"])]},
        {"filters": [("SEVERITY", [])]},
        {"filters": [("PRODUCT", [f"Product{number}" for number in range(21)])]},
        {"rule": {"ApproveAfterDays": 361}},
        {"rule": {"ApproveAfterDays": None}},
        {"rule": {"ApproveUntilDate": "2026-07-01"}},
        {"rule": {"ApproveAfterDays": None, "ApproveUntilDate": "July"}},
        {"rule": {"ComplianceLevel": "SEVERE"}},
    ],
)
def test_malformed_baselines(settings: dict[str, Any]) -> None:
    lab = Lab()
    filters = settings.pop("filters", [("SEVERITY", ["Critical"])])
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": key, "Values": values} for key, values in filters]},
        "ApproveAfterDays": 7,
    } | settings.pop("rule", {})
    base = {"Name": "baseline", "OperatingSystem": "AMAZON_LINUX_2", "ApprovalRules": {"PatchRules": [rule]}}
    assert lab.refused("CreatePatchBaseline", **(base | settings)) == "ValidationException"
