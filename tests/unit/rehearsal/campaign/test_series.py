"""Series of runs: the same whatever the number of processes, counted, repeated, shrunk and told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from patchgate.emulator.cloud import Params, Result, Scope
from patchgate.emulator.errors import AwsError, EngineFailureError, NotEmulatedError
from patchgate.emulator.light.s3 import S3
from patchgate.errors import InputError
from patchgate.judge.violation import Violation
from patchgate.rehearsal.campaign import checkpoint as checkpoint_module
from patchgate.rehearsal.campaign import series as series_module
from patchgate.rehearsal.campaign.checkpoint import read_checkpoint, write_checkpoint
from patchgate.rehearsal.campaign.ground import Grounds
from patchgate.rehearsal.campaign.mixes import read_mix
from patchgate.rehearsal.campaign.repeating import UnrepeatableError
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.series import (
    Failure,
    FaultTally,
    Series,
    SeriesResult,
    Tally,
    describe_seeds,
    plan_of,
    run_seed,
    run_series,
)
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.rehearsal.campaign.story import tell
from patchgate.rehearsal.campaign.unemulated import refuse_unemulated
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


def test_what_the_embedded_aws_lacks_ends_a_series_of_ours_with_its_seed(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate whose calls are refused for that reason fails safely: counted as a run, it would say something false."""

    grounds.of(SHAPES[0])
    put_object = S3.put_object

    def lack(self: S3, scope: Scope, params: Params) -> Result:
        if "patchgate-gate-" in scope.principal:
            raise NotEmulatedError("objects")
        return put_object(self, scope, params)

    monkeypatch.setattr(S3, "put_object", lack)
    said = f"seed 7, lane {SHAPES[0].name}: RuntimeError: the embedded AWS lacks what a rehearsal needs: .* failed: "
    with pytest.raises(RuntimeError, match=f"{said}.*does not implement objects"):
        run_seed(SERIES, read_mix("none"), 7, grounds, Tally())


@pytest.mark.parametrize("error", [EngineFailureError("s3:PutObject", KeyError("it")), NotEmulatedError("objects")])
def test_what_fails_in_the_embedded_aws_is_refused(error: AwsError) -> None:
    ended = {"event": "FunctionEnded", "function": "gate", "status": "Failure"}
    failed = ended | {"error": {"errorType": "ClientError", "errorMessage": f"An error occurred ({error.code})"}}
    with pytest.raises(RuntimeError, match="the function gate failed"), refuse_unemulated([failed], of_others=False):
        pass
    with pytest.raises(InputError, match="cannot be rehearsed"), refuse_unemulated([failed], of_others=True):
        pass
    with refuse_unemulated([failed | {"status": "Success"}, ended | {"error": "KeyError"}], of_others=False):
        pass
    with pytest.raises(RuntimeError, match="lacks"), refuse_unemulated([], of_others=False):
        raise NotEmulatedError("objects")


def test_f44_a_denied_log_bucket_of_another_account_is_denied_by_it(grounds: Grounds) -> None:
    """Found by seed 28931 of the mix ``all``: the writer may not read the bucket's settings any more, S3 may."""
    series, mix = Series(runs=1, mix="all"), read_mix("all")
    run_seed(series, mix, 28931, grounds, tally := Tally())
    history = grounds.stage.cloud.history.to_json_lines()
    assert tally.faults["F44"].struck == tally.shapes["shared-logs"] == 1
    assert "when calling the PutObject operation: Access Denied" in history


def test_a_series_is_rendered(tally: Tally) -> None:
    result = SeriesResult(SERIES, tally)
    text = render_series_text(result, elapsed=2.0, jobs=1, width=100, color=False, ascii_only=True)
    assert "24 rehearsals  faults F02,F16,F28, seeds 5 to 28, direct door" in text
    assert text.isascii()
    assert text.endswith("no promise was broken\n")
    value = json.loads(render_series_json(result))
    assert (value["runs"], value["violations"], value["first_failing_seed"]) == (24, 0, None)
    assert value["digest"] == f"{tally.digest:064x}"


def _shown(result: SeriesResult, **more: Any) -> list[str]:
    look: dict[str, Any] = {"elapsed": 2.0, "jobs": 1, "width": 100, "color": False, "ascii_only": True}
    return render_series_text(result, **look | more).splitlines()


def test_one_of_a_thing_is_told_as_one() -> None:
    failure = Failure(7, "daily", (), ("proof",), "i-1 was patched without a proof")
    counted = Tally(runs=1, repeated=1, events=1, installs=1, patched=1, denied=1, holds=1, failed_runs=1)
    counted.shapes["daily"] = counted.promises["proof"] = 1
    counted.failures.append(failure)
    counted.faults["F16"] = FaultTally(planned=1, struck=1)
    lines = _shown(SeriesResult(Series(runs=1, first=7, mix="F16,F17"), counted))
    assert lines[0] == "1 rehearsal  faults F16,F17, seed 7, direct door"
    assert "  1 event; 1 install, 1 machine patched, 1 denial, 1 hold" in lines
    assert "; repeated with the same history: 1 run" in " ".join(line.strip() for line in lines)
    assert "  0 of 1 pair of faults met in a run" in lines
    assert "  proof                   1 run" in lines
    assert "  seed 7, lane daily, without faults: i-1 was patched without a proof" in lines


@pytest.mark.parametrize("width", [40, 57, 58, 100])
def test_a_series_fits_on_the_screen(tally: Tally, width: int) -> None:
    failing = Tally(failed_runs=1)
    failing.add(tally)
    failing.promises["closed-after-the-end"] = 1
    failing.failures.append(Failure(7, "daily", ("F02", "F16"), ("proof",), "i-1 was patched without a proof"))
    lines = _shown(SeriesResult(SERIES, failing, before=20), width=width)
    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    assert "F16" in words
    assert "a volume is" in words
    assert f"{tally.digest:064x}" in "".join("".join(lines).split())


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([(3, 3)], "seed 3"),
        ([(0, 59)], "seeds 0 to 59"),
        ([(0, 59), (80, 80)], "seeds 0 to 59 and 80"),
        ([(0, 19), (40, 59), (80, 99)], "seeds 0 to 19, 40 to 59 and 80 to 99"),
    ],
)
def test_seeds_are_told_by_their_spans(spans: list[tuple[int, int]], said: str) -> None:
    assert describe_seeds(spans) == said


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
    assert all(len(line) <= 80 for line in text.splitlines())
    value = json.loads(render_story_json(story))
    assert value["plan"]["seed"] == value["seed"] == 7
    assert value["violations"] == []
    narrow = render_story_text(story, width=40, color=False, ascii_only=True)
    assert max(map(len, narrow.splitlines())) <= 40


def test_a_story_lists_every_broken_promise_also_of_other_cycles(grounds: Grounds) -> None:
    plan = plan_of(SERIES, 7, grounds)
    ground = grounds.of(SHAPES[0])
    outcome = carry_out(grounds, ground, plan)
    start, end = ground.terrain.start, ground.terrain.end
    broken = tuple(
        Violation("proof", at, "111111111111", "us-east-1", f"i-{number}", f"i-{number} was patched", ())
        for number, at in enumerate((end, start))
    )
    story = tell(ground, plan, replace(outcome, violations=broken), grounds.stage.cloud.history)
    text = render_story_text(story, width=100, color=False, ascii_only=True)
    told = text[text.index("2 violations\n") :]
    assert told.index("proof: i-1 was patched") < told.index("proof: i-0 was patched")
    one = tell(ground, plan, replace(outcome, violations=broken[:1]), grounds.stage.cloud.history)
    assert "\n1 violation\n" in render_story_text(one, width=100, color=False, ascii_only=True)


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
        (None, replace(SERIES, runs=21), "in steps of 20, not 21"),
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


def test_steps_that_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_checkpoint(tmp_path / "checkpoint.json", replace(SERIES, runs=21))
    assert caught.value.remedy == "give --runs 40"


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(done="x"),
        lambda value: value.update(tally=None),
        lambda value: value.update(schema=[]),
        lambda value: value.update(more=1),
        lambda value: value.pop("sha256"),
        lambda value: value["tally"].update(digest="no number"),
        lambda value: value["tally"].update(failed_runs=0),
        lambda value: value["tally"].update(more=1),
        lambda value: value["tally"].pop("runs"),
        lambda value: value["done"].append([65, 65]),
    ],
)
def test_a_checkpoint_that_is_not_as_it_was_written_is_refused(tmp_path: Path, change: Change) -> None:
    path, series = tmp_path / "checkpoint.json", replace(SERIES, runs=100)
    checkpoint = read_checkpoint(path, series)
    checkpoint.add(5, Tally(runs=20, failed_runs=1))
    value = json.loads(write_checkpoint(checkpoint))
    path.write_text(json.dumps(value), encoding="utf-8")
    assert read_checkpoint(path, series) == checkpoint
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(InputError, match=r"damaged|belongs to another campaign") as caught:
        read_checkpoint(path, series)
    assert f"remove {path}" in caught.value.remedy


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b"[" * 100_000, b""])
def test_what_is_no_text_of_a_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="no checkpoint of a campaign, or is damaged"):
        read_checkpoint(path, replace(SERIES, runs=20))


def test_a_checkpoint_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_checkpoint(tmp_path, replace(SERIES, runs=20))


@pytest.mark.parametrize(("done", "asked", "least"), [((5, 25, 45), 40, 60), ((45,), 40, 60), ((5, 25, 105), 100, 120)])
def test_a_checkpoint_of_more_runs_than_asked_is_refused(
    tmp_path: Path, done: tuple[int, ...], asked: int, least: int
) -> None:
    path, wanted = tmp_path / "checkpoint.json", replace(SERIES, runs=200)
    checkpoint = read_checkpoint(path, wanted)
    for first in done:
        checkpoint.add(first, Tally(runs=20))
    path.write_text(write_checkpoint(checkpoint), encoding="utf-8")
    said = f"holds runs up to seed {done[-1] + 19}, beyond the {asked} that are asked for"
    with pytest.raises(InputError, match=said) as caught:
        read_checkpoint(path, replace(wanted, runs=asked))
    assert f"--runs {least} or more" in caught.value.remedy
    assert read_checkpoint(path, replace(wanted, runs=least)).tally.runs == 20 * len(done)


def test_other_code_is_other_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, series = tmp_path / "checkpoint.json", replace(SERIES, runs=20)
    path.write_text(write_checkpoint(read_checkpoint(path, series)), encoding="utf-8")
    assert checkpoint_module.code_digest() == checkpoint_module.code_digest()
    monkeypatch.setattr(checkpoint_module, "code_digest", lambda: "another")
    with pytest.raises(InputError, match="other code"):
        read_checkpoint(path, series)
