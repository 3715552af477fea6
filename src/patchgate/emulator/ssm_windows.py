"""Maintenance windows: their definition, whether they are enabled, and when they start.

https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html

Assumptions: instants are written as ``2026-07-05T03:00Z``; Replace without Enabled leaves Enabled as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.ssm_constraints import (
    instant,
    matching,
    page,
    required,
    tag_map,
    unsupported,
    violation,
    within,
)
from patchgate.emulator.ssm_tags import ResourceTags
from patchgate.emulator.ssm_windows_executions import WindowExecutions
from patchgate.emulator.ssm_windows_model import Window, window_times
from patchgate.schedule import ScheduleError, parse

WINDOW_ID = r"mw-[0-9a-f]{17}"
MAXIMUM_WINDOWS = 50
LISTED_OCCURRENCES = 50
_REQUIRED = ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets")
_OPTIONAL = ("Description", "StartDate", "EndDate", "ScheduleTimezone", "ScheduleOffset")


def written(when: datetime) -> str:
    """An instant as Systems Manager writes a window's times."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ" if not when.second else "%Y-%m-%dT%H:%M:%SZ")


class MaintenanceWindows(Component):
    """The windows of every scope. A new one is enabled."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._windows: dict[tuple[str, str], dict[str, Window]] = {}
        self._tokens: dict[tuple[tuple[str, str], str], tuple[dict[str, Any], str]] = {}

    # What other components ask

    def window(self, scope: Scope, window_id: Any) -> Window:
        """The live window; AwsError DoesNotExistException when there is none."""
        matching({"WindowId": window_id}, "WindowId", WINDOW_ID)
        found = self._windows.get(scope.key, {}).get(str(window_id))
        if found is None:
            raise AwsError("DoesNotExistException", f"Maintenance window {window_id} does not exist")
        return found

    def windows(self, scope: Scope) -> list[Window]:
        """Every window of a scope, in order of creation."""
        return list(self._windows.get(scope.key, {}).values())

    def occurrences(self, window: Window) -> Iterator[datetime]:
        """When the window would start from now on (exclusive), whether enabled or not."""
        times = window_times(window.settings, window.created)
        return times.after(self.cloud.now, self.cloud.assumptions.window_clock)

    # Operations

    @operation("CreateMaintenanceWindow")
    def create_maintenance_window(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateMaintenanceWindow.html"""
        required(params, *_REQUIRED)
        given = {key: value for key, value in params.items() if key != "ClientToken"}
        token = params.get("ClientToken")
        if token and (scope.key, token) in self._tokens:
            known, window_id = self._tokens[scope.key, token]
            if known != given:
                raise AwsError("IdempotentParameterMismatch", "The client token was used with other parameters.")
            return {"WindowId": window_id}
        windows = self._windows.setdefault(scope.key, {})
        if len(windows) >= MAXIMUM_WINDOWS:
            raise AwsError("ResourceLimitExceededException", f"You can have at most {MAXIMUM_WINDOWS} windows.")
        settings = _settings(params)
        tags = tag_map(params.get("Tags"))
        now = self.cloud.now
        window = Window(self.cloud.identifier("mw-"), scope.as_principal(""), settings, now, now)
        windows[window.window_id] = window
        self.cloud.component(ResourceTags).put(scope, "MaintenanceWindow", window.window_id, tags)
        if token:
            self._tokens[scope.key, str(token)] = (given, window.window_id)
        self._plan(window)
        self.cloud.record(scope, "WindowCreated", **_described(window))
        return {"WindowId": window.window_id}

    @operation("UpdateMaintenanceWindow")
    def update_maintenance_window(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindow.html"""
        required(params, "WindowId")
        window = self.window(scope, params["WindowId"])
        if params.get("Replace"):
            required(params, *_REQUIRED)
            settings = _settings(params)
        else:
            settings = _settings({**window.settings, **{key: params[key] for key in params if params[key] is not None}})
        if params.get("Enabled") not in (None, True, False):
            raise violation("enabled", params["Enabled"], "Member must be a boolean")
        window.settings, window.modified = settings, self.cloud.now
        if params.get("Enabled") is not None:
            window.enabled = bool(params["Enabled"])
        self._plan(window)
        self.cloud.record(scope, "WindowUpdated", **_described(window), principal=scope.principal)
        if not window.enabled and self.cloud.assumptions.disabling_stops_executions:
            self.cloud.component(WindowExecutions).stop_window(window)
        return {"WindowId": window.window_id, **settings, "Enabled": window.enabled}

    @operation("GetMaintenanceWindow")
    def get_maintenance_window(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindow.html"""
        required(params, "WindowId")
        window = self.window(scope, params["WindowId"])
        return self._identity(window) | {
            "AllowUnassociatedTargets": window.settings["AllowUnassociatedTargets"],
            "CreatedDate": window.created,
            "ModifiedDate": window.modified,
        }

    @operation("DeleteMaintenanceWindow")
    def delete_maintenance_window(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteMaintenanceWindow.html

        Executions in progress go on. One that does not exist is deleted already.
        """
        required(params, "WindowId")
        window_id = str(matching(params, "WindowId", WINDOW_ID))
        window = self._windows.get(scope.key, {}).pop(window_id, None)
        if window is not None:
            if window.timer is not None:
                window.timer.cancel()
            self.cloud.component(ResourceTags).forget(scope, "MaintenanceWindow", window_id)
            self.cloud.record(scope, "WindowDeleted", window=window_id, name=window.name)
        return {"WindowId": window_id}

    @operation("DescribeMaintenanceWindows")
    def describe_maintenance_windows(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindows.html"""
        found = self.windows(scope)
        for item in params.get("Filters") or ():
            found = [window for window in found if _fits(window, item)]
        shapes = [self._identity(window) for window in found]
        return page(shapes, params, "WindowIdentities", least=10, default=50, most=100)

    @operation("DescribeMaintenanceWindowSchedule")
    def describe_maintenance_window_schedule(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowSchedule.html

        At most the next 50 of each window.
        """
        unsupported(params, "DescribeMaintenanceWindowSchedule", "Targets", "Filters", "ResourceType")
        named = params.get("WindowId")
        windows = [self.window(scope, named)] if named else self.windows(scope)
        listed = [item for item in windows if item.enabled or self.cloud.assumptions.disabled_window_lists_schedule]
        entries = sorted(
            ((when, item) for item in listed for when in islice(self.occurrences(item), LISTED_OCCURRENCES)),
            key=lambda entry: (entry[0], entry[1].window_id),
        )
        shapes = [
            {"WindowId": item.window_id, "Name": item.name, "ExecutionTime": written(when)} for when, item in entries
        ]
        return page(shapes, params, "ScheduledWindowExecutions", least=1, default=10, most=50)

    # Inside

    def _identity(self, window: Window) -> dict[str, Any]:
        identity = {key: value for key, value in window.settings.items() if key != "AllowUnassociatedTargets"}
        identity |= {"WindowId": window.window_id, "Enabled": window.enabled}
        following = next(self.occurrences(window), None) if window.enabled else None
        return identity | ({"NextExecutionTime": written(following)} if following is not None else {})

    def _plan(self, window: Window) -> None:
        """Set the timer for the next start; a disabled window passes it by."""
        if window.timer is not None:
            window.timer.cancel()
        following = next(self.occurrences(window), None)
        window.timer = self.cloud.kernel.at(following, self._start, window) if following is not None else None

    def _start(self, window: Window) -> None:
        self._plan(window)
        if window.enabled:
            self.cloud.component(WindowExecutions).start(window)


def _settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """The window's members out of a request, checked; raises ValidationException."""
    settings = {key: params[key] for key in (*_REQUIRED, *_OPTIONAL) if params.get(key) not in (None, "")}
    matching(settings, "Name", r"[a-zA-Z0-9_\-.]{3,128}")
    matching(settings, "Description", r".*", shortest=1, longest=128)
    duration, cutoff = within(settings, "Duration", 1, 24), within(settings, "Cutoff", 0, 23)
    if duration is None or cutoff is None or cutoff >= duration:
        raise AwsError("ValidationException", "Cutoff must be less than Duration.")
    if not isinstance(settings["AllowUnassociatedTargets"], bool):
        raise violation("allowUnassociatedTargets", settings["AllowUnassociatedTargets"], "Member must be a boolean")
    begins, ends = _date(settings, "StartDate"), _date(settings, "EndDate")
    if begins and ends and begins >= ends:
        raise AwsError("ValidationException", "EndDate must be after StartDate.")
    offset = within(settings, "ScheduleOffset", 1, 6) or 0
    try:
        schedule = parse(str(settings["Schedule"]), "ssm")
        moment = datetime(2000, 1, 1, tzinfo=UTC)
        next(
            schedule.occurrences(settings.get("ScheduleTimezone") or "UTC", moment, offset_days=offset, anchor=moment),
            None,
        )
    except ScheduleError as error:
        raise AwsError("ValidationException", f"The schedule is not valid: {error}") from None
    return settings


def _described(window: Window) -> dict[str, Any]:
    """What the history says of a window."""
    terms = {"duration": window.settings["Duration"], "cutoff": window.settings["Cutoff"]}
    return {"window": window.window_id, "name": window.name, "enabled": window.enabled, **terms}


def _date(settings: Mapping[str, Any], member: str) -> datetime | None:
    return instant(str(settings[member]), member) if settings.get(member) else None


def _fits(window: Window, item: Params) -> bool:
    key, values = item.get("Key"), [str(value) for value in item.get("Values") or ()]
    if key == "Name":
        return window.name in values
    if key == "Enabled":
        return str(window.enabled).lower() in [value.lower() for value in values]
    raise violation("filters.key", key, "Member must satisfy enum value set: [Enabled, Name]")
