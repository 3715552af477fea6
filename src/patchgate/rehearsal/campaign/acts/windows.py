"""What operators do to maintenance windows and parameters."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act, happened


@act
def window(scene: Scene, given: Given) -> Harm | None:
    """An operator enables or disables the lane's window by hand."""
    found, wanted = scene.window_id(), bool(given["enabled"])
    if not found or scene.call("ssm", "GetMaintenanceWindow", WindowId=found)["Enabled"] is wanted:
        return None
    scene.call("ssm", "UpdateMaintenanceWindow", WindowId=found, Enabled=wanted)
    return Harm()


@act
def rename_window(scene: Scene, given: Given) -> Harm | None:
    """An operator gives the lane's window another name."""
    found = scene.window_id()
    if not found:
        return None
    scene.call("ssm", "UpdateMaintenanceWindow", WindowId=found, Name=str(given["name"]))

    def undo() -> None:
        known = scene.call("ssm", "DescribeMaintenanceWindows", MaxResults=100)["WindowIdentities"]
        if any(each["WindowId"] == found for each in known):
            scene.call("ssm", "UpdateMaintenanceWindow", WindowId=found, Name=scene.terrain.facts.window_name)

    return Harm(undo)


@act
def further_windows(scene: Scene, given: Given) -> Harm | None:
    """Further windows in the Region: ``count`` of them, with the lane's window's name when ``same_name``."""
    made = []
    for number in range(int(str(given["count"]))):
        name = scene.terrain.facts.window_name if given.get("same_name") else f"another-{scene.index}-{number:02}"
        request = {"Name": name, "Schedule": "cron(0 3 1 * ? *)", "Duration": 2, "Cutoff": 1}
        answer = scene.call("ssm", "CreateMaintenanceWindow", **request, AllowUnassociatedTargets=False)
        made.append(answer["WindowId"])

    def undo() -> None:
        for window_id in made:
            scene.call("ssm", "DeleteMaintenanceWindow", WindowId=window_id)

    return Harm(undo)


@act
def further_parameters(scene: Scene, given: Given) -> Harm | None:
    """An operator keeps ``count`` parameters below the lane's path, which come before all of the lane's."""
    if not scene.terrain.facts.operating_system:  # other people's templates have no such path
        return None
    path = f"{scene.terrain.facts.parameter_path}0-notes/{scene.index}-"
    made = [f"{path}{number:02}" for number in range(int(str(given["count"])))]
    for name in made:
        scene.call("ssm", "PutParameter", Name=name, Value="a note", Type="String")

    def undo() -> None:
        for name in made:
            scene.call("ssm", "DeleteParameter", Name=name)

    return Harm(undo)


@act
def twin_window(scene: Scene, given: Given) -> Harm | None:
    """A second window runs the lane's install task on the lane's targets, ``minutes`` from now, enabled."""
    found = scene.window_id()
    if not found:
        return None
    tasks = scene.call("ssm", "DescribeMaintenanceWindowTasks", WindowId=found, MaxResults=100)["Tasks"]
    install = next((task for task in tasks if task["Type"] == "AUTOMATION"), None)
    if install is None:
        return None
    details = scene.call("ssm", "GetMaintenanceWindowTask", WindowId=found, WindowTaskId=install["WindowTaskId"])
    begins = (scene.cloud.now + timedelta(minutes=int(str(given["minutes"])))).strftime("%Y-%m-%dT%H:%M:%S")
    request = {"Name": f"twin-{scene.index}", "Schedule": f"at({begins})", "Duration": 2, "Cutoff": 1}
    twin = scene.call("ssm", "CreateMaintenanceWindow", **request, AllowUnassociatedTargets=False)["WindowId"]
    tags = [{"Key": f"tag:{key}", "Values": [value]} for key, value in scene.terrain.tags.items()]
    target = scene.call(
        "ssm", "RegisterTargetWithMaintenanceWindow", WindowId=twin, ResourceType="INSTANCE", Targets=tags
    )
    scene.call(
        "ssm",
        "RegisterTaskWithMaintenanceWindow",
        WindowId=twin,
        Targets=[{"Key": "WindowTargetIds", "Values": [target["WindowTargetId"]]}],
        TaskArn=details["TaskArn"],
        TaskType="AUTOMATION",
        ServiceRoleArn=details["ServiceRoleArn"],
        TaskInvocationParameters=details["TaskInvocationParameters"],
        MaxConcurrency="100%",
        MaxErrors="100%",
    )
    undo = partial(scene.call, "ssm", "DeleteMaintenanceWindow", WindowId=twin)
    return Harm(undo, happened("WindowExecutionStarted", window=twin))


@act
def cancel_executions(scene: Scene, given: Given) -> Harm | None:  # noqa: ARG001 - as every act
    """An operator cancels what the lane's window is executing."""
    found = scene.window_id()
    if not found:
        return None
    executions = scene.call("ssm", "DescribeMaintenanceWindowExecutions", WindowId=found, MaxResults=100)
    running = [each for each in executions["WindowExecutions"] if each["Status"] in ("PENDING", "IN_PROGRESS")]
    for execution in running:
        scene.call("ssm", "CancelMaintenanceWindowExecution", WindowExecutionId=execution["WindowExecutionId"])
    return Harm() if running else None
