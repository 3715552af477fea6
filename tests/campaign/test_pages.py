"""The order of AWS Backup's lists: nothing to the gate, everything to one that reads only a list's first page."""

from __future__ import annotations

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.ground import Grounds
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES

from .bugs import BUGS
from .seeding import SOUND, Bug, open_broken_grounds

ONE_BY_ONE = Injection("F21", "pages", 0, 10**9, {"size": 1})


def outcome_of(grounds: Grounds, *, newest_first: bool) -> RunOutcome:
    plan = RunPlan(7, "daily", Assumptions(backup_lists_are_newest_first=newest_first), (ONE_BY_ONE,), None)
    return carry_out(grounds, grounds.of(next(shape for shape in SHAPES if shape.name == "daily")), plan)


@pytest.mark.parametrize(("bug", "alike"), [(SOUND, True), (BUGS["prove-jobs-first-page"], False)])
def test_the_order_of_lists_matters_to_a_proof_that_reads_only_their_first_page(bug: Bug, alike: bool) -> None:
    with open_broken_grounds(bug) as grounds:
        newest = outcome_of(grounds, newest_first=True)
        oldest = outcome_of(grounds, newest_first=False)
    assert newest.violations == ()
    assert newest.patched == 4
    assert (oldest == newest) is alike
    assert bool(oldest.violations) is not alike
