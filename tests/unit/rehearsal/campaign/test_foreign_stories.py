"""Stories of other people's templates: their machines are in them, by whatever tags, and by one name each."""

from __future__ import annotations

import shutil
from pathlib import Path

from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.story import Story, tell

from .others import backups, grounds_of, task, window, write

ACME = Path(__file__).parent / "acme"


def story_of(directory: Path, faults: str, seed: int) -> Story:
    """The story of a run of the only lane of a directory."""
    with grounds_of(directory) as (grounds, (ground,)):
        plan = draw_plan(seed, read_mix(faults), ground.shape, ground.terrain)
        outcome = carry_out(grounds, ground, plan)
        return tell(ground, plan, outcome, grounds.stage.cloud.history)


def test_the_machines_of_a_violation_are_told_of_by_name(tmp_path: Path) -> None:
    story = story_of(write(tmp_path, patching=window("nightly", task()) | backups()), "F16", 1)
    violation = next(each for each in story.outcome.violations if each.promise == "proof")
    name = next(each.name for each in story.lane.instances if each.instance == violation.instance)
    (told,) = {scene.who for scene in story.scenes if violation.what in scene.what}
    assert told == name
    assert any(f"instance {name}" in scene.what for scene in story.scenes if scene.kind == "fault")
    befell = [scene.what for scene in story.scenes if scene.kind == "machine" and scene.who == name]
    for what in ("backup completed", "volume vol-", "install started"):
        assert any(each.startswith(what) for each in befell), what


def test_a_step_of_a_runbook_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    shutil.copytree(ACME, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "window.yaml").read_text(encoding="utf-8")
    (tmp_path / "window.yaml").write_text(
        text.replace("return {'ok': True}", "raise KeyError('tag')"), encoding="utf-8"
    )
    story = story_of(tmp_path, "none", 0)
    assert [each.what for each in story.outcome.violations if "'tag'" in each.what]
    for name in ("web-0", "web-1", "web-2", "web-3"):
        assert "check failed: KeyError - 'tag'" in {scene.what for scene in story.scenes if scene.who == name}
