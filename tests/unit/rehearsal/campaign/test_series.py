"""Series of runs: the same whatever the number of processes, counted, repeated, shrunk and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from patchgate.errors import InputError
from patchgate.rehearsal.campaign import checkpoint as checkpoint_module
from patchgate.rehearsal.campaign import series as series_module
from patchgate.rehearsal.campaign.checkpoint import read_checkpoint, write_checkpoint
from patchgate.rehearsal.campaign.ground import Grounds
from patchgate.rehearsal.campaign.mixes import read_mix
from patchgate.rehearsal.campaign.repeating import UnrepeatableError
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.series import (
    Failure,
    Series,
    SeriesResult,
    Tally,
    plan_of,
    run_seed,
    run_series,
)
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.rehearsal.campaign.story import tell
from patchgate.report.campaign_json import render_series_json, render_story_json
from patchgate.report.campaign_text import describe_progress, render_series_text, render_story_text

SERIES = Series(runs=24, first=5, mix="F02,F16,F28", shapes=SHAPES[:1])


@pytest.fixture(scope="module")
def tally(grounds: Grounds) -> Tally:
    counted = Tally()
    for seed in range(SERIES.first, SERIES.first + SERIES.runs):
        run_seed(SERIES, read_mix(SERIES.mix), seed, grounds, counted)
    return counted


def test_the_number_of_processes_changes_nothing(tally: Tally) -> None:
    shown: list[int] = []
    result = run_series(SERIES, jobs=2, progress=lambda so_far: shown.append(so_far.runs))
    assert result.tally == tally
    assert shown[-1] == SERIES.runs
    assert result.held
    assert result.first_failing_seed is None


def test_tallies_of_parts_add_up_in_any_order(grounds: Grounds, tally: Tally) -> None:
    parts = []
    for first, runs in ((20, 9), (5, 10), (15, 5)):
        part = Tally()
        for seed in range(first, first + runs):
            run_seed(SERIES, read_mix(SERIES.mix), seed, grounds, part)
        parts.append(part)
    whole = Tally()
    for part in parts:
        whole.add(part)
    assert whole == tally


def test_a_tally_counts(tally: Tally) -> None:
    assert tally.runs == sum(tally.shapes.values()) == 24
    assert tally.installs >= tally.patched > 0
    assert {"F02", "F16", "F28"} >= set(tally.faults)
    assert all(each.planned >= each.struck > 0 == each.violated for each in tally.faults.values())


def test_through_the_wire_a_run_is_the_same() -> None:
    """There every run deploys anew, and its calls are requests of botocore's; also when a run is repeated."""
    series = replace(SERIES, runs=2, first=0, mix="all")
    assert run_series(replace(series, door="wire")).tally == run_series(series).tally


def test_a_run_that_cannot_be_repeated_is_an_error(grounds: Grounds, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: Iterator[int] = count()

    def other_each_time(*args: Any) -> RunOutcome:
        return replace(carry_out(*args), digest=f"{next(numbers):064x}")

    monkeypatch.setattr(series_module, "carry_out", other_each_time)
    with pytest.raises(UnrepeatableError, match="seed 0 gave two histories"):
        run_seed(SERIES, read_mix("none"), 0, grounds, Tally())


def test_a_series_is_rendered(tally: Tally) -> None:
    result = SeriesResult(SERIES, tally)
    text = render_series_text(result, elapsed=2.0, jobs=1, width=100, color=False, ascii_only=True)
    assert "24 rehearsals  faults F02,F16,F28, seeds 5 to 28, direct door" in text
    assert text.isascii()
    assert text.endswith("no promise was broken\n")
    value = json.loads(render_series_json(result))
    assert (value["runs"], value["violations"], value["first_failing_seed"]) == (24, 0, None)
    assert value["digest"] == f"{tally.digest:064x}"


def test_progress_is_one_line() -> None:
    line = describe_progress(Tally(runs=250, failed_runs=1), 1000, 2.5)
    assert line == "[######..................] 250 of 1,000 runs, 100 a second, 1 broke a promise"


def test_a_story_tells_what_went_wrong_and_what_was_done(grounds: Grounds) -> None:
    plan = plan_of(SERIES, 7, grounds)
    ground = grounds.of(SHAPES[0])
    outcome = carry_out(grounds, ground, plan)
    story = tell(ground, plan, outcome, grounds.stage.cloud.history)
    assert [scene.at for scene in story.scenes] == sorted(scene.at for scene in story.scenes)
    assert {"fault", "lane", "machine"} <= {scene.kind for scene in story.scenes}
    text = render_story_text(story, width=80, color=False, ascii_only=True)
    assert text.startswith("seed 7  lane daily")
    assert text.endswith("every promise was kept\n")
    assert all(len(line) <= 110 for line in text.splitlines())
    value = json.loads(render_story_json(story))
    assert value["plan"]["seed"] == value["seed"] == 7
    assert value["violations"] == []


def test_a_checkpoint_keeps_what_is_done(tmp_path: Path, grounds: Grounds) -> None:
    path, wanted = tmp_path / "checkpoint.json", replace(SERIES, runs=60)
    checkpoint = read_checkpoint(path, wanted)
    assert checkpoint.rest() == [5, 25, 45]
    for first in (45, 5):
        part = Tally()
        for seed in range(first, first + 2):
            run_seed(wanted, read_mix(wanted.mix), seed, grounds, part)
        part.failures.append(Failure(first, "daily", ("F02",), ("proof",), "what"))
        checkpoint.add(first, part)
    path.write_text(write_checkpoint(checkpoint), encoding="utf-8")
    again = read_checkpoint(path, wanted)
    assert again == checkpoint
    assert again.rest() == [25]
    assert read_checkpoint(path, replace(wanted, runs=100)).rest() == [25, 65, 85]


@pytest.mark.parametrize(
    ("content", "series", "said"),
    [
        ("{", replace(SERIES, runs=20), "is no checkpoint"),
        ("[]", replace(SERIES, runs=20), "is no checkpoint"),
        (None, replace(SERIES, runs=20, mix="all"), "belongs to another campaign"),
        (None, replace(SERIES, runs=20, first=0), "belongs to another campaign"),
        (None, replace(SERIES, runs=20, shapes=SHAPES), "belongs to another campaign"),
        (None, replace(SERIES, runs=21), "in steps of 20"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(
    tmp_path: Path, content: str | None, series: Series, said: str
) -> None:
    path = tmp_path / "checkpoint.json"
    text = write_checkpoint(read_checkpoint(path, replace(SERIES, runs=20))) if content is None else content
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_checkpoint(path, series)


def test_other_code_is_other_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, series = tmp_path / "checkpoint.json", replace(SERIES, runs=20)
    path.write_text(write_checkpoint(read_checkpoint(path, series)), encoding="utf-8")
    assert checkpoint_module.code_digest() == checkpoint_module.code_digest()
    monkeypatch.setattr(checkpoint_module, "code_digest", lambda: "another")
    with pytest.raises(InputError, match="other code"):
        read_checkpoint(path, series)
