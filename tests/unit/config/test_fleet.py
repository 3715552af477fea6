"""Fleet files: the lanes they mean, and every problem of a wrong one at once, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgate.config import FleetConfig, ParameterOverride, parse_fleet, read_fleet
from patchgate.errors import InputError

SAMPLE = Path(__file__).parents[3] / "examples" / "fleet.yaml"

VALID = """\
version: 1
organization: {id: o-a1b2c3d4e5, log_account: "000000000001"}
accounts:
  - {id: 012345678901, name: payments}
  - {id: 222222222222, name: web}
defaults:
  parameters: {RetentionDays: 7, GateMode: coverage}
targets:
  - accounts: [payments, 222222222222]
    regions: [us-east-1]
    operating_systems: [ubuntu, windows]
    environments: [prd]
    parameters: {GateMode: threshold, CreateBackupVault: false}
  - accounts: [web]
    regions: [eu-central-1]
    operating_systems: [ubuntu]
    environments: [dev]
"""


def fleet_of(text: str) -> FleetConfig:
    return parse_fleet(text.encode(), "f.yaml")


def problems_of(text: str) -> list[str]:
    """Every problem of the text, as people see it."""
    with pytest.raises(InputError) as refused:
        fleet_of(text)
    assert refused.value.exit_code == 2
    return [str(problem) for problem in refused.value.problems]


def test_a_target_is_every_combination_of_its_lists() -> None:
    assert [lane.lane.name for lane in fleet_of(VALID).lanes()] == [
        "payments/us-east-1/ubuntu/prd",
        "payments/us-east-1/windows/prd",
        "web/us-east-1/ubuntu/prd",
        "web/us-east-1/windows/prd",
        "web/eu-central-1/ubuntu/dev",
    ]


def test_the_parameters_of_a_target_win_over_the_defaults_and_are_text_as_cloudformation_writes_it() -> None:
    first, *_, last = fleet_of(VALID).lanes()
    assert first.parameters == {"RetentionDays": "7", "GateMode": "threshold", "CreateBackupVault": "false"}
    assert last.parameters == {"RetentionDays": "7", "GateMode": "coverage"}


def test_account_ids_need_no_quotes_and_may_begin_with_0() -> None:
    fleet = fleet_of(VALID)
    assert [account.id for account in fleet.accounts] == ["012345678901", "222222222222"]
    assert fleet.lanes()[0].lane.account == "012345678901"
    assert fleet.log_account == "000000000001"


def test_the_log_account_may_be_named() -> None:
    assert fleet_of(VALID.replace('"000000000001"', "web")).log_account == "222222222222"


def test_the_sample_has_six_lanes_in_two_accounts_and_two_regions() -> None:
    lanes = [lane.lane for lane in read_fleet(SAMPLE).lanes()]
    assert len(lanes) == 6
    assert len({lane.account for lane in lanes}) == len({lane.region for lane in lanes}) == 2


def test_every_problem_is_told_at_once_with_its_place_and_the_nearest_word() -> None:
    assert problems_of(
        """\
version: 2
organisation: {id: o-A}
organization: {id: o-A, log_account: pay, extra: 1}
accounts:
  - {id: 11111111111, name: payments}
  - {id: 222222222222}
targets:
  - accounts: [paymnets, web]
    regions: [us-est-1, mars]
    operating_systems: [ubunut]
    environments: []
    parameters: {Foo-Bar: 1, Fine: [x]}
  - regions: eu-central-1
"""
    ) == [
        "f.yaml:1:10: version cannot be 2 (expected 1)",
        "f.yaml:2:1: unknown key 'organisation' (did you mean 'organization'?)",
        "f.yaml:3:20: 'o-A' is not an organization id (o- and 10 to 32 lower-case letters and digits)",
        "f.yaml:3:38: unknown account 'pay' (one of: payments, 11111111111, 222222222222)",
        "f.yaml:3:43: unknown key 'extra' (one of: id, log_account)",
        "f.yaml:5:10: '11111111111' is not an account id (12 digits)",
        "f.yaml:6:5: missing key 'name'",
        "f.yaml:8:16: unknown account 'paymnets' (did you mean 'payments'?)",
        "f.yaml:8:26: unknown account 'web' (one of: payments, 11111111111, 222222222222)",
        "f.yaml:9:15: unknown Region 'us-est-1' (did you mean 'us-east-1' or 'us-west-1'?)",
        "f.yaml:9:25: unknown Region 'mars'",
        "f.yaml:10:25: unknown operating system 'ubunut' (did you mean 'ubuntu'?)",
        "f.yaml:11:19: targets.environments is empty (at least 1)",
        "f.yaml:12:18: 'Foo-Bar' is not a template parameter's name (letters and digits only)",
        "f.yaml:12:36: targets.parameters.Fine must be text, not a list",
        "f.yaml:13:5: a target without accounts (give accounts, or organizational_units)",
        "f.yaml:13:5: missing key 'operating_systems'",
        "f.yaml:13:5: missing key 'environments'",
        "f.yaml:13:14: targets.regions must be a list, not 'eu-central-1'",
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    regions: [eu", "    region: [eu", "f.yaml:15:5: unknown key 'region' (did you mean 'regions'?)"),
        ("name: web", "nmae: web", "f.yaml:5:24: unknown key 'nmae' (did you mean 'name'?)"),
        (
            "defaults:\n  parameters",
            "defaults:\n  params",
            "f.yaml:7:3: unknown key 'params' (did you mean 'parameters'?)",
        ),
        ("targets:", "target:", "f.yaml:8:1: unknown key 'target' (did you mean 'targets'?)"),
    ],
)
def test_unknown_keys_are_refused_wherever_they_are(old: str, new: str, expected: str) -> None:
    assert expected in problems_of(VALID.replace(old, new))


def test_two_accounts_cannot_share_an_id() -> None:
    assert problems_of(VALID.replace("012345678901", "222222222222"))[:2] == [
        "f.yaml:4:10: account id '222222222222' is given 2 times",
        "f.yaml:5:10: account id '222222222222' is given 2 times",
    ]


def test_a_lane_is_in_one_target_only() -> None:
    text = VALID.replace("eu-central-1", "us-east-1").replace("[dev]", "[dev, prd]")
    assert problems_of(text) == [
        "f.yaml:14:16: lane web/us-east-1/ubuntu/prd is in target 1 already, line 9 (a lane belongs to one target)"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["f.yaml:1:1: the file is empty (start with: patchgate init)"]),
        ("- 1\n", ["f.yaml:1:1: the file must be a mapping, not a list"]),
        ("hello\n", ["f.yaml:1:1: the file must be a mapping, not 'hello'"]),
    ],
)
def test_a_file_of_another_kind_is_refused(text: str, expected: list[str]) -> None:
    assert problems_of(text) == expected


@pytest.mark.parametrize("value", ["null", "yes: 1", "[1]"])
def test_a_value_of_another_kind_is_refused_with_its_line(value: str) -> None:
    (problem,) = problems_of(VALID.replace("[payments, 222222222222]", f"{{{value}}}" if ":" in value else value))
    assert problem.startswith("f.yaml:9:")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*absent\.yaml: No such file"):
        read_fleet(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="cannot read"):
        read_fleet(tmp_path)


def test_overrides_hold_for_the_lanes_that_match_and_the_last_one_wins() -> None:
    fleet = fleet_of(VALID).with_parameters(
        (
            ParameterOverride.parse("*/prd:RetentionDays=14"),
            ParameterOverride.parse("payments/*:RetentionDays=30"),
            ParameterOverride.parse("*:BackupSchedule=cron(0 19 ? * 7 *)"),
        )
    )
    retention = {lane.lane.name: lane.parameters["RetentionDays"] for lane in fleet.lanes()}
    assert retention == {
        "payments/us-east-1/ubuntu/prd": "30",
        "payments/us-east-1/windows/prd": "30",
        "web/us-east-1/ubuntu/prd": "14",
        "web/us-east-1/windows/prd": "14",
        "web/eu-central-1/ubuntu/dev": "7",
    }
    assert {lane.parameters["BackupSchedule"] for lane in fleet.lanes()} == {"cron(0 19 ? * 7 *)"}


def test_without_overrides_the_lanes_are_the_same() -> None:
    fleet = fleet_of(VALID)
    assert fleet.with_parameters(()).lanes() == fleet.lanes()


def test_an_override_that_matches_no_lane_is_refused() -> None:
    with pytest.raises(InputError, match="no lane matches 'mars/"):
        fleet_of(VALID).with_parameters((ParameterOverride.parse("mars/*:RetentionDays=14"),))


@pytest.mark.parametrize("text", ["", "a", "a:b", ":b=c", "a:=c", "a:b c=d", "a=b"])
def test_an_override_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not LANES:NAME=VALUE"):
        ParameterOverride.parse(text)


def test_a_directory_is_not_a_fleet_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*: it is a directory") as refused:
        read_fleet(tmp_path)
    assert refused.value.remedy == "give the path of the fleet file in it"
