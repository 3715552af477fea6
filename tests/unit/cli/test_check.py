"""``patchgate check``, ``schedule`` and ``calendar`` from the command line: output, exit codes, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from patchgate.cli.capacity import count_instances
from patchgate.cli.check import describe_defaults, read_parameters
from patchgate.cli.root import run
from patchgate.config import ParameterOverride
from patchgate.errors import InputError
from patchgate.schedule import tzdata_release

FLEET = str(Path(__file__).parents[3] / "examples" / "fleet.yaml")
LATER_CLOSE = ["--parameter", "DisableMaintenanceWindow=cron(10 4 ? * 1 *)"]
FROM = ["--start", "2026-01-01"]


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(arguments)
    output, message = capsys.readouterr()
    return code, output + message


def test_defaults_that_hold_exit_with_0_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, wrapped = ran(capsys, "check", *FROM)
    text = " ".join(wrapped.split())
    assert code == 0
    assert "Order proved: each of " in text
    assert "tzdata 20" in text
    assert "the gate to the window 30 min" in text


def test_the_source_documents_schedules_exit_with_3_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = ran(
        capsys,
        "check",
        *FROM,
        "--parameter",
        "CheckBackUpJobAndEnableMaintenanceWindow=cron(0 22 27 1,4,7,10 ? *)",
        "--parameter",
        "DisableMaintenanceWindow=cron(0 23 27 1,4,7,10 ? *)",
        "--parameter",
        "TimeZone=America/New_York",
    )
    assert code == 3
    words = " ".join(text.split())
    assert "no gate runs before the window: 516 of 522 windows in each of 48: us-east-1" in words
    assert "0 min after the start of a window that lasts 3 h" in words
    assert "a gate runs and no window follows: 34 of 40 gates in each of 48" in words
    assert "Order broken: 5 rules" in words


def test_a_fleet_file_is_proved_lane_by_lane(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = ran(capsys, "check", FLEET, *FROM, *LATER_CLOSE, "--output", "json")
    value = json.loads(text)
    assert code == 3
    assert value["proved"] is False
    assert [finding["rule"] for finding in value["findings"]] == ["backup-unfinished"]
    assert {one["lane"]: one["proved"] for one in value["lanes"]}["payments/us-east-1/ubuntu/prd"] is False
    assert sum(one["proved"] for one in value["lanes"]) == 5
    mended = ["--parameter", "*/ubuntu/prd:BackupCompletionWindowMinutes=120"]
    assert ran(capsys, "check", FLEET, *FROM, *LATER_CLOSE, *mended)[0] == 0


def test_instances_are_counted_against_the_window(capsys: pytest.CaptureFixture[str]) -> None:
    mended = ["--parameter", "*/ubuntu/prd:BackupCompletionWindowMinutes=120"]
    code, text = ran(capsys, "check", FLEET, *FROM, *LATER_CLOSE, *mended, "--instances", "*/windows/*:40")
    assert code == 0
    assert "payments/us-east-1/windows/prd: 40 instances, 10 at once, up to 40 a window" in text
    assert ran(capsys, "check", FLEET, *FROM, *LATER_CLOSE, *mended, "--instances", "*/windows/*:4000")[0] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "--parameter", "GateMode"], "give NAME=VALUE"),
        (["check", "--parameter", "*/prd:GateMode=threshold"], "there are no lanes"),
        (["check", "--parameter", "GateMod=threshold"], "did you mean 'GateMode'?"),
        (["check", "--instances", "*:4"], "--instances needs a fleet file"),
        (["check", FLEET, "--instances", "windows"], "is not LANES:COUNT"),
        (["check", FLEET, "--instances", "nowhere/*:4"], "no lane matches 'nowhere/*'"),
        (["check", FLEET, "--parameter", "nowhere/*:GateMode=threshold"], "no lane matches 'nowhere/*'"),
        (["check", "--years", "0"], "0"),
        (["check", "absent.yaml"], "cannot read absent.yaml"),
        (["check", "--parameter", "BackupSchedule=cron(0 19 ? * 8 *)"], "8 is outside 1-7"),
        (["schedule", "next", "cron(0 25 ? * 7 *)"], "25 is outside 0-23"),
        (["schedule", "next", "cron(0 5 * * ? *)", "--timezone", "Europe/Berlln"], "did you mean Europe/Berlin"),
        (["schedule", "next", "rate(1 hours)", "--dialect", "ssm"], "singular"),
        (["schedule", "explain", "cron(0 5 * * ? *)", "--dialect", "quartz"], "quartz"),
        (["schedule", "derive"], "give EXPRESSION, or --at"),
        (["schedule", "derive", "cron(0 5 * * ? *)", "--at", "05:00"], "give EXPRESSION, or --at"),
        (["schedule", "derive", "rate(1 day)"], "only a cron expression"),
        (["schedule", "derive", "cron(0 5 * * ? *)", "--cutoff", "3"], "--cutoff must be less than --duration"),
        (["calendar", "--lane", "nowhere"], "no lane matches 'nowhere'"),
        (["calendar", "--output-file", "absent/x.ics"], "there is no directory absent"),
    ],
)
def test_wrong_input_is_told_and_exits_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = ran(capsys, *arguments)
    assert code == 2
    assert words in text


def test_a_value_may_hold_colons_and_equal_signs() -> None:
    context, parameter = None, None
    read = read_parameters(context, parameter, ("WatchdogSchedule=at(2026-01-01T00:00:00)", "*/prd:GateMode=coverage"))  # type: ignore[arg-type]
    assert read == (
        ParameterOverride("*", "WatchdogSchedule", "at(2026-01-01T00:00:00)"),
        ParameterOverride("*/prd", "GateMode", "coverage"),
    )
    assert describe_defaults(read[:1]).endswith("with WatchdogSchedule=at(2026-01-01T00:00:00)")


def test_the_last_pattern_counts() -> None:
    assert count_instances(["a/x", "b/x"], (("*", 5), ("b/*", 7))) == {"a/x": 5, "b/x": 7}
    with pytest.raises(InputError, match="no lane matches 'c'"):
        count_instances(["a/x"], (("c", 1),))


def test_next_prints_local_time_and_utc(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["cron(0 23 ? * SAT *)", "--timezone", "Europe/Berlin", "--after", "2026-07-01", "--count", "2"]
    assert ran(capsys, "schedule", "next", *arguments) == (
        0,
        "Sat 2026-07-04 23:00:00 +02:00  2026-07-04T21:00:00Z\nSat 2026-07-11 23:00:00 +02:00  2026-07-11T21:00:00Z\n",
    )


def test_next_shows_every_reading_where_aws_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["cron(30 2 ? * SUN *)", "--dialect", "ssm", "--timezone", "Europe/Berlin", "--after", "2026-03-28"]
    _, text = ran(capsys, "schedule", "next", *arguments, "--count", "1")
    assert text.splitlines() == [
        "Sun 2026-03-29 02:30:00 Europe/Berlin: does not exist, clocks go forward",
        "    skipped: no run (one of the possible readings)",
        "    at the clock change: 2026-03-29T01:00:00Z (one of the possible readings)",
        "    shifted: 2026-03-29T01:30:00Z (one of the possible readings)",
    ]
    value = json.loads(ran(capsys, "schedule", "next", *arguments, "--count", "1", "--output", "json")[1])
    assert [reading["name"] for reading in value["runs"][0]["readings"]] == [
        "skipped",
        "at the clock change",
        "shifted",
    ]


def test_next_says_when_there_is_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(capsys, "schedule", "next", "cron(0 5 ? * * 2020)") == (0, "It has expired: it does not run any more.\n")
    assert ran(capsys, "schedule", "next", "cron(0 5 30 2 ? *)") == (
        0,
        "It never runs: no instant from 1970 to 2199 matches it.\n",
    )
    beyond = ran(capsys, "schedule", "next", "rate(5 minutes)", "--after", "9999-12-30")
    assert beyond == (0, "It never runs: no instant from 1970 to 2199 matches it.\n")
    skipped = ["at(2026-03-29T02:30:00)", "--dialect", "ssm", "--timezone", "Europe/Berlin", "--after", "2026-01-01"]
    _, text = ran(capsys, "schedule", "next", *skipped)
    assert "shifted: 2026-03-29T01:30:00Z" in text
    assert "It never" not in text


def test_explain_speaks_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = ran(
        capsys, "schedule", "explain", "cron(10 2 ? * 1 *)", "--timezone", "America/New_York", "--after", "2026-01-01"
    )
    assert code == 0
    assert "  Runs at 02:10 on Sundays.\n" in text
    assert "Sun 2026-03-08 02:10:00 America/New_York: does not exist, clocks go forward" in text
    assert "https://docs.aws.amazon.com/scheduler/" in text
    arguments = ["rate(5 minutes)", "--after", "2026-01-01", "--output", "json"]
    value = json.loads(ran(capsys, "schedule", "explain", *arguments)[1])
    assert value["next"][0] == "2026-01-01T00:05:00+00:00"


def test_derive_prints_parameters_that_check_proves(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = ran(capsys, "schedule", "derive", "cron(30 1 ? * WED *)", *FROM, "--output", "json")
    value = json.loads(text)
    assert (code, value["proved"], value["broken"]) == (0, True, [])
    assert (value["start"], value["until"]) == ("2026-01-01T00:00:00+00:00", "2036-01-01T00:00:00+00:00")
    assert value["tzdata"] == tzdata_release()
    parameters = [part for name, given in value["parameters"].items() for part in ("--parameter", f"{name}={given}")]
    assert ran(capsys, "check", *FROM, *parameters)[0] == 0


def test_derive_marks_what_one_expression_cannot_say(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--at",
        "23:00",
        "--weekday",
        "TUE",
        "--ordinal",
        "2",
        "--offset-days",
        "4",
        "--timezone",
        "UTC",
        *FROM,
    ]
    code, text = ran(capsys, "schedule", "derive", *arguments)
    assert code == 0
    assert "cron(30 22 ? * SAT *)  superset: 40.2 further runs a year" in text
    assert 'MaintenanceWindowScheduleOffset: "4"' in text
    assert "The window needs" not in text
    code, text = ran(capsys, "schedule", "derive", *arguments, "--exact", "--years", "1")
    assert code == 0
    assert "exact from 2026 to 2027, then expired" in text
    assert "SAT#2 2026" in text
    assert "The window needs ScheduleOffset 4." in text
    assert "is not proved" in " ".join(text.split())
    assert "Order proved" not in text
    code, text = ran(capsys, "schedule", "derive", *arguments, "--exact", "--years", "1", "--output", "json")
    value = json.loads(text)
    assert (code, value["proved"], value["tzdata"], value["start"], value["zones"]) == (0, None, None, None, [])
    assert "is not proved" in " ".join(ran(capsys, "schedule", "derive", "--help")[1].split())


def test_derive_gives_the_window_as_it_was_stated(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["schedule", "derive", "cron(0 1 15W * ? *)", *FROM, "--timezone", "UTC", "--years", "2"]
    code, text = ran(capsys, *arguments, "--output", "json")
    value = json.loads(text)
    assert code == 0
    assert value["schedules"]["window"]["expressions"] == ["cron(0 1 15W * ? *)"]
    assert value["schedules"]["window"]["exactness"] == "exact"
    assert value["schedules"]["gate"]["exactness"] == "superset"


def test_the_schedule_offset_of_a_window_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--parameter", "MaintenanceWindowScheduleOffset=4"]
    given += ["--parameter", "MaintenanceWindowCronSchedule=cron(0 23 ? * TUE *)"]
    _, text = ran(capsys, "check", *FROM, *given, "--years", "1", "--output", "json")
    assert {one["schedules"]["window_offset_days"] for one in json.loads(text)["lanes"]} == {4}
    _, text = ran(capsys, "calendar", FLEET, *FROM, *given, "--days", "7", "--format", "json")
    offsets = {entry["kind"]: entry["offset_days"] for entry in json.loads(text)["entries"]}
    assert offsets == {"backup": 0, "gate": 0, "window": 4, "close": 0}


def test_a_calendar_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "windows.ics"
    arguments = ["calendar", FLEET, *FROM, "--days", "7", "--only", "window", "--format", "ics"]
    assert ran(capsys, *arguments, "--output-file", str(target)) == (0, "")
    assert target.read_bytes().count(b"BEGIN:VEVENT\r\n") == 6
    code, text = ran(capsys, "calendar", FLEET, *FROM, "--days", "7", "--lane", "web/*", "--format", "json")
    assert code == 0
    assert {entry["kind"] for entry in json.loads(text)["entries"]} == {"backup", "gate", "window", "close"}


def test_a_calendar_file_without_an_event_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "windows.ics"
    arguments = ["calendar", FLEET, "--start", "2026-01-05", "--days", "2", "--format"]
    assert run([*arguments, "ics", "--output-file", str(target)]) == 2
    assert "nothing runs from 2026-01-05 to 2026-01-07" in capsys.readouterr().err
    assert not target.exists()
    assert ran(capsys, *arguments, "text") == (0, "Nothing runs in that time.\n")


def test_a_file_too_large_for_change_calendar_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calendar", FLEET, *FROM, "--days", "90", "--format", "ics"]) == 0
    output, message = capsys.readouterr()
    assert output.startswith("BEGIN:VCALENDAR")
    assert "SSM Change Calendar takes 64 KB in all" in message


YEAR_2026 = (
    "BackupSchedule=cron(0 19 ? * 7 2026)",
    "CheckBackUpJobAndEnableMaintenanceWindow=cron(30 22 ? * 7 2026)",
    "MaintenanceWindowCronSchedule=cron(0 23 ? * 7 2026)",
    "DisableMaintenanceWindow=cron(10 4 ? * 1 2026)",
)


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_proof_says_that_patching_ends(capsys: pytest.CaptureFixture[str], output: str) -> None:
    given = [word for value in (*YEAR_2026, "TimeZone=Asia/Tokyo") for word in ("--parameter", value)]
    code, text = ran(capsys, "check", *FROM, *given, "--output", output)
    assert code == 0
    note = "the last window is Sat 2026-12-26 23:00 local time; then the schedule has expired"
    assert note in " ".join(text.split())


@pytest.mark.parametrize("output", ["text", "json"])
def test_derive_says_that_patching_ends(capsys: pytest.CaptureFixture[str], output: str) -> None:
    arguments = ["cron(0 12 ? * 7 2026)", *FROM, "--timezone", "Asia/Tokyo", "--output", output]
    code, text = ran(capsys, "schedule", "derive", *arguments)
    assert code == 0
    note = "the last window is Sat 2026-12-26 12:00 local time; then the schedule has expired"
    assert note in " ".join(text.split())


def test_derive_says_which_zones_a_note_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    zones = ["--timezone", "Asia/Tokyo", "--timezone", "America/Santiago"]
    _, text = ran(capsys, "schedule", "derive", "cron(30 23 ? * SAT *)", *FROM, *zones)
    assert "Note: America/Santiago: " in text
    assert "a clock change repeats the window's start" in " ".join(text.split())


@pytest.mark.parametrize("arguments", [["check"], ["schedule", "derive", "cron(0 12 ? * 7 *)"]])
def test_years_that_schedules_do_not_have_are_not_proved(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, text = ran(capsys, *arguments, "--start", "2195-01-01", "--years", "20")
    assert code == 2
    assert "20 years from 2195-01-01 end after 2199, the last year of AWS's schedules" in " ".join(text.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["schedule", "next", "cron(0 5 * * ? *)", "--after", "1999-12-31"],
        ["schedule", "next", "cron(0 5 * * ? *)", "--after", "0001-01-01"],
        ["schedule", "next", "cron(0 5 * * ? *)", "--after", "9999-12-31"],
        ["schedule", "explain", "cron(30 2 * * ? *)", "--after", "0001-01-01", "--timezone", "Europe/Berlin"],
        ["schedule", "explain", "cron(30 2 * * ? *)", "--dialect", "ssm", "--after", "9999-12-31"],
        ["schedule", "next", "rate(1 day)", "--after", "1999-12-31", "--anchor", "1980-06-01"],
        ["schedule", "derive", "cron(0 12 ? * 7 *)", "--start", "1990-01-01", "--years", "1"],
        ["check", *LATER_CLOSE, "--start", "1999-12-31"],
        ["calendar", "--start", "1970-01-01", "--days", "7"],
        ["calendar", "--start", "2199-12-31", "--days", "3660"],
    ],
)
def test_schedules_know_more_years_than_rehearsals(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, text = ran(capsys, *arguments)
    assert code == 0, text
    assert "rehears" not in text


@pytest.mark.parametrize("start", ["1969-12-31", "2200-01-01", "2200-01-01T00:30-02:00"])
@pytest.mark.parametrize("arguments", [["check"], ["calendar"], ["schedule", "derive", "cron(0 12 ? * 7 *)"]])
def test_what_is_proved_or_shown_begins_in_the_years_of_schedules(
    capsys: pytest.CaptureFixture[str], arguments: list[str], start: str
) -> None:
    code, text = ran(capsys, *arguments, "--start", start)
    assert code == 2
    assert "AWS's schedules run from 1970 to 2199" in " ".join(text.split())


def test_a_rehearsal_keeps_its_own_limit(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = ran(capsys, "rehearse", "--start", "1999-12-31")
    assert code == 2
    assert "a rehearsal starts between 2001-09-10 and 2286-11-01" in " ".join(text.split())


def test_derive_says_the_first_case_of_what_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["cron(30 1 ? * SUN *)", *FROM, "--timezone", "Europe/Dublin"]
    code, text = ran(capsys, "schedule", "derive", *arguments)
    words = " ".join(text.split())
    assert code == 3
    assert not any(line.endswith(":") for line in text.splitlines() if "idle" in line)
    assert "a backup runs that belongs to no window: first Sat 2026-03-28 21:30" in words
    assert f"Order broken in 1 of 1 time zone, 2026-01-01 to 2036-01-01, tzdata {tzdata_release()}:" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lead", "1440"], ["MaximumLeadMinutes is '1500': from 5 to 1440"]),
        (
            ["--backup-completion", "10080"],
            ["LookBackHours is '171': from 1 to 168", "MaximumProofAgeMinutes is '10380': from 60 to 10080"],
        ),
    ],
)
def test_derive_refuses_what_the_templates_refuse(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    code, text = ran(capsys, "schedule", "derive", "cron(0 23 1 * ? *)", *FROM, "--timezone", "UTC", *arguments)
    assert code == 2
    assert all(word in text for word in words)
    assert "give a smaller lead" in " ".join(text.split())
    assert "proved" not in text
