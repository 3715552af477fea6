"""Shrinking: what is left of a plan breaks first the promise that the whole plan broke first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from patchgate.rehearsal.campaign.ground import Ground, Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.shrinking import shrink

from .others import backups, broken, grounds_of, run, task, window, write


def test_a_promise_that_every_run_breaks_does_not_take_the_place_of_the_first(tmp_path: Path) -> None:
    """Nobody closes the window, so that every run breaks ``window``; the volume that is swapped breaks ``proof``."""
    found = window("nightly", task()) | backups()
    with grounds_of(write(tmp_path, patching=found)) as (grounds, (ground,)):
        assert broken(run(grounds, ground, "none", 0)) == {"window"}
        plan = draw_plan(1, read_mix("F16"), ground.shape, ground.terrain)
        outcome = carry_out(grounds, ground, plan)
        assert broken(outcome) == {"proof", "window"}
        assert outcome.violations[0].promise == "proof"
        shrunk = shrink(grounds, ground, plan, outcome)
        assert [injection.fault for injection in shrunk.plan.injections] == ["F16"]
        assert shrunk.outcome.violations[0].promise == "proof"


def test_what_nothing_went_wrong_in_cannot_be_shrunk(grounds: Grounds, daily: Ground) -> None:
    plan = replace(draw_plan(0, read_mix("none"), daily.shape, daily.terrain), injections=())
    outcome = carry_out(grounds, daily, plan)
    with pytest.raises(ValueError, match="seed 0 broke no promise"):
        shrink(grounds, daily, plan, outcome)
