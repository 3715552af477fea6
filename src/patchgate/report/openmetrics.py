"""The status of a fleet as OpenMetrics, for a file that a Prometheus node exporter or a gateway reads.

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from patchgate.operations.calendar import KINDS
from patchgate.operations.status.cycles import FINDINGS, OUTCOMES
from patchgate.operations.status.fleet import FleetStatus
from patchgate.operations.status.model import LEVELS, LaneStatus

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family: its name without a type's suffix, type, unit ('' for none) and what it says."""

    name: str
    type: str
    unit: str
    help: str
    samples: tuple[Sample, ...]

    @property
    def suffix(self) -> str:
        return "_info" if self.type == "info" else ""


def render_status_openmetrics(status: FleetStatus) -> str:
    """The exposition, ended by ``# EOF``."""
    lines: list[str] = []
    for family in _families(status):
        if not family.samples:
            continue
        lines.append(f"# TYPE {family.name} {family.type}")
        if family.unit:
            lines.append(f"# UNIT {family.name} {family.unit}")
        lines.append(f"# HELP {family.name} {_escape(family.help)}")
        lines += [f"{family.name}{family.suffix}{_labels(labels)} {value:.15g}" for labels, value in family.samples]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _families(status: FleetStatus) -> Iterator[Family]:
    lanes = status.lanes
    read = [lane for lane in lanes if not lane.error]
    cycles = [(lane, lane.last) for lane in read if lane.last is not None]
    yield _gauge(
        "patchgate_status_timestamp_seconds", "When the status was read.", [({}, status.at.timestamp())], "seconds"
    )
    yield Family(
        "patchgate_lane_level",
        "stateset",
        "",
        "The worst that is the matter with the lane.",
        tuple(
            (_of(lane, patchgate_lane_level=level), float(lane.level == level)) for lane in lanes for level in LEVELS
        ),
    )
    yield Family(
        "patchgate_lane",
        "info",
        "",
        "What is deployed.",
        tuple((_of(lane, version=lane.version, gate=lane.gate), 1.0) for lane in read if lane.version),
    )
    yield _gauge(
        "patchgate_lane_current",
        "Whether this patchgate's version and gate are deployed.",
        ((_of(lane), lane.current) for lane in read),
    )
    yield _gauge(
        "patchgate_lane_stack_healthy",
        "Whether a stack is there, complete and not drifted.",
        ((_of(lane, stack=stage), stack.word == "ok") for lane in read for stage, stack in lane.stacks.items()),
    )
    yield _gauge(
        "patchgate_lane_window_enabled",
        "Whether the maintenance window is enabled.",
        ((_of(lane), lane.window.enabled) for lane in read if lane.window),
    )
    yield _gauge(
        "patchgate_lane_window_expected",
        "Whether a lease is open, so that the window should be enabled.",
        ((_of(lane), lane.window.expected) for lane in read if lane.window),
    )
    yield _gauge(
        "patchgate_lane_frozen", "Whether a freeze parameter is set.", ((_of(lane), bool(lane.frozen)) for lane in read)
    )
    yield _gauge(
        "patchgate_lane_concerns",
        "How many things need a person.",
        (
            (_of(lane, level=level), sum(each.level == level for each in lane.concerns))
            for lane in read
            for level in ("unsafe", "attention")
        ),
    )
    yield _gauge(
        "patchgate_lane_next_run_timestamp_seconds",
        "When it runs next.",
        (
            (_of(lane, run=kind), lane.upcoming[kind].start.timestamp())
            for lane in read
            for kind in KINDS
            if kind in lane.upcoming
        ),
        "seconds",
    )
    yield _gauge(
        "patchgate_lane_last_cycle_timestamp_seconds",
        "When the gate of the last cycle was due.",
        ((_of(lane), last.scheduled.timestamp()) for lane, last in cycles),
        "seconds",
    )
    yield _gauge(
        "patchgate_lane_last_cycle_open",
        "Whether the gate of the last cycle opened.",
        ((_of(lane), last.verdict == "open") for lane, last in cycles),
    )
    yield _gauge(
        "patchgate_lane_last_cycle_findings",
        "What the gate of the last cycle found of its instances.",
        ((_of(lane, finding=name), last.findings.get(name, 0)) for lane, last in cycles for name in FINDINGS),
    )
    yield _gauge(
        "patchgate_lane_last_cycle_outcomes",
        "What the instances reported since the last window's start.",
        (
            (_of(lane, outcome=name), last.outcomes.get(name, 0))
            for lane, last in cycles
            if last.outcomes is not None
            for name in OUTCOMES
        ),
    )


def _gauge(name: str, text: str, samples: Iterable[tuple[Labels, float]], unit: str = "") -> Family:
    return Family(name, "gauge", unit, text, tuple((labels, float(value)) for labels, value in samples))


def _of(lane: LaneStatus, **more: str) -> Labels:
    return {
        "account": lane.account,
        "region": lane.region,
        "os": lane.os,
        "env": lane.env,
        "lane": lane.name,
        **more,
    }  # fmt: skip


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
