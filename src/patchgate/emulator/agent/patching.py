"""AWS-RunPatchBaseline on one machine: scan, install, reboot, report.

https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html

Assumptions: an installation spreads evenly over its patches and can be cut short between two of them; a scan reports a
patch that failed before as missing again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from patchgate.emulator.cloud import Cloud, Component, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.ssm_baselines import Baselines

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance
    from patchgate.emulator.world import Patch

PatchState = Literal["INSTALLED", "INSTALLED_PENDING_REBOOT", "MISSING", "FAILED"]
Done = tuple[Callable[..., None], tuple[Any, ...]]
REBOOT_POLL = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class PatchReport:
    """What the agent reports to Systems Manager at the end of an operation: each approved patch and its state."""

    instance_id: str
    patch_group: str
    baseline_id: str
    operation: Literal["Scan", "Install"]
    started: datetime
    ended: datetime
    reboot_option: str
    patches: tuple[tuple[Patch, PatchState, datetime | None], ...]
    snapshot_id: str = ""
    last_no_reboot_install: datetime | None = None

    def count(self, state: PatchState) -> int:
        return sum(found == state for _, found, _ in self.patches)


@dataclass(slots=True)
class NodePatches:
    """What is installed on a machine, by patch id; what is absent never was. ``boot`` is when it last came up."""

    states: dict[str, PatchState] = field(default_factory=dict)
    installed: dict[str, datetime] = field(default_factory=dict)
    boot: datetime | None = None
    last_no_reboot_install: datetime | None = None


@dataclass(slots=True)
class PatchOperation:
    """One run of AWS-RunPatchBaseline. ``done`` is told exit code and output, or that the machine went away."""

    scope: Scope
    instance_id: str
    command_id: str
    operation: Literal["Scan", "Install"]
    reboot_option: str
    snapshot_id: str
    done: Done
    started: datetime
    boot: datetime
    patch_group: str = ""
    baseline_id: str = ""
    approved: list[Patch] = field(default_factory=list)
    waiting: list[Patch] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)


class Patching(Component):
    """Patch operations in progress, what every machine has installed, and the last report of each."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._nodes: dict[tuple[str, str, str], NodePatches] = {}
        self._reports: dict[tuple[str, str], dict[str, PatchReport]] = {}

    def reports(self, scope: Scope) -> dict[str, PatchReport]:
        """The last report of every node that ever sent one, by instance id."""
        return self._reports.setdefault(scope.key, {})

    def start(self, operation: PatchOperation) -> None:
        """Begin now; the end is told to ``operation.done`` with (exit code, output lines, alive)."""
        instance = self._instance(operation)
        operation.patch_group, baseline = self.cloud.component(Baselines).of_node(operation.scope, instance)
        operation.baseline_id = baseline.baseline_id
        node = self._node(instance)
        operation.approved = [patch for patch in instance.spec.patches if baseline.approves(patch, self.cloud.now)]
        self.cloud.record(
            operation.scope,
            "PatchStarted",
            instance=operation.instance_id,
            operation=operation.operation,
            command=operation.command_id,
            reboot_option=operation.reboot_option,
            volumes=[volume.volume_id for volume in instance.volumes],
        )
        operation.output.append(f"Running with patch baseline {baseline.baseline_id} ({baseline.name}).")
        if operation.operation == "Scan":
            scan = timedelta(minutes=instance.spec.scan_minutes)
            self.cloud.kernel.after(scan, self._scanned, operation)
            return
        operation.waiting = [patch for patch in operation.approved if node.states.get(patch.id, "MISSING") == "MISSING"]
        self.cloud.kernel.after(self._pace(instance, operation), self._install_next, operation)

    def _scanned(self, operation: PatchOperation) -> None:
        if self._alive(operation):
            node = self._node(self._instance(operation))
            self._end(operation, node, code=0)

    def _install_next(self, operation: PatchOperation) -> None:
        if not self._alive(operation):
            return
        node = self._node(self._instance(operation))
        if operation.waiting:
            self._install(operation, node, operation.waiting.pop(0))
        if operation.waiting:
            self.cloud.kernel.after(self._pace(self._instance(operation), operation), self._install_next, operation)
        else:
            self._installed(operation, node)

    def _install(self, operation: PatchOperation, node: NodePatches, patch: Patch) -> None:
        if patch.fails:
            operation.failed.append(patch.id)
            operation.output.append(f"Failed to install {patch.id}: {patch.fails}")
            return
        node.states[patch.id] = "INSTALLED_PENDING_REBOOT" if patch.reboot else "INSTALLED"
        node.installed[patch.id] = self.cloud.now
        operation.installed.append(patch.id)
        operation.output.append(f"Installed {patch.id} {patch.title}".rstrip())

    def _installed(self, operation: PatchOperation, node: NodePatches) -> None:
        code = 1 if operation.failed else 0
        if operation.reboot_option == "NoReboot":
            node.last_no_reboot_install = self.cloud.now
            self._end(operation, node, code=code)
        elif operation.installed or "INSTALLED_PENDING_REBOOT" in node.states.values():
            operation.output.append("Rebooting.")
            self.cloud.component(Ec2).reboot(operation.scope, operation.instance_id)
            operation.boot = self._boot(self._instance(operation))
            self.cloud.kernel.after(REBOOT_POLL, self._rebooted, operation, code)
        else:
            self._end(operation, node, code=code)

    def _rebooted(self, operation: PatchOperation, code: int) -> None:
        instance = self._instance(operation)
        if instance.state == "running" and instance.rebooting and self._boot(instance) == operation.boot:
            self.cloud.kernel.after(REBOOT_POLL, self._rebooted, operation, code)
        elif self._alive(operation):
            self._end(operation, self._node(instance), code=code)

    def _end(self, operation: PatchOperation, node: NodePatches, *, code: int) -> None:
        report = PatchReport(
            operation.instance_id,
            operation.patch_group,
            operation.baseline_id,
            operation.operation,
            operation.started,
            self.cloud.now,
            operation.reboot_option,
            tuple(
                (patch, self._state(operation, node, patch.id), node.installed.get(patch.id))
                for patch in operation.approved
            ),
            operation.snapshot_id,
            node.last_no_reboot_install,
        )
        operation.output.append(
            f"{operation.operation}: {report.count('INSTALLED')} installed, {report.count('MISSING')} missing, "
            f"{report.count('FAILED')} failed, {report.count('INSTALLED_PENDING_REBOOT')} pending reboot."
        )
        self._record_end(operation, "Failed" if code else "Success", report)
        self.reports(operation.scope)[operation.instance_id] = report
        self._tell(operation, code, alive=True)

    def _state(self, operation: PatchOperation, node: NodePatches, patch_id: str) -> PatchState:
        return "FAILED" if patch_id in operation.failed else node.states.get(patch_id, "MISSING")

    def _record_end(self, operation: PatchOperation, status: str, report: PatchReport | None) -> None:
        def named(state: PatchState) -> list[str]:
            return [patch.id for patch, found, _ in report.patches if found == state] if report else []

        self.cloud.record(
            operation.scope,
            "PatchEnded",
            instance=operation.instance_id,
            operation=operation.operation,
            command=operation.command_id,
            status=status,
            installed=list(operation.installed),
            failed=list(operation.failed),
            pending_reboot=named("INSTALLED_PENDING_REBOOT"),
            missing=named("MISSING"),
            output="\n".join(operation.output),
        )

    def _alive(self, operation: PatchOperation) -> bool:
        """Whether the machine is still the one that began; if not, the operation ends here as Interrupted."""
        instance = self._instance(operation)
        if instance.state == "running" and not instance.rebooting and self._boot(instance) == operation.boot:
            return True
        operation.output.append("The machine went away.")
        self._record_end(operation, "Interrupted", None)
        self._tell(operation, 1, alive=False)
        return False

    def _tell(self, operation: PatchOperation, code: int, *, alive: bool) -> None:
        callback, arguments = operation.done
        callback(*arguments, code, operation.output, alive)

    def _instance(self, operation: PatchOperation) -> Instance:
        return self.cloud.component(Ec2).instance(operation.scope, operation.instance_id)

    def boot_of(self, instance: Instance) -> datetime:
        """When the machine last came up, or was told to."""
        return self._boot(instance)

    def _boot(self, instance: Instance) -> datetime:
        return instance.booted_at or instance.launched_at

    def _node(self, instance: Instance) -> NodePatches:
        """The machine's packages; what waited for a reboot is installed once there was one."""
        node = self._nodes.setdefault((instance.account, instance.region, instance.instance_id), NodePatches())
        boot = self._boot(instance)
        if node.boot is not None and boot != node.boot:
            node.states = {
                key: "INSTALLED" if state == "INSTALLED_PENDING_REBOOT" else state for key, state in node.states.items()
            }
        node.boot = boot
        return node

    def _pace(self, instance: Instance, operation: PatchOperation) -> timedelta:
        """The time that one patch takes; the first one's includes the scan, so that nothing takes no time."""
        total = len(operation.waiting) + len(operation.installed) + len(operation.failed)
        return timedelta(minutes=instance.spec.install_minutes) / max(1, total)
