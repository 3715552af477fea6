"""The lanes of what was deployed: one for each maintenance window that installs, and for each kind of its machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patchgate.errors import InputError
from patchgate.rehearsal.campaign.foreign.deployed import Deployed, Selection
from patchgate.rehearsal.campaign.foreign.tasks import is_install

PATCH_GROUP_TAGS = ("PatchGroup", "Patch Group")
"""https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-tag-a-patch-group.html"""
_TAG = "tag:"
_REGISTERED = "WindowTargetIds"


@dataclass(frozen=True, slots=True)
class ForeignLane:
    """One lane: a window that installs, as GetMaintenanceWindow tells it, and the machines that one target names.

    ``tags`` are those of its machines: what the window asks for and what its backups ask for. ``selections`` are the
    backups of such machines; ``tasks`` are the window's.
    """

    name: str
    window: Mapping[str, Any]
    tags: Mapping[str, str]
    tasks: tuple[Mapping[str, Any], ...]
    selections: tuple[Selection, ...]

    @property
    def patch_group(self) -> str:
        """The patch group of its machines; "" when they have none."""
        return next((self.tags[key] for key in PATCH_GROUP_TAGS if key in self.tags), "")

    @property
    def window_id(self) -> str:
        return str(self.window["WindowId"])

    @property
    def window_name(self) -> str:
        return str(self.window["Name"])


def find_lanes(deployed: Deployed) -> tuple[ForeignLane, ...]:
    """Every lane, by name. InputError when there is none, or one that a campaign could not tell from another."""
    windows = list(deployed.windows())
    tasks = {window["WindowId"]: tuple(deployed.tasks(window["WindowId"])) for window in windows}
    installing = [window for window in windows if any(is_install(deployed, task) for task in tasks[window["WindowId"]])]
    if not installing:
        raise InputError(_nothing_installs(windows, tasks), remedy=_NEEDED)
    _refuse_same_names(windows, installing)
    selections = list(deployed.selections())
    lanes = []
    for window in installing:
        kinds = _kinds(deployed, window, [task for task in tasks[window["WindowId"]] if is_install(deployed, task)])
        for kind in kinds:
            words = ", ".join(f"{key}={value}" for key, value in kind.items())
            name = window["Name"] if len(kinds) == 1 else f"{window['Name']} ({words})"
            fitting = _fitting(selections, kind)
            tags = _with_backups(kind, fitting)
            backups = tuple(each for each in fitting if each.admits(tags))
            lanes.append(ForeignLane(name, window, tags, tasks[window["WindowId"]], backups))
    return tuple(sorted(lanes, key=lambda lane: lane.name))


_NEEDED = (
    "a campaign needs a maintenance window with a task AWS-RunPatchBaseline, Operation Install, or one that ends there"
)


def _nothing_installs(windows: list[dict[str, Any]], tasks: Mapping[str, tuple[Mapping[str, Any], ...]]) -> str:
    if not any(tasks.values()):
        return "the templates make no maintenance window with a task"
    told = [
        f"{window['Name']} runs {', '.join(task['TaskArn'] for task in tasks[window['WindowId']])}"
        for window in windows
        if tasks[window["WindowId"]]
    ]
    return f"no maintenance window of the templates has a task that installs: {'; '.join(told)}"


def _refuse_same_names(windows: list[dict[str, Any]], installing: list[dict[str, Any]]) -> None:
    """Faults and people know a lane by the name of its window."""
    counts = Counter(window["Name"] for window in windows)
    for window in installing:
        if counts[window["Name"]] > 1:
            ids = " and ".join(each["WindowId"] for each in windows if each["Name"] == window["Name"])
            raise InputError(
                f"the maintenance windows {ids} are both called {window['Name']}: a campaign tells lanes by that name",
                remedy="give each window a name of its own, or rehearse them from directories of their own",
            )


def _kinds(deployed: Deployed, window: Mapping[str, Any], tasks: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The tags of each kind of machines that install tasks of a window are for, each once."""
    registered = deployed.targets(window["WindowId"])
    kinds: list[dict[str, str]] = []
    for task in tasks:
        for keys in _targets_of(task, registered):
            kind = {each["Key"].removeprefix(_TAG): each["Values"][0] for each in keys if each["Key"].startswith(_TAG)}
            if len(kind) < len(keys) or not kind:
                said = ", ".join(each["Key"] for each in keys) or "nothing"
                raise InputError(
                    f"a task of the maintenance window {window['Name']} installs on machines that it names by {said}, "
                    "so that a campaign cannot tell which those are",
                    remedy="give it targets by tag (Key: tag:NAME)",
                )
            if kind not in kinds:
                kinds.append(kind)
    return kinds


def _targets_of(
    task: Mapping[str, Any], registered: Mapping[str, list[dict[str, Any]]]
) -> Iterator[list[dict[str, Any]]]:
    """Each target of a task: the window's that it names, and the one of its own."""
    targets = task.get("Targets") or []
    own = [each for each in targets if each["Key"] != _REGISTERED]
    named = [value for each in targets if each["Key"] == _REGISTERED for value in each["Values"]]
    if own or not named:
        yield own
    for value in named:
        yield registered[value]


def _fitting(selections: list[Selection], tags: Mapping[str, str]) -> list[Selection]:
    """The selections that back up machines with these tags: those that ask for one of them; without any, those that
    ask for nothing else.
    """
    fitting = [each for each in selections if each.admits(tags)]
    return [each for each in fitting if each.shares(tags)] or fitting


def _with_backups(tags: Mapping[str, str], selections: list[Selection]) -> dict[str, str]:
    """The tags of a lane's machines: the window's, and what the selections ask for, as far as they agree."""
    found = dict(tags)
    for selection in selections:
        if selection.admits(found):
            found |= selection.asked(found)
    return found
