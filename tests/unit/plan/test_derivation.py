"""A cycle from one statement: its distances, its exactness, its proof."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from patchgate.domain.regions import regions
from patchgate.operations.check import check_defaults
from patchgate.plan.derivation import CycleTimes, DerivedCycle, derive_cycle
from patchgate.schedule.derivation import build_statement, read_statement

START, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
ZONES = sorted({region.time_zone for region in regions() if region.time_zone})


def derive(
    expression: str, *, offset: int = 0, times: CycleTimes | None = None, exact: bool = False, zone: str = ""
) -> DerivedCycle:
    statement = read_statement(expression, offset_days=offset)
    pinned = (2026, 2028) if exact else None
    return derive_cycle(statement, times or CycleTimes(), [zone] if zone else ZONES, START, UNTIL, pinned=pinned)


def test_the_sources_window_gives_the_shipped_backup_and_gate_and_a_close_that_proves() -> None:
    cycle = derive("cron(0 23 ? * 7 *)")
    assert cycle.holds
    assert [one.expressions for one in cycle.schedules] == [
        ("cron(0 19 ? * SAT *)",),
        ("cron(30 22 ? * SAT *)",),
        ("cron(0 23 ? * 7 *)",),
        ("cron(10 3 ? * SUN *)",),
    ]
    assert not cycle.has_idle_runs
    assert {one.exactness for one in cycle.schedules} == {"exact"}


def test_where_the_first_close_does_not_exist_a_later_one_is_taken() -> None:
    assert derive("cron(0 23 ? * 7 *)", zone="Europe/Helsinki").close.expressions == ("cron(10 4 ? * SUN *)",)


def test_the_close_is_the_same_whenever_one_asks() -> None:
    """In Helsinki 03:10 on the 29th of March is skipped in 2026 and 2037, and in no year between."""
    statement = read_statement("cron(0 23 28 * ? *)")
    for year in (2026, 2027, 2030, 2038):
        begin = datetime(year, 1, 1, tzinfo=UTC)
        cycle = derive_cycle(statement, CycleTimes(), ["Europe/Helsinki"], begin, begin.replace(year=year + 1))
        assert cycle.close.expressions == ("cron(10 4 1,29 * ? *)",)
        assert cycle.holds
        assert [(proof.start.year, proof.until.year) for proof in cycle.proofs] == [(year, year + 1)]


def test_at_the_end_of_awss_years_what_is_left_of_them_decides() -> None:
    begin = datetime(2198, 1, 1, tzinfo=UTC)
    assert derive_cycle(
        read_statement("cron(0 23 ? * 7 *)"), CycleTimes(), ZONES, begin, begin.replace(year=2199)
    ).holds


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 2 1 * ? *)", ("cron(0 22 L * ? *)", "cron(30 1 1 * ? *)", "cron(10 6 1 * ? *)")),
        ("cron(30 0 * * ? *)", ("cron(30 20 * * ? *)", "cron(0 0 * * ? *)", "cron(40 4 * * ? *)")),
        ("cron(0 12 ? * WED#2 *)", ("cron(0 8 ? * WED#2 *)", "cron(30 11 ? * WED#2 *)", "cron(10 16 ? * WED#2 *)")),
        ("cron(0 0 ? * MON 2026-2030)", ("cron(0 20 ? * SUN 2026-2030)", "", "cron(10 4 ? * MON 2026-2030)")),
    ],
)
def test_schedules_cross_midnight_and_month_ends(expression: str, expected: tuple[str, str, str]) -> None:
    cycle = derive(expression, zone="Asia/Tokyo")
    for one, wanted in zip((cycle.backup, cycle.gate, cycle.close), expected, strict=True):
        assert not wanted or one.expressions == (wanted,)
        assert wanted == "" or one.exactness == "exact"


def test_patch_tuesday_and_four_days_is_an_offset_for_the_window_and_a_marked_superset_for_the_others() -> None:
    cycle = derive("cron(0 23 ? * TUE#2 *)", offset=4)
    assert cycle.holds
    assert cycle.window.exactness == "exact"
    assert cycle.window.offset_days == 4
    assert [one.exactness for one in (cycle.backup, cycle.gate, cycle.close)] == ["superset"] * 3
    assert cycle.has_idle_runs
    assert cycle.gate.extra_per_year == pytest.approx(40.2, abs=0.1)
    assert {proof.schedules.window_offset_days for proof in cycle.proofs} == {4}
    assert len(cycle.proofs[0].windows) == 36


@pytest.mark.parametrize(
    ("expression", "offset"),
    [
        ("cron(0 23 ? * TUE#2 *)", 4),
        ("cron(0 23 ? * TUE#2 *)", 0),
        ("cron(0 1 15W * ? *)", 0),
        ("cron(0 1 ? * 2L,6L *)", 0),
        ("cron(0 12 ? * SAT *)", 0),
    ],
)
def test_the_derived_parameters_prove_as_they_are_given_to_the_templates(expression: str, offset: int) -> None:
    cycle = derive(expression, offset=offset)
    parameters = cycle.parameters()
    assert parameters["MaintenanceWindowCronSchedule"] == expression
    assert parameters.get("MaintenanceWindowScheduleOffset", "0") == str(offset)
    result = check_defaults(parameters, START, 3, allow_idle=cycle.has_idle_runs)
    assert result.findings == ()
    assert {proof.windows for proof in cycle.proofs} == {one.proof.windows for one in result.lanes}


def test_an_exact_set_is_not_claimed_to_be_proved() -> None:
    cycle = derive("cron(0 23 ? * TUE#2 *)", exact=True)
    assert not cycle.is_provable
    assert cycle.proofs == ()
    assert (cycle.close.exactness, cycle.close.first_year, cycle.close.last_year) == ("pinned", 2026, 2028)
    assert cycle.gate.exactness == "exact"


def test_words_make_the_same_statement_as_their_expression() -> None:
    assert build_statement("23:00", weekday="tue", ordinal="2", offset_days=4) == read_statement(
        "cron(0 23 ? * TUE#2 *)", offset_days=4
    )


def test_longer_backups_start_earlier_and_widen_the_limits_of_the_gate() -> None:
    cycle = derive("cron(0 23 ? * 7 *)", times=CycleTimes(backup_completion_minutes=900, cutoff_hours=0))
    assert cycle.backup.expressions == ("cron(0 6 ? * SAT *)",)
    assert cycle.holds
    parameters = cycle.parameters()
    assert int(parameters["LookBackHours"]) * 60 >= 16 * 60 + 30 + 30
    assert int(parameters["MaximumProofAgeMinutes"]) >= 20 * 60
    assert "MaximumLeadMinutes" not in parameters


def test_a_lead_beyond_the_default_limit_raises_it() -> None:
    cycle = derive("cron(0 23 ? * 7 *)", times=CycleTimes(lead_minutes=240))
    assert cycle.parameters()["MaximumLeadMinutes"] == "300"
    assert cycle.holds


def test_a_window_that_cannot_prove_is_returned_with_its_violations() -> None:
    cycle = derive("cron(30 2 ? * SUN *)", zone="Europe/Berlin")
    assert not cycle.holds
    assert "gate-missing" in {violation.rule for violation in cycle.proofs[0].violations}
