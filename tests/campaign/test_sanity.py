"""A small piece of `make campaign-sanity`: some bugs are found, and the same seeds without them break no promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .bugs import BUGS
from .sanity import main, measure, problems
from .seeding import SOUND

FEW = ("lease-oldest", "evidence-missing", "scan-installs")


def test_bugs_are_found_and_their_absence_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    results, checked = measure([BUGS[name] for name in FEW], runs=2, limit=2, jobs=1)
    assert [result.search.bug for result in results] == list(FEW)
    assert all(result.found and result.first_seed is not None and result.promise for result in results)
    assert [(control.search.bug, control.runs, control.found) for control in checked] == [(SOUND.name, 2, 0)]
    assert problems(results, checked) == []
    assert "[3/3] scan-installs: found in" in capsys.readouterr().err


def test_the_page_says_how_it_is_made_and_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    assert main(["--bugs", "scan-installs", "--runs", "1", "--limit", "1", "--page", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert "python -m tests.campaign.sanity --runs 1 --limit 1" in text
    assert "1 of 1 bugs are found" in text
    assert "| `scan-installs` |" in text


def test_a_bug_that_is_not_found_is_said_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--bugs", "volumes-dropped", "--faults", "none", "--runs", "1", "--limit", "1", "--output", "json"]
    assert main(options) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["problems"] == ["volumes-dropped is not found in 1 runs"]
    assert "volumes-dropped is not found" in said.err


def test_a_bug_that_is_found_is_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bugs", "scan-installs", "--runs", "1", "--limit", "1", "--output", "json"]) == 0
    (bug,) = json.loads(capsys.readouterr().out)["bugs"]
    assert (bug["search"]["bug"], bug["found"], bug["first_seed"]) == ("scan-installs", 1, 0)
    assert bug["promises"]
    assert set(bug["promises"].values()) == {1}


def test_a_bug_that_there_is_not_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bugs", "nonsense"]) == 2
    assert "there is no bug 'nonsense'" in capsys.readouterr().err
