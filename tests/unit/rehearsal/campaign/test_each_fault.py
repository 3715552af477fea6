"""Each fault alone: a few runs in which only this goes wrong. It strikes, and no promise is broken.

The page of campaigns links every number to its test here. More tests of a number, wherever, are named ``test_fNN_...``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from patchgate.rehearsal.campaign.faults import FAULTS
from patchgate.rehearsal.campaign.ground import Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES

SEEDS, MORE_SEEDS = range(4), range(4, 24)
"""Every fault has the first ones; one that has not struck by then goes on."""
BY_LANE = {"F53": "calendar"}
Alone = Callable[[str], None]


@pytest.fixture
def alone(grounds: Grounds) -> Alone:
    """Runs a fault alone: fails unless it strikes, and where a promise is broken."""

    def run(number: str) -> None:
        shape = next(shape for shape in SHAPES if shape.name == BY_LANE.get(number, "daily"))
        ground, mix = grounds.of(shape), read_mix(number)
        struck = False
        for seed in (*SEEDS, *MORE_SEEDS):
            if seed in MORE_SEEDS and struck:
                break
            outcome = carry_out(grounds, ground, draw_plan(seed, mix, shape, ground.terrain))
            assert outcome.violations == (), f"patchgate rehearse --faults {number} --replay {seed}"
            assert set(outcome.struck) <= {number}
            struck |= number in outcome.struck
        assert struck

    return run


def test_every_fault_has_a_test_of_its_own() -> None:
    own = {
        name.split("_")[1]
        for name in globals()
        if name.startswith("test_") and name != "test_every_fault_has_a_test_of_its_own"
    }
    assert own == {number.lower() for number in FAULTS}


def test_f01_backups_still_run_when_the_gate_decides(alone: Alone) -> None:
    alone("F01")


def test_f02_backup_jobs_fail(alone: Alone) -> None:
    alone("F02")


def test_f03_a_backup_job_ends_partial(alone: Alone) -> None:
    alone("F03")


def test_f04_a_backup_completes_with_issues(alone: Alone) -> None:
    alone("F04")


def test_f05_a_failed_backup_is_repeated(alone: Alone) -> None:
    alone("F05")


def test_f06_there_is_no_backup_at_all(alone: Alone) -> None:
    alone("F06")


def test_f07_another_resources_job_is_in_the_vault(alone: Alone) -> None:
    alone("F07")


def test_f08_a_machine_has_no_backup_job(alone: Alone) -> None:
    alone("F08")


def test_f09_a_failed_job_of_the_day_before_stands_beside_todays(alone: Alone) -> None:
    alone("F09")


def test_f10_a_job_is_created_on_the_edge_of_the_look_back(alone: Alone) -> None:
    alone("F10")


def test_f13_the_newest_recovery_point_is_too_old(alone: Alone) -> None:
    alone("F13")


def test_f14_recovery_points_are_deleted_before_the_patch(alone: Alone) -> None:
    alone("F14")


def test_f15_the_backup_role_may_not_use_the_key(alone: Alone) -> None:
    alone("F15")


def test_f16_a_volume_is_attached_after_the_backup(alone: Alone) -> None:
    alone("F16")


def test_f17_a_machine_and_its_volumes_are_both_backed_up(alone: Alone) -> None:
    alone("F17")


def test_f18_a_tag_is_wrong(alone: Alone) -> None:
    alone("F18")


def test_f19_a_second_window_runs_the_lanes_install(alone: Alone) -> None:
    alone("F19")


def test_f20_the_window_is_renamed(alone: Alone) -> None:
    alone("F20")


def test_f21_something_is_beyond_the_first_page_of_its_list(alone: Alone) -> None:
    alone("F21")


def test_f22_two_windows_have_the_same_name(alone: Alone) -> None:
    alone("F22")


def test_f23_the_window_is_enabled_by_hand(alone: Alone) -> None:
    alone("F23")


def test_f24_a_stack_is_updated(alone: Alone) -> None:
    alone("F24")


def test_f26_a_close_comes_while_the_window_opens(alone: Alone) -> None:
    alone("F26")


def test_f27_a_schedule_is_late_or_never_comes(alone: Alone) -> None:
    alone("F27")


def test_f28_a_function_is_invoked_twice(alone: Alone) -> None:
    alone("F28")


def test_f29_reads_go_wrong(alone: Alone) -> None:
    alone("F29")


def test_f30_writes_go_wrong(alone: Alone) -> None:
    alone("F30")


def test_f31_the_close_fails(alone: Alone) -> None:
    alone("F31")


def test_f32_the_window_is_disabled_midway(alone: Alone) -> None:
    alone("F32")


def test_f33_installs_run_into_the_cutoff(alone: Alone) -> None:
    alone("F33")


def test_f34_an_install_fails(alone: Alone) -> None:
    alone("F34")


def test_f35_commands_are_cancelled(alone: Alone) -> None:
    alone("F35")


def test_f36_the_patch_group_has_no_baseline(alone: Alone) -> None:
    alone("F36")


def test_f38_agents_are_silent_or_old(alone: Alone) -> None:
    alone("F38")


def test_f39_a_machine_is_stopped_or_terminated(alone: Alone) -> None:
    alone("F39")


def test_f40_a_patch_leaves_the_machine_impaired(alone: Alone) -> None:
    alone("F40")


def test_f41_a_machine_is_patched_by_half(alone: Alone) -> None:
    alone("F41")


def test_f42_the_disk_is_full(alone: Alone) -> None:
    alone("F42")


def test_f43_a_machine_is_replaced(alone: Alone) -> None:
    alone("F43")


def test_f44_the_log_bucket_denies_the_write(alone: Alone) -> None:
    alone("F44")


def test_f45_a_key_denies_a_call(alone: Alone) -> None:
    alone("F45")


def test_f46_every_backup_is_refused(alone: Alone) -> None:
    alone("F46")


def test_f47_rates_are_exceeded_everywhere(alone: Alone) -> None:
    alone("F47")


def test_f50_the_window_has_no_gate(alone: Alone) -> None:
    alone("F50")


def test_f51_two_stack_updates_come_at_once(alone: Alone) -> None:
    alone("F51")


def test_f52_tags_hold_markup(alone: Alone) -> None:
    alone("F52")


def test_f53_a_freeze_is_put_and_lifted(alone: Alone) -> None:
    alone("F53")


def test_f55_an_agent_is_lost_between_proof_and_install(alone: Alone) -> None:
    alone("F55")


def test_f56_deliveries_are_slow(alone: Alone) -> None:
    alone("F56")


def test_f57_there_is_more_than_the_window_holds(alone: Alone) -> None:
    alone("F57")


def test_f58_the_same_backup_is_cancelled_every_time(alone: Alone) -> None:
    alone("F58")


def test_f59_somebody_forges_evidence(alone: Alone) -> None:
    alone("F59")


def test_f60_somebody_patches_by_hand(alone: Alone) -> None:
    alone("F60")


def test_clock_clocks_are_wrong(alone: Alone) -> None:
    alone("clock")


def test_crash_programs_die_at_a_call(alone: Alone) -> None:
    alone("crash")
