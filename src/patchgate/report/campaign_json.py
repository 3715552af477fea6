"""A campaign for programs: one JSON object, sorted and ASCII. Real time is left out."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from patchgate.rehearsal.campaign.series import SeriesResult
from patchgate.rehearsal.campaign.shrinking import Counterexample
from patchgate.rehearsal.campaign.story import Story
from patchgate.report.rehearsal_json import violation_value

SCHEMA = 1


def render_series_json(result: SeriesResult, counterexample: Counterexample | None = None) -> str:
    """A series as JSON: ``runs``, ``violations`` (runs that broke a promise), ``first_failing_seed`` (or null), ...

    ``not_applicable`` names the faults of the mix that can do nothing on a lane, by lane, with the reason.
    ``counterexample`` is the shrunk plan of the first failing seed, with its violations.
    """
    series, tally = result.series, result.tally
    value = {
        "schema": SCHEMA,
        "runs": tally.runs,
        "first_seed": series.first,
        "faults": series.mix,
        "door": series.door,
        "violations": tally.failed_runs,
        "first_failing_seed": result.first_failing_seed,
        "promises_broken": dict(tally.promises),
        "failures": [asdict(failure) for failure in tally.failures],
        "events": tally.events,
        "installs": tally.installs,
        "patched": tally.patched,
        "denied": tally.denied,
        "holds": tally.holds,
        "calm_runs": tally.calm,
        "repeated_runs": tally.repeated,
        "digest": f"{tally.digest:064x}",
        "lanes": dict(tally.shapes),
        "by_fault": {number: asdict(each) for number, each in tally.faults.items()},
        "not_applicable": tally.not_applicable,
        "pairs_met": sum(1 for one, other in tally.pairs if one != other),
        "counterexample": None if counterexample is None else _counterexample(counterexample),
    }
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def render_story_json(story: Story) -> str:
    """One run as JSON: its plan, its violations, and what happened, in UTC."""
    value = {
        "schema": SCHEMA,
        "seed": story.plan.seed,
        "plan": story.plan.as_json(),
        "digest": story.outcome.digest,
        "events": story.outcome.events,
        "violations": [violation_value(each) for each in story.outcome.violations],
        "timeline": [
            {"at": scene.at.isoformat(), "kind": scene.kind, "who": scene.who, "what": scene.what}
            for scene in story.scenes
        ],
    }
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def _counterexample(found: Counterexample) -> dict[str, Any]:
    return {
        "plan": found.plan.as_json(),
        "runs": found.runs,
        "violations": [violation_value(each) for each in found.outcome.violations],
    }
