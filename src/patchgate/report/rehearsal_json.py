"""A rehearsal for programs: one JSON object, sorted and ASCII, the same for the same seed."""

from __future__ import annotations

import json
from typing import Any

from patchgate.judge.violation import Violation
from patchgate.rehearsal.outcome import InstanceOutcome, LaneResult, RehearsalResult, Status


def render_rehearsal_json(result: RehearsalResult) -> str:
    """The result as JSON, ended by a line feed; ``schema`` is the version of this form.

    ``lanes``, ``cycles`` and ``events`` are counts. ``patched``, ``denied``, ``failed`` (with unreachable ones) and
    ``skipped`` (not running) name every instance once; ``lane_results`` holds each lane's verdict and spans, in UTC.
    Real time is left out, so that the same seed gives the same bytes.
    """
    value = {
        "schema": result.schema,
        "seed": result.seed,
        "start": result.start.isoformat(),
        "end": result.end.isoformat(),
        "lanes": len(result.lanes),
        "cycles": result.cycles,
        "events": result.events,
        "stacks": result.stacks,
        "resources": result.resources,
        "patched": [_instance(*one) for one in _ended(result, "patched", "patched-pending-reboot")],
        "denied": [_instance(*one) for one in _ended(result, "denied")],
        "failed": [_instance(*one) for one in _ended(result, "failed", "unreachable")],
        "skipped": [_instance(*one) for one in _ended(result, "skipped")],
        "violations": [violation_value(one) for one in result.violations],
        "windows_left_open": result.windows_left_open,
        "lane_results": [_lane(lane) for lane in result.lanes],
        "contrast": _contrast(result),
    }
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def _ended(result: RehearsalResult, *statuses: Status) -> list[tuple[LaneResult, InstanceOutcome]]:
    return [(lane, instance) for lane, instance in result.instances() if instance.status in statuses]


def _instance(lane: LaneResult, instance: InstanceOutcome) -> dict[str, str]:
    facts = {
        "lane": lane.lane.name,
        "instance": instance.instance,
        "name": instance.name,
        "status": instance.status,
        "reason": instance.reason,
        "fault": instance.fault,
        "detail": instance.detail,
        "next_step": instance.next_step,
    }
    return {key: value for key, value in facts.items() if value}


def violation_value(violation: Violation) -> dict[str, Any]:
    """A violation as JSON values, its instant in UTC."""
    return {
        "promise": violation.promise,
        "at": violation.at.isoformat(),
        "account": violation.account,
        "region": violation.region,
        "instance": violation.instance,
        "what": violation.what,
        "witness": list(violation.witness),
    }


def _lane(lane: LaneResult) -> dict[str, Any]:
    return {
        "lane": lane.lane.name,
        "account": lane.lane.account,
        "region": lane.lane.region,
        "operating_system": lane.lane.operating_system,
        "environment": lane.lane.environment,
        "zone": lane.lane.zone,
        "cycles": lane.cycles,
        "instances": len(lane.instances),
        "patched": lane.patched,
        "verdict": {
            "decision": lane.verdict.decision,
            "reason": lane.verdict.reason,
            "detail": lane.verdict.detail,
        },
        "spans": [
            {"kind": span.kind, "start": span.start.isoformat(), "end": span.end.isoformat()} for span in lane.spans
        ],
    }


def _contrast(result: RehearsalResult) -> dict[str, int] | None:
    if result.contrast is None:
        return None
    return {
        "patched_without_way_back": result.contrast.patched_without_way_back,
        "naive_patched_without_way_back": result.contrast.naive_patched_without_way_back,
        "naive_patched": result.contrast.naive_patched,
    }
