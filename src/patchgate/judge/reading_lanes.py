"""Reads what befell lanes: leases, holds, freezes, calendars, and maintenance windows with their executions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from patchgate.errors import InputError
from patchgate.judge.doings import Execution, Lease, Terms, Window
from patchgate.judge.facts import Facts
from patchgate.judge.freezes import Calendar
from patchgate.judge.lane import Place
from patchgate.judge.records import Handlers, Record, instant, instant_said
from patchgate.judge.sayings import parsed
from patchgate.judge.spans import Changes, Cut


class LaneReader:
    """Fills leases, holds, freezes, calendars and windows of the facts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._executions: dict[str, Execution] = {}

    def handlers(self) -> Handlers:
        return {
            "ParameterPut": self._parameter_put,
            "ParameterDeleted": self._parameter_deleted,
            "CalendarChanged": self._calendar_changed,
            "CalendarDeleted": self._calendar_deleted,
            "WindowCreated": self._window_changed,
            "WindowUpdated": self._window_changed,
            "WindowDeleted": self._window_deleted,
            "WindowExecutionStarted": self._window_started,
            "WindowExecutionEnded": self._window_ended,
        }

    # Leases, holds, freezes

    def _parameter_put(self, record: Record, cut: Cut, place: Place) -> None:
        path, _, leaf = record["name"].rpartition("/")
        match leaf:
            case "open":
                lease = _lease(path, record, cut)
                if lease is not None:
                    self.facts.leases.setdefault((place, path.rpartition("/")[0]), []).append(lease)
            case "closed":
                for lease in self._leases(place, path):
                    lease.closed = cut.seq if lease.closed is None else lease.closed
                said = parsed(record["value"])
                if isinstance(said, Mapping) and said.get("told"):
                    self.facts.told.setdefault((place, path.rpartition("/")[0]), []).append(cut)
            case "hold":
                self.facts.holds.setdefault((place, path.rpartition("/")[0]), []).append((cut, path.rpartition("/")[2]))
            case "freeze":
                self.facts.freezes.setdefault((place, record["name"]), Changes()).add(cut.seq, value=True)
            case "due":
                self.facts.due.setdefault((place, path), Changes()).add(
                    cut.seq, instant_said(str(record["value"]).partition(" ")[0])
                )
            case "window-id":
                self.facts.window_ids.setdefault((place, path), Changes()).add(cut.seq, str(record["value"]))

    def _parameter_deleted(self, record: Record, cut: Cut, place: Place) -> None:
        path, _, leaf = record["name"].rpartition("/")
        match leaf:
            case "open":
                for lease in self._leases(place, path):
                    lease.deleted = cut.seq if lease.deleted is None else lease.deleted
                self._unremember(place, path, cut)
            case "hold":
                self._unremember(place, path, cut)
            case "due":
                self.facts.due.setdefault((place, path), Changes()).add(cut.seq, None)
            case "freeze":
                self.facts.freezes.setdefault((place, record["name"]), Changes()).add(cut.seq, value=False)
            case "window-id":
                self.facts.window_ids.setdefault((place, path), Changes()).add(cut.seq, "")

    def _leases(self, place: Place, path: str) -> list[Lease]:
        lane_path = path.rpartition("/")[0]
        return [lease for lease in self.facts.leases.get((place, lane_path), []) if lease.path == path]

    def _unremember(self, place: Place, path: str, cut: Cut) -> None:
        lane_path, _, cycle = path.rpartition("/")
        self.facts.unremembered.setdefault((place, lane_path), []).append((cut, cycle))

    # Calendars

    def _calendar_changed(self, record: Record, cut: Cut, place: Place) -> None:
        exceptions = tuple((instant(begin), instant(end)) for begin, end in record["exceptions"])
        calendar = Calendar(record["default"] == "CLOSED", exceptions)
        self.facts.calendars.setdefault((place, record["calendar"]), Changes()).add(cut.seq, calendar)

    def _calendar_deleted(self, record: Record, cut: Cut, place: Place) -> None:
        self.facts.calendars.setdefault((place, record["calendar"]), Changes()).add(cut.seq, None)

    # Windows

    def _window_changed(self, record: Record, cut: Cut, place: Place) -> None:
        windows = self.facts.windows.setdefault(place, {})
        window = windows.get(record["window"])
        if window is None:
            window = windows[record["window"]] = Window(record["window"], record.get("name", ""))
        window.enabled.add(cut.seq, value=bool(record["enabled"]))
        duration, cutoff = record.get("duration"), record.get("cutoff")
        if isinstance(duration, int) and isinstance(cutoff, int):
            window.terms.add(cut.seq, Terms(timedelta(hours=duration), timedelta(hours=cutoff)))
        window.changes.append((cut, bool(record["enabled"])))

    def _window_deleted(self, record: Record, cut: Cut, place: Place) -> None:
        window = self.facts.windows[place][record["window"]]
        window.enabled.add(cut.seq, value=False)
        window.deleted = True

    def _window_started(self, record: Record, cut: Cut, place: Place) -> None:
        window = self.facts.windows.get(place, {}).get(record["window"])
        if window is not None:
            execution = Execution(record["execution"], cut.at)
            window.executions.append(execution)
            self._executions[execution.execution] = execution

    def _window_ended(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        execution = self._executions.get(record["execution"])
        if execution is not None:
            execution.ended, execution.status = cut.at, record["status"]


def _lease(path: str, record: Record, cut: Cut) -> Lease | None:
    """The lease that a parameter holds; None when it is not one of an open verdict, so that nothing rests on it."""
    value = parsed(record["value"])
    if not isinstance(value, Mapping) or value.get("verdict") != "open":
        return None
    try:
        start, end, until = (instant(value[key]) for key in ("window_start", "window_end", "admit_until"))
    except (KeyError, InputError):
        return None
    window = value.get("window_id")
    return Lease(
        path,
        path.rpartition("/")[2],
        cut,
        int(record.get("version", 1)),
        start,
        end,
        until,
        window if isinstance(window, str) else "",
    )
