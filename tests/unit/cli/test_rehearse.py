"""What ``patchgate rehearse`` and ``patchgate demo`` make of their options, before anything is run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from patchgate.cli.installed import require_emulator
from patchgate.cli.program import describe_program
from patchgate.cli.rehearse import (
    RehearsalRequest,
    check_lane,
    describe_request,
    locate_world,
    read_start,
    rehearse,
)
from patchgate.cli.root import run
from patchgate.cli.sample import sample_directory
from patchgate.config import ParameterOverride, read_fleet
from patchgate.errors import InputError, MissingExtraError, PatchgateError

CONTEXT = rehearse.make_context("rehearse", [])
START = next(parameter for parameter in rehearse.params if parameter.name == "start")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-28", datetime(2026, 3, 28, tzinfo=UTC)),
        ("2026-03-28T12:30", datetime(2026, 3, 28, 12, 30, tzinfo=UTC)),
        ("2026-03-28T12:30:00+01:00", datetime(2026, 3, 28, 11, 30, tzinfo=UTC)),
        (None, None),
    ],
)
def test_the_start_is_utc_unless_it_says_otherwise(text: str | None, expected: datetime | None) -> None:
    start = read_start(CONTEXT, START, text)
    assert start == expected
    assert start is None or start.tzinfo is UTC


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--start", "tomorrow"], "'tomorrow' is not a date"),
        (["--seed", "-1"], "-1"),
        (["--cycles", "0"], "0"),
        (["--parameter", "GateMode=threshold"], "is not LANES:NAME=VALUE"),
        (["--parameter", "*:Gate-Mode=threshold"], "is not LANES:NAME=VALUE"),
        (["--output", "xml"], "'xml' is not one of 'text', 'json'"),
        (["absent/fleet.yaml"], "cannot read absent/fleet.yaml"),
        (["."], "cannot read .: it is a directory"),
        (["--start", "1960-01-01"], "a rehearsal starts between 2001-09-10 and 2286-11-01"),
        (["--start", "2001-09-09T23:59:59"], "a rehearsal starts between"),
        (["--start", "2287-01-01"], "a rehearsal starts between"),
        (["--start", "0001-01-01T00:00+14:00"], "is not a date"),
        (["absent.yaml", "--world", "."], "cannot read absent.yaml"),
        (["--world", "absent"], "there is no world directory absent"),
        (["--lane", "payments/us-east-1/windos/prd", "--world", "."], "did you mean 'payments/us-east-1/windows/prd'?"),
        (["--parameter", "nowhere/*:GateMode=threshold", "--world", "."], "no lane matches 'nowhere/*'"),
        (["--history", "absent/h.jsonl", "--world", "."], "there is no directory absent"),
        (["--runtime", "faithful", "--door", "direct"], "--runtime faithful needs --door wire"),
        (["--runtime", "fast", "--endpoint-url", "http://127.0.0.1:1"], "--runtime is for the engine of this process"),
    ],
)
def test_wrong_input_is_told_in_one_message_and_exits_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rehearse", *arguments]) == 2
    output, message = capsys.readouterr()
    assert output == ""
    assert words in message
    assert len(message.splitlines()) <= 2


def test_where_the_embedded_aws_is_missing_one_line_says_how_to_get_it() -> None:
    with pytest.raises(MissingExtraError) as missing:
        require_emulator(lambda package: None if package == "greenlet" else object())
    assert str(missing.value).endswith("pip install 'patchgate[emulator]'")
    assert not missing.value.remedy


def test_the_world_is_beside_the_fleet_file_unless_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    (tmp_path / "other").mkdir()
    fleet = tmp_path / "fleet.yaml"
    assert locate_world(None, fleet) == tmp_path / "world"
    assert locate_world(tmp_path / "other", fleet) == tmp_path / "other"
    with pytest.raises(InputError, match="there is no world directory") as absent:
        locate_world(None, tmp_path / "below" / "fleet.yaml")
    assert "--world DIR" in absent.value.remedy


def test_a_request_is_told_as_the_command_that_repeats_it() -> None:
    assert describe_request(RehearsalRequest(lane="x", output="json"), "./pg") == "./pg rehearse"
    full = RehearsalRequest(
        fleet=Path("my fleet.yaml"),
        world=Path("night"),
        seed=7,
        start=datetime(2026, 3, 28, 11, 30, tzinfo=UTC),
        cycles=3,
        overrides=(ParameterOverride("*/prd", "GateMode", "threshold"),),
        units={"ou-ab12-cdef3456": ("111111111111", "222222222222")},
    )
    assert describe_request(full, "patchgate") == (
        "patchgate rehearse 'my fleet.yaml' --world night --seed 7 --start 2026-03-28T11:30:00Z --cycles 3 "
        "--parameter '*/prd:GateMode=threshold' --unit ou-ab12-cdef3456=111111111111,222222222222"
    )


def test_a_lane_is_named_exactly() -> None:
    fleet = read_fleet(sample_directory() / "fleet.yaml")
    check_lane(None, fleet)
    check_lane("web/eu-central-1/redhat/prd", fleet)
    with pytest.raises(InputError, match="no lane is called 'web'"):
        check_lane("web", fleet)


def test_an_installation_without_the_sample_says_so(tmp_path: Path) -> None:
    with pytest.raises(PatchgateError, match="the sample fleet is missing"):
        sample_directory((tmp_path,))


def test_the_closing_words_name_the_program_so_that_it_can_be_typed(tmp_path: Path) -> None:
    program = tmp_path / ".venv" / "bin" / "patchgate"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    nowhere = str(tmp_path / "nowhere")
    assert describe_program(str(program), tmp_path, nowhere) == str(Path(".venv", "bin", "patchgate"))
    assert describe_program(str(program), tmp_path / "elsewhere", nowhere) == str(program)
    assert describe_program(str(program), tmp_path, str(program.parent)) == "patchgate"
    assert describe_program(str(tmp_path / "a b" / "patchgate"), tmp_path, nowhere) == f'"{Path("a b", "patchgate")}"'
    assert describe_program("/x/patchgate/__main__.py", tmp_path, nowhere) == "python -m patchgate"
