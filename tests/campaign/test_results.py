"""The page of the full campaigns says what their checkpoints say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from patchgate.rehearsal.campaign.checkpoint import Checkpoint, write_checkpoint
from patchgate.rehearsal.campaign.series import Failure, FaultTally, Series, Tally
from tests.campaign import results

MAKEFILE = Path(__file__).parents[2] / "Makefile"


def kept(path: Path, tally: Tally, *, mix: str = "all", first: int = 0) -> Path:
    checkpoint = Checkpoint(Series(runs=100_000, first=first, mix=mix), tally, {first})
    path.write_text(write_checkpoint(checkpoint), encoding="utf-8")
    return path


@pytest.fixture
def tally() -> Tally:
    faults = {"F16": FaultTally(planned=1700, struck=1600), "F28": FaultTally(planned=90, struck=80)}
    return Tally(runs=1234, installs=5678, digest=255, faults=faults, pairs={("F16", "F28"), ("F16", "F16")})


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_page_tells_what_is_done_and_what_struck(tmp_path: Path, tally: Tally) -> None:
    page = tmp_path / "page.md"
    assert results.main([str(kept(tmp_path / "all.json", tally)), "--page", str(page)]) == 0
    found = page.read_text(encoding="utf-8")
    assert "**No promise was broken.**" in found
    told = rows(found)
    assert "| `patchgate rehearse --runs 100000 --faults all --checkpoint FILE` | 1,234 of 100,000 |" in told
    assert "| installs | 5,678 |" in told
    assert any(line.startswith("| pairs of faults met | 1 of ") for line in told)
    assert any(line.startswith("| F16 | ") and line.endswith("| 1,700 | 1,600 | 0 |") for line in told)
    assert any(line.startswith("| F01 | ") and line.endswith(" |  |  |  |") for line in told)
    assert f"| `all` | 1,234 | `{255:064x}` |" in told


def test_a_broken_promise_is_on_the_page_and_in_the_exit_code(
    tmp_path: Path, tally: Tally, capsys: pytest.CaptureFixture[str]
) -> None:
    tally.failed_runs = 1
    tally.failures = [Failure(77, "daily", ("F16",), ("no-lease",), "installed | without")]
    assert results.main([str(kept(tmp_path / "all.json", tally))]) == 1
    found = capsys.readouterr().out
    assert "No promise was broken" not in found
    assert "| `all` | 77 | daily | no-lease | installed \\| without |" in found


def test_both_campaigns_stand_side_by_side(tmp_path: Path, tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    both = [kept(tmp_path / "all.json", tally), kept(tmp_path / "default.json", Tally(runs=1_000_000), mix="default")]
    assert results.main(list(map(str, both))) == 0
    told = rows(capsys.readouterr().out)
    assert "| `patchgate rehearse --runs 1000000 --faults default --checkpoint FILE` | all |" in told
    assert "| installs | 5,678 | 0 |" in told


@pytest.mark.parametrize(("mix", "first"), [("F16", 0), ("all", 20)])
def test_other_campaigns_are_refused(
    tmp_path: Path, tally: Tally, capsys: pytest.CaptureFixture[str], mix: str, first: int
) -> None:
    assert results.main([str(kept(tmp_path / "all.json", tally, mix=mix, first=first))]) == 2
    assert "no part of the full campaigns" in capsys.readouterr().err


def test_what_other_code_ran_is_refused(tmp_path: Path, tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    path = kept(tmp_path / "all.json", tally)
    value = json.loads(path.read_text(encoding="utf-8"))
    value["series"]["code"] = "0" * 64
    path.write_text(json.dumps(value), encoding="utf-8")
    assert results.main([str(path)]) == 2
    assert "other code" in capsys.readouterr().err


def test_the_makefile_asks_for_as_many_runs() -> None:
    commands = MAKEFILE.read_text(encoding="utf-8")
    for mix, runs in results.AIMS.items():
        assert f"$(CAMPAIGN) --runs {runs} --faults {mix} --checkpoint campaign-{mix}.json" in commands
