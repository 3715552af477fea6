"""Campaigns on the command line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from importlib import resources
from multiprocessing import active_children
from pathlib import Path

import pytest
from tests.patience import within_patience
from tests.unit.rehearsal.campaign.others import NAIVE

from patchgate.cli.root import run
from patchgate.rehearsal.campaign.checkpoint import Checkpoint
from patchgate.rehearsal.campaign.series import Tally

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def naive(tmp_path: Path) -> Path:
    """The directory of a team that counts backup jobs."""
    template = resources.files("patchgate.rehearsal").joinpath("naive/naive-gate.yaml").read_text(encoding="utf-8")
    (tmp_path / "patching.yaml").write_text(template, encoding="utf-8")
    (tmp_path / "patching.parameters.json").write_text(json.dumps(NAIVE | {"Environment": "prd"}), encoding="utf-8")
    return tmp_path


def test_a_campaign_keeps_every_promise(capsys: Captured) -> None:
    assert run(["rehearse", "--runs", "6", "--faults", "F02,F28", "--jobs", "1", "--output", "json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["runs"], value["violations"], value["first_failing_seed"]) == (6, 0, None)
    assert value["counterexample"] is None
    assert set(value["by_fault"]) == {"F02", "F28"}


def test_a_replay_tells_one_run(capsys: Captured) -> None:
    assert run(["rehearse", "--faults", "F16", "--replay", "3", "--output", "json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["seed"] == 3
    assert any("F16" in scene["what"] for scene in value["timeline"])
    assert run(["rehearse", "--faults", "F16", "--replay", "3"]) == 0
    assert "every promise was kept" in capsys.readouterr().out


def test_templates_of_others_break_promises_and_the_counterexample_is_small(naive: Path, capsys: Captured) -> None:
    command = ["rehearse", "--templates", str(naive), "--region", "eu-central-1", "--faults", "F02,F16"]
    assert run([*command, "--runs", "4", "--jobs", "1", "--output", "json"]) == 3
    value = json.loads(capsys.readouterr().out)
    assert value["violations"] > 0
    assert value["promises_broken"]["proof"] > 0
    assert len(value["counterexample"]["plan"]["injections"]) == 1
    assert run([*command, "--runs", "4", "--jobs", "1"]) == 3
    text = capsys.readouterr().out
    assert "shrunk to 1 injection in " in text
    assert f"--faults F02,F16 --replay {value['first_failing_seed']}" in text
    assert run([*command, "--replay", str(value["first_failing_seed"])]) == 3


def test_what_does_not_apply_to_templates_of_others_is_said_and_not_counted(naive: Path, capsys: Captured) -> None:
    command = ["rehearse", "--templates", str(naive), "--faults", "F53,F39", "--jobs", "1"]
    run([*command, "--runs", "3", "--output", "json"])
    value = json.loads(capsys.readouterr().out)
    lane = "maintenance-window-amazonlinux-prd-us-east-1"
    assert value["not_applicable"] == {"F53": {lane: "no parameter freezes these templates"}}
    assert set(value["by_fault"]) == {"F39"}
    run([*command, "--runs", "3"])
    assert "F53 is not applicable: no parameter freezes these templates" in capsys.readouterr().out
    run([*command, "--replay", "0"])
    assert "F53    not applicable: no parameter freezes these templates" in capsys.readouterr().out


def test_two_lanes_of_templates_are_both_run(naive: Path, capsys: Captured) -> None:
    (naive / "other.yaml").write_text((naive / "patching.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (naive / "other.parameters.json").write_text(json.dumps(NAIVE | {"Environment": "dev"}), encoding="utf-8")
    command = ["rehearse", "--templates", str(naive), "--faults", "none", "--jobs", "1", "--output", "json"]
    assert run([*command, "--runs", "6"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert set(value["lanes"]) == {f"maintenance-window-amazonlinux-{each}-us-east-1" for each in ("dev", "prd")}
    assert (value["runs"], value["patched"], value["violations"]) == (6, 24, 0)


@pytest.fixture
def campaign(naive: Path, tmp_path: Path) -> tuple[list[str], Path]:
    """A campaign in two processes, much longer than any test waits, and its checkpoint."""
    path = tmp_path / "checkpoint.json"
    options = ["--runs", "400", "--faults", "none", "--jobs", "2", "--checkpoint", str(path)]
    return ["rehearse", "--templates", str(naive), *options], path


def _after_the_first_chunk(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    add = Checkpoint.add

    def add_and_more(checkpoint: Checkpoint, first: int, part: Tally) -> None:
        add(checkpoint, first, part)
        happens()

    monkeypatch.setattr(Checkpoint, "add", add_and_more)


def test_a_process_that_dies_ends_the_campaign_and_what_is_done_is_kept(
    campaign: tuple[list[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def kill() -> None:
        for process in active_children():
            process.kill()

    _after_the_first_chunk(monkeypatch, kill)
    command, path = campaign
    assert within_patience(lambda: run(command)) == 1
    assert not active_children()
    captured = capsys.readouterr()
    assert captured.out == ""
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["tally"]["runs"] > 0
    said = captured.err.splitlines()
    assert re.search(r"the worker process \d+ .* while it had seeds \d+ to \d+; ", said[-2])
    assert f"done: {kept['tally']['runs']} of 400 runs, seeds " in said[-2]
    assert said[-2].endswith(f", kept in {path}")
    assert said[-1].startswith("  -> the same command goes on from there")


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    campaign: tuple[list[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    _after_the_first_chunk(monkeypatch, _interrupt)
    command, path = campaign
    assert within_patience(lambda: run(command)) == 130
    assert not active_children()
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["tally"]["runs"] == 20
    first = kept["done"][0][0]
    said = f"stopped; done: 20 of 400 runs, seeds {first} to {first + 19}, kept in {path}"
    assert f"patchgate: {said}\n  -> the same command goes on from there\n" in capsys.readouterr().err


def test_ctrl_c_without_a_checkpoint_is_only_that(
    campaign: tuple[list[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    _after_the_first_chunk(monkeypatch, _interrupt)
    command, path = campaign
    assert within_patience(lambda: run(command[:-2])) == 130
    assert capsys.readouterr().err.endswith("patchgate: stopped\n")
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runs", "0"], "0 is not in the range"),
        (["--faults", "F99"], "there is no fault 'F99'"),
        (["--runs", "2", "--cycles", "2"], "--cycles is not for campaigns"),
        (["--runs", "2", "--endpoint-url", "http://localhost:1"], "--endpoint-url is not for campaigns"),
        (["--replay", "1", "--output", "svg"], "a campaign is written as text or json"),
        (["--runs", "2", "--parameter", "*:RetentionDays=3"], "--parameter needs a fleet file"),
        (["--runs", "2", "--unit", "ou-ab12-cdef3456=111111111111"], "--unit needs a fleet file"),
        (["--runs", "2", "--region", "eu-west-1"], "--region is for --templates"),
        (["--region", "eu-west-1"], "--region is for --templates"),
        (["--replay", "3", "--runs", "9"], "--replay SEED tells one run of a campaign: leave --runs out"),
        (["--replay", "3", "--seed", "3"], "leave --seed out"),
        (["--replay", "3", "--checkpoint", "kept.json"], "leave --checkpoint out"),
        (["--templates", ""], "it is empty: is a variable of the shell not set?"),
        (["--checkpoint", "", "--runs", "20"], "it is empty"),
        ([""], "it is empty"),
        (["--world", ""], "it is empty"),
        (["--faults", "f16"], "did you mean 'F16'?"),
        (["--faults", "F16,Clock"], "did you mean 'clock'?"),
        (["--faults", "None"], "did you mean 'none'?"),
        (["--faults", "defualt"], "did you mean 'default'?"),
        (["--faults", "F16,,F17"], "has an empty item\n  -> give --faults F16,F17"),
        (["--faults", ""], "has an empty item\n  -> give --faults default"),
        (["--faults", "all,F16"], "the mix 'all' stands alone"),
        (["--runs", "30", "--checkpoint", "kept.json"], "in steps of 20, not 30\n  -> give --runs 40"),
        (["--templates", "nowhere", "--region", "eu-wst-1"], "did you mean 'eu-west-1'"),
        (["--templates", "nowhere"], "there is no directory nowhere"),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(arguments: list[str], said: str, capsys: Captured) -> None:
    assert run(["rehearse", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


Write = Callable[[Path], None]


def _write(name: str, text: str) -> Write:
    def write(directory: Path) -> None:
        (directory / name).write_text(text, encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("writes", "said"),
    [
        ([], "holds no template"),
        ([_write("1st.yaml", "Resources: {}")], "'1st' is no name for a stack"),
        ([_write("a.yaml", "Resources: {}"), _write("a.parameters.json", "[1]")], "holds no parameters"),
        (
            [_write("a.yaml", "Resources: {}"), _write("a.parameters.json", '{"X": "${b.Out}"}')],
            "the parameters of a take an output of b, which is no template here",
        ),
        (
            [
                _write("a.yaml", "Resources: {}"),
                _write("a.parameters.json", '{"X": "${b.Out}"}'),
                _write("b.yaml", "Resources: {}"),
                _write("b.parameters.json", '{"X": "${a.Out}"}'),
            ],
            "the stacks need each other in a circle",
        ),
        ([_write("a.yaml", "Resources: {}"), _write("a.json", "{}")], "there is another template called a"),
        (
            [_write("a.yaml", "Resources: {}"), _write("b.parameters.json", "{}")],
            "b.parameters.json: holds the parameters of b, which is no template here (call it after one of a)",
        ),
        (
            [_write("a.yaml", "Resources: {}"), _write("a.parameters.json", "{")],
            "a.parameters.json:2:1: not valid YAML",
        ),
    ],
)
def test_wrong_templates_are_refused(tmp_path: Path, writes: list[Write], said: str, capsys: Captured) -> None:
    for write in writes:
        write(tmp_path)
    assert run(["rehearse", "--templates", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def _make_directory(name: str) -> Write:
    return lambda directory: (directory / name).mkdir()


def _link_to_nowhere(name: str) -> Write:
    return lambda directory: (directory / name).symlink_to("nowhere")


_POSIX_LINKS = pytest.mark.skipif(os.name == "nt", reason="links need privileges there")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (_make_directory("x.yaml"), "x.yaml: is a directory"),
        (_make_directory("a.parameters.json"), "a.parameters.json: is a directory"),
        pytest.param(_link_to_nowhere("x.yaml"), "x.yaml: cannot be read: No such file", marks=_POSIX_LINKS),
        pytest.param(
            _link_to_nowhere("a.parameters.yaml"), "a.parameters.yaml: cannot be read: No such file", marks=_POSIX_LINKS
        ),
    ],
)
def test_templates_that_cannot_be_read_are_refused_and_not_left_out(
    tmp_path: Path, write: Write, said: str, capsys: Captured
) -> None:
    (tmp_path / "a.yaml").write_text("Resources: {}", encoding="utf-8")
    write(tmp_path)
    assert run(["rehearse", "--templates", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_templates_without_a_window_are_refused(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "queue.yaml").write_text("Resources: {Queue: {Type: AWS::SQS::Queue}}", encoding="utf-8")
    assert run(["rehearse", "--templates", str(tmp_path)]) == 2
    assert "make no maintenance window with a task" in capsys.readouterr().err


def test_templates_that_cannot_be_deployed_are_refused_with_their_file(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "table.yaml").write_text("Resources: {Table: {Type: AWS::DynamoDB::Table}}", encoding="utf-8")
    assert run(["rehearse", "--templates", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert f"{tmp_path / 'table.yaml'}: " in told
    assert "AWS::DynamoDB::Table" in told


def test_lanes_of_a_fleet_file_are_run(tmp_path: Path, capsys: Captured) -> None:
    sample = Path(__file__).parents[3] / "examples" / "fleet.yaml"
    arguments = ["rehearse", str(sample), "--runs", "4", "--faults", "none", "--jobs", "1", "--output", "json"]
    assert run([*arguments, "--parameter", "*/ubuntu/*:BackupCompletionWindowMinutes=120"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert sum(value["lanes"].values()) == 4
    assert all(name.count("/") == 3 for name in value["lanes"])


def test_accounts_of_units_are_given(tmp_path: Path, capsys: Captured) -> None:
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(
        """
version: 1
organization: {id: o-a1b2c3d4e5, log_account: "999999999999"}
accounts: [{id: "111111111111", name: web}]
organizational_units: [{id: ou-ab12-cdef3456, name: workloads}]
targets:
  - {organizational_units: [workloads], regions: [eu-central-1], operating_systems: [ubuntu], environments: [dev]}
""",
        encoding="utf-8",
    )
    campaign = ["rehearse", str(fleet), "--runs", "1", "--faults", "none"]
    assert run(campaign) == 2
    assert "give them with --unit" in capsys.readouterr().err
    assert run([*campaign, "--unit", "ou-ab12-cdef3456=111111111111"]) == 0
    assert "no promise was broken" in capsys.readouterr().out
