"""Orders of the gate's calls on the embedded AWS: a few whole searches, what they rest on, and that they find bugs."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.functions import Functions
from patchgate.rehearsal.campaign.ground import open_grounds
from patchgate.rehearsal.campaign.interleavings.__main__ import main
from patchgate.rehearsal.campaign.interleavings.control import ControlledDoor
from patchgate.rehearsal.campaign.interleavings.graph import Choice, Kind
from patchgate.rehearsal.campaign.interleavings.page import cast_label, render_json, render_page, render_text, table_row
from patchgate.rehearsal.campaign.interleavings.search import Bounds
from patchgate.rehearsal.campaign.interleavings.series import (
    LANE,
    ExplorationResult,
    Meeting,
    Theatre,
    casts,
    explore,
    meetings,
    open_theatre,
)
from patchgate.rehearsal.campaign.interleavings.situations import ACTORS, SITUATIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "interleavings.md"
BY_NAME = {situation.name: situation for situation in SITUATIONS}


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with open_theatre() as opened:
        yield opened


def meeting(name: str, *actors: str, **reading: bool) -> Meeting:
    return Meeting(actors, BY_NAME[name], replace(Assumptions(), **reading))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("situation", "actors"), [("gate due", ("gate", "close")), ("window begun", ("watchdog", "prove"))]
)
def test_no_order_breaks_a_promise(theatre: Theatre, situation: str, actors: tuple[str, ...]) -> None:
    pairs, crashes = theatre.search(meeting(situation, *actors), ("pairs", "crashes"))
    assert not pairs.found.counterexamples
    assert not crashes.found.counterexamples
    assert 0 < pairs.found.ends < crashes.found.ends
    assert 1 < pairs.found.states < crashes.found.states
    assert pairs.found.executions < pairs.found.interleavings < crashes.found.interleavings


@pytest.mark.parametrize("situation", ["window begun", "close due"])
def test_merged_orders_are_those_that_are_executed_one_by_one(theatre: Theatre, situation: str) -> None:
    """Every order of a small cast, executed without merging: as many, and with the same histories."""
    explorer = theatre.explorer(meeting(situation, "prove", "stack update"))
    found = explorer.explore(Bounds())
    verdicts = []
    calls = len(theatre.explorer(meeting(situation, "prove")).carry_out([])[1])
    for place in range(calls + 1):
        verdict, steps = explorer.carry_out([Choice(0)] * place + [Choice(1)])
        assert steps[place] == "stack update makes cloudformation:UpdateStack"
        verdicts.append(verdict)
    assert found.interleavings == len(verdicts)
    assert found.ends == len({verdict.digest for verdict in verdicts})
    assert not any(verdict.violations for verdict in verdicts)


def test_orders_at_random_lead_to_known_ends(theatre: Theatre) -> None:
    """Executed whole, with another way to an end than the search took, an order gives the same history to the byte."""
    explorer = theatre.explorer(meeting("gate late", "gate", "close"))
    found = explorer.explore(Bounds())
    coins = random.Random("orders")  # noqa: S311 - the same each time
    for _ in range(12):
        explorer.carry_out([Choice(coins.randrange(2)) for _ in range(8)])  # raises when the history is another
    assert explorer.explore(Bounds()) == replace(found, executions=0, steps=0)


@pytest.mark.parametrize("actor", ["gate", "close", "watchdog", "prove"])
def test_gone_after_a_read_is_gone_before_it(theatre: Theatre, actor: str) -> None:
    """What the search takes for granted of calls that change nothing, executed."""
    asked = meeting("lease open", actor)
    number = len(theatre.explorer(asked).carry_out([])[1])
    for calls in range(number - 1):
        before, after = (
            theatre.explorer(asked).carry_out([*[Choice(0)] * calls, Choice(0, kind)])
            for kind in (Kind.CRASH_BEFORE, Kind.CRASH_AFTER)
        )
        if after[1][-1].rpartition(":")[2].startswith(("Get", "List", "Describe")):
            assert before[0] == after[0]
        else:
            assert before[0].digest != after[0].digest


def test_the_same_search_finds_the_same(theatre: Theatre) -> None:
    asked = meeting("admission ends", "watchdog", "stack update")
    assert theatre.search(asked, ("pairs",)) == theatre.search(asked, ("pairs",))


# Bugs

CLOSE_LEASE = 'lane.mark(cycle, {"closed": format_instant(now), "next": memory_of(window)})'
MARK_TOLD = 'lane.mark(cycle, json.loads(leases[cycle]["closed"]) | {"told": True})'
UNMARKED = 'json.dumps({"closed": ""})'


@contextmanager
def broken_theatre(program: str, *edits: tuple[str, str]) -> Iterator[Theatre]:
    """A theatre in which a function's code has a bug: texts that occur once, and what stands in their places."""
    with open_grounds(ControlledDoor) as grounds:
        ground = grounds.of(LANE)
        cloud, name = grounds.stage.cloud, ground.terrain.programs[program]
        source = cloud.component(Functions).function(ground.terrain.scope, name).package.modules["index"]
        for old, new in edits:
            assert source.count(old) == 1
            source = source.replace(old, new)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("index.py", source)
        code = {"FunctionName": name, "ZipFile": archive.getvalue()}
        cloud.invoke(ground.terrain.scope, "lambda", "UpdateFunctionCode", code)
        yield Theatre(grounds.stage, replace(ground, deployed=cloud.snapshot()))


def test_a_lease_that_is_not_created_at_once_is_found() -> None:
    """Look, then write: each gate by itself is sound, and so are two of them, one after the other."""
    put = 'self.ssm.put_parameter(Name=name, Value=json.dumps(terms), Type="String", Overwrite='
    look = 'if "open" not in self.leases().get(cycle, {}):\n                '
    with broken_theatre("open", (put + "False)", look + put + "True)")) as theatre:
        explorer = theatre.explorer(meeting("gate due", "gate", "duplicate gate"))
        assert not explorer.explore(Bounds(preemptions=0)).counterexamples
        found = explorer.explore(Bounds(preemptions=1)).counterexamples
        assert found
        first = found[0]
        assert any(violation.startswith("lease-once") for violation in first.violations)
        writes = [step for step in first.steps if step.endswith("ssm:PutParameter")]
        assert sorted(writes) == ["duplicate gate makes ssm:PutParameter", "gate makes ssm:PutParameter"]
        again = theatre.explorer(meeting("gate due", "gate", "duplicate gate")).carry_out(first.schedule)
        assert (again[0].violations, again[1]) == (first.violations, first.steps)


def test_a_close_that_forgets_the_lease_is_found() -> None:
    with broken_theatre("close", (CLOSE_LEASE, UNMARKED), (MARK_TOLD, "pass")) as theatre:
        rows = theatre.search(meeting("close due", "gate", "close"), ("pairs",))
        result = ExplorationResult(tuple(rows))
        assert not result.held
        (_, first), *_ = result.counterexamples()
        assert any("lease" in violation for violation in first.violations)
        assert "lease" in render_text(result)
        assert "close makes ssm:UpdateMaintenanceWindow" in render_text(result)
        (row,) = json.loads(render_json(result))["rows"]
        assert row["violations"][0]["steps"] == list(first.steps)


def test_what_only_a_crash_shows_is_found() -> None:
    """Leases closed after the window, and only with it: a close that is gone between the two never closes its lease."""
    disable = 'lane.disable_window(window["WindowId"])'
    later = f"{disable}\n  [{CLOSE_LEASE} for cycle in closed]"
    edits = (CLOSE_LEASE, UNMARKED), (MARK_TOLD, f"found_open and {MARK_TOLD}"), (disable, later)
    with broken_theatre("close", *edits) as theatre:
        explorer = theatre.explorer(meeting("close due", "close"))
        assert not explorer.explore(Bounds()).counterexamples
        found = explorer.explore(Bounds(crashes=1)).counterexamples
        assert all("crashes" in one.steps[-1] for one in found)
        assert any("lease-closed" in one.violations[0] and "after ssm:Update" in one.steps[-1] for one in found)


# What is searched


def test_every_pair_and_triple_meets() -> None:
    assert {frozenset(cast) for cast in casts("pairs")} == {
        frozenset((one, other))
        for one in ACTORS
        for other in ACTORS
        if one < other and ("duplicate gate" not in (one, other) or "gate" in (one, other))
    }
    assert len(casts("triples")) == 14
    assert {cast for cast in casts("crashes") if len(cast) == 1} == {(a,) for a in ACTORS if a != "duplicate gate"}


def test_open_questions_are_asked_both_ways() -> None:
    asked = list(meetings(("watchdog", "stack update"), [BY_NAME["window begun"]]))
    assert len(asked) == len({one.assumptions for one in asked}) == 8
    assert {one.reading for one in meetings(("gate", "close"), [BY_NAME["gate due"]])} == {""}
    assert not list(meetings(("close", "watchdog"), [BY_NAME["gate late"]]))


def test_the_page_says_what_is_found() -> None:
    """The numbers never change by themselves: where they do, make the page anew with `make interleavings`."""
    cast = ("prove", "stack update")
    seen: list[tuple[int, int]] = []
    result = explore(("pairs",), only=[cast], progress=lambda done, of, _: seen.append((done, of)))
    assert result.held
    assert seen == [(number, len(seen)) for number in range(1, len(seen) + 1)]
    text = PAGE.read_text(encoding="utf-8")
    assert table_row(cast_label(cast), result.rows) in text
    made = render_page(result)
    assert text.startswith(made[: made.index("### ")])


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--jobs", "0"])
    assert refused.value.code == 2
    assert "at least 1" in capsys.readouterr().err
