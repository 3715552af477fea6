"""F21: every list that the gate's programs read ends early, through both doors, and no promise is broken."""

from __future__ import annotations

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.short_pages import LISTS
from patchgate.rehearsal.campaign.adversary import PAGES
from patchgate.rehearsal.campaign.ground import Grounds, open_grounds
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES

ALWAYS = 10**9
READ = {"/".join(key) for key in LISTS} - {"backup/ListRecoveryPointsByBackupVault"}
"""What the gate's programs list: by vault is how others do it."""


def plan(size: int, shape: str, assumptions: Assumptions | None = None) -> RunPlan:
    return RunPlan(1, shape, assumptions or Assumptions(), (Injection("F21", PAGES, 0, ALWAYS, {"size": size}),), 0)


def cut_lists(grounds: Grounds) -> set[str]:
    """The lists that were cut short in the last run."""
    told = [record for record in grounds.stage.cloud.history.of("FaultInjected") if record["act"] == PAGES]
    return {record["given"].partition(" of ")[0].replace(":", "/") for record in told}


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("size", [0, 1, 2])
@pytest.mark.parametrize("name", ["daily", "volumes"])
def test_f21_short_pages_change_nothing(grounds: Grounds, name: str, size: int, newest_first: bool) -> None:
    (shape,) = (shape for shape in SHAPES if shape.name == name)
    ground = grounds.of(shape)
    assumptions = Assumptions(backup_lists_are_newest_first=newest_first)
    outcome = carry_out(grounds, ground, plan(size, name, assumptions))
    assert (outcome.violations, outcome.patched, outcome.holds) == ((), 4, 0)
    assert outcome.struck == ("F21",)


def test_f21_every_list_of_the_gate_is_cut_short(grounds: Grounds) -> None:
    (shape,) = (shape for shape in SHAPES if shape.name == "daily")
    ground = grounds.of(shape)
    twin = Injection("F22", "further-windows", 60, ALWAYS, {"count": 1, "same_name": True})
    told: set[str] = set()
    for injections in ((), (twin,)):
        wanted = plan(1, shape.name)
        carry_out(grounds, ground, wanted.with_injections((*wanted.injections, *injections)))
        told |= cut_lists(grounds)
    assert told >= READ


def test_f21_through_the_wire_lists_end_as_early(grounds: Grounds) -> None:
    (shape,) = (shape for shape in SHAPES if shape.name == "daily")
    direct = carry_out(grounds, grounds.of(shape), plan(1, shape.name))
    with open_grounds("wire") as wired:
        assert carry_out(wired, wired.of(shape), plan(1, shape.name)) == direct
