"""Runs of other people's templates: which faults apply, and what the judge finds where nothing or something goes wrong.

``acme`` is a team with three stacks: backups, a window with a runbook, and two functions that open it when every
machine has a backup and close it; wired by parameter files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patchgate.errors import InputError
from patchgate.rehearsal.campaign.fitting import obstacle
from patchgate.rehearsal.campaign.ground import Ground, Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.story import tell

from .others import ROLE, broken, document, grounds_of, run, shapes, task, window, write, write_naive

ACME = Path(__file__).parent / "acme"
Lane = tuple[Grounds, Ground]


@pytest.fixture(scope="module")
def acme() -> Iterator[Lane]:
    with grounds_of(ACME) as (grounds, (ground,)):
        yield grounds, ground


@pytest.fixture(scope="module")
def naive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with grounds_of(write_naive(tmp_path_factory.mktemp("naive"), "prd")) as (grounds, (ground,)):
        yield grounds, ground


def changed(directory: Path, name: str, old: str, new: str) -> Path:
    """The templates of acme with one change."""
    shutil.copytree(ACME, directory, dirs_exist_ok=True)
    text = (directory / name).read_text(encoding="utf-8")
    assert old in text
    (directory / name).write_text(text.replace(old, new), encoding="utf-8")
    return directory


def test_without_faults_both_teams_keep_every_promise(acme: Lane, naive: Lane) -> None:
    for lane in (acme, naive):
        outcome = run(*lane, "none", 0)
        assert (outcome.patched, outcome.installs, outcome.violations) == (4, 12, ())


def test_what_a_lane_is_made_of_is_read_off_what_was_deployed(acme: Lane) -> None:
    terrain = acme[1].terrain
    assert terrain.stacks == ("window", "gate", "backups")
    assert terrain.schedules == {"open": "open-it", "close": "close-it"}
    assert terrain.tags == {"Patch": "auto", "Backup": "daily"}
    assert terrain.lane.vault == "vault-prod"
    assert [f"{cycle.gate:%a %H:%M}" for cycle in terrain.cycles] == ["Sun 00:30", "Tue 00:30", "Thu 00:30"]
    assert f"{terrain.end:%a %H:%M}" == "Fri 04:00"  # a day after the last end: the next gate is due on Sunday


def test_which_faults_apply_depends_on_the_templates(acme: Lane, naive: Lane) -> None:
    assert {"F36", "F44", "F53"} <= set(acme[1].terrain.unfit)
    assert {"F19", "F50", "F27", "crash"} & set(acme[1].terrain.unfit) == set()
    unfit = naive[1].terrain.unfit
    assert {"F19", "F36", "F44", "F50", "F53"} <= set(unfit)
    assert {"F02", "F21", "F27", "F31", "crash"} & set(unfit) == set()
    assert unfit["F50"] == "the gate is in the stack of its window"
    assert "no runbook" in unfit["F19"]


def test_f53_is_not_struck_where_there_is_no_freeze(naive: Lane) -> None:
    outcome = run(*naive, "F53", 2)
    assert (outcome.struck, outcome.violations) == ((), ())


def test_templates_without_backups_and_functions_have_none_of_their_faults(tmp_path: Path) -> None:
    with grounds_of(write(tmp_path, patching=window("nightly", task()))) as (_, (ground,)):
        unfit = ground.terrain.unfit
        assert {"F02", "F07", "F14", "F26", "F27", "F28", "F29", "F31", "crash"} <= set(unfit)
        assert {"F08", "F16", "F23", "F24", "F39"} & set(unfit) == set()
        assert unfit["F02"] == "these templates have no vault, so that nothing is backed up"
        assert unfit["F28"].count("no scheduled function runs") == 3


def test_a_second_window_needs_the_runbooks_role(tmp_path: Path) -> None:
    own = document("own", [{"name": "wait", "action": "aws:sleep", "inputs": {"Duration": "PT1M"}}], InstanceId="")
    text = "ssm.send_command(DocumentName='AWS-RunPatchBaseline', Parameters={'Operation': ['Install']})"
    inputs = {"Runtime": "python3.11", "Handler": "main", "Script": text}
    own["own"]["Properties"]["Content"]["mainSteps"].append(
        {"name": "patch", "action": "aws:executeScript", "inputs": inputs}
    )
    without: dict[str, Any] = {}
    for role, fits in ((without, False), (without | {"ServiceRoleArn": ROLE}, True)):
        found = window("nightly", task("own", {}, kind="AUTOMATION", **role)) | own
        with grounds_of(write(tmp_path, patching=found)) as (_, (ground,)):
            assert ("F19" not in ground.terrain.unfit) is fits


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("gate.yaml", "  Close:\n", "  Close:\n    DeletionPolicy: Retain\n", "retains resources"),
        ("gate.yaml", "  Close:\n", "  Logs: {Type: AWS::S3::Bucket}\n  Close:\n", "a stack with an AWS::S3::Bucket"),
        ("backups.parameters.yaml", "prod", "prod${gate.Nothing}", "other stacks take what the gate's stack gives"),
    ],
)
def test_f50_a_gates_stack_that_cannot_be_deleted_and_made_again_stays(
    tmp_path: Path, name: str, old: str, new: str, why: str
) -> None:
    directory = changed(tmp_path, name, old, new)
    if "gate." in new:  # the gate gives the backups their stage, and takes its vault by name
        text = (directory / "gate.yaml").read_text(encoding="utf-8")
        (directory / "gate.yaml").write_text(text + "Outputs: {Nothing: {Value: '-1'}}\n", encoding="utf-8")
        wired = (directory / "gate.parameters.json").read_text(encoding="utf-8")
        wired = wired.replace("${backups.VaultName}", "vault-prod-1")
        (directory / "gate.parameters.json").write_text(wired, encoding="utf-8")
    with grounds_of(directory) as (_, (ground,)):
        assert why in ground.terrain.unfit["F50"]


def test_f50_a_gates_stack_of_its_own_is_deleted_and_made_again(acme: Lane) -> None:
    outcomes = [run(*acme, "F50", seed) for seed in range(4)]
    assert any("F50" in outcome.struck for outcome in outcomes)
    assert not any("liveness" in broken(outcome) for outcome in outcomes)


def test_f24_the_windows_stack_of_others_is_updated_and_never_replaced(acme: Lane, naive: Lane) -> None:
    for _, ground in (acme, naive):
        assert ground.terrain.limits["redeploy-stack"] == "a lane of templates of others is known by its window's id"
        plans = [draw_plan(seed, read_mix("F24"), ground.shape, ground.terrain) for seed in range(40)]
        assert {injection.act for plan in plans for injection in plan.injections} == {"update-stack"}


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_drawn_that_could_do_nothing(acme: Lane, naive: Lane, seed: int) -> None:
    for _, ground in (acme, naive):
        plan = draw_plan(seed, read_mix("all"), ground.shape, ground.terrain)
        assert plan.injections
        assert not any(obstacle(injection, ground.terrain) for injection in plan.injections)


def test_f31_a_lost_close_is_found_though_the_next_nights_comes(naive: Lane) -> None:
    """Seed 9: every try of the first night's close fails, that of the second comes."""
    grounds, ground = naive
    plan = draw_plan(9, read_mix("F31"), ground.shape, ground.terrain)
    assert {injection.given["program"] for injection in plan.injections} == {"close"}
    second = ground.terrain.seconds(ground.terrain.cycles[1].gate)
    assert all(injection.begins < second for injection in plan.injections)
    outcome = carry_out(grounds, ground, plan)
    (violation,) = outcome.violations
    assert violation.promise == "window"
    assert "still enabled 20.5 hours after its end" in violation.what
    story = tell(ground, plan, outcome, grounds.stage.cloud.history)
    assert any(scene.kind == "fault" and scene.at < violation.at for scene in story.scenes)
    assert "window enabled" in {scene.what for scene in story.scenes if scene.at < ground.terrain.cycles[0].start}


def test_a_runbook_that_names_the_wrong_machine_breaks_liveness(tmp_path: Path) -> None:
    with grounds_of(changed(tmp_path, "window.yaml", "{{ RESOURCE_ID }}", "{{ TARGET_ID }}")) as (grounds, (ground,)):
        outcome = run(grounds, ground, "none", 0)
        assert (outcome.installs, broken(outcome)) == (0, {"liveness"})
        assert "InvalidInstanceId" in outcome.violations[0].what


def test_a_gate_that_never_opens_breaks_liveness(tmp_path: Path) -> None:
    with grounds_of(changed(tmp_path, "gate.yaml", "Enabled=not missing", "Enabled=False")) as (grounds, (ground,)):
        assert "liveness" in broken(run(grounds, ground, "none", 0))


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("window.yaml", "Resources:", "Resources: [", r"window\.yaml: .*YAML not well-formed"),
        ("window.parameters.json", "PatchTag", "PatchTg", r"window\.yaml: .*PatchTg"),
        ("backups.parameters.yaml", "Stage: prod", "{}", r"backups\.yaml: .*\[Stage\] must have values"),
        (
            "window.yaml",
            "Type: AWS::SSM::Document\n",
            "Type: AWS::DynamoDB::Table\n",
            r"window\.yaml: .*DynamoDB::Table",
        ),
        ("window.yaml", "cron(0 1 ? * TUE", "corn(0 1 ? * TUE", r"(?s)window\.yaml: Window .*corn"),
        ("gate.parameters.json", "window.WindowId", "window.Id", "stack window, .* has the outputs WindowId"),
    ],
)
def test_what_is_wrong_is_told_with_its_file(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        shapes(changed(tmp_path, name, old, new))


def test_stacks_that_import_come_after_those_that_export(tmp_path: Path) -> None:
    directory = changed(tmp_path, "window.yaml", "Ref Window}\n", "Ref Window, Export: {Name: the-window}}\n")
    gate = (directory / "gate.yaml").read_text(encoding="utf-8").replace("!Ref WindowId", "!ImportValue the-window")
    gate = gate.replace("WindowId: {Type: String}, ", "")
    (directory / "a-gate.yaml").write_text(gate, encoding="utf-8")
    (directory / "a-gate.parameters.json").write_text('{"VaultName": "vault-prod"}', encoding="utf-8")
    for name in ("gate.yaml", "gate.parameters.json"):
        (directory / name).unlink()
    (shape,) = shapes(directory)
    assert [stack.name for stack in shape.stacks] == ["backups", "window", "a-gate"]
    (directory / "a-gate.yaml").write_text(gate.replace("the-window", "no-window"), encoding="utf-8")
    with pytest.raises(InputError, match=r"a-gate\.yaml: .*No export named no-window"):
        shapes(directory)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("window.yaml", "action: aws:executeScript\n", "action: aws:approve\n", "implement the action aws:approve"),
        (
            "gate.yaml",
            "done = set()",
            "done = boto3.client('ssm').list_associations()",
            "function gate-Open-.*ListAssoc",
        ),
        ("gate.yaml", "import os, datetime, boto3", "import os, datetime, boto3, requests", "import 'requests'"),
        ("window.yaml", "return {'ok': True}", "import requests", "the runbook step check failed: .*'requests'"),
    ],
)
def test_what_the_embedded_aws_does_not_implement_is_no_fault_of_the_templates(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    directory = changed(tmp_path, name, old, new)
    if "approve" in new:
        text = (directory / "window.yaml").read_text(encoding="utf-8")
        script = text[text.index("            inputs: {Runtime") : text.index("          - name: patch")]
        asked = "            inputs: {Approvers: [somebody]}\n"
        (directory / "window.yaml").write_text(text.replace(script, asked), encoding="utf-8")
    with (
        pytest.raises(InputError, match=f"the templates cannot be rehearsed: .*{said}"),
        grounds_of(directory) as (grounds, (ground,)),
    ):
        run(grounds, ground, "none", 3)


def test_a_function_that_fails_by_itself_is_judged(tmp_path: Path) -> None:
    with grounds_of(changed(tmp_path, "gate.yaml", "done = set()", "raise KeyError(3)")) as (grounds, (ground,)):
        assert "liveness" in broken(run(grounds, ground, "none", 0))
