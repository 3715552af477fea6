"""Plans carried out: the first failure ends its wave, Ctrl-C ends it cleanly, and the journal knows what was done."""

from __future__ import annotations

import json
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from patchgate.errors import InputError
from patchgate.operations.deployment import deploy_lanes, settle_lanes
from patchgate.operations.rollout.execution import StoppedError, StopSignal, WaveFailedError
from patchgate.operations.rollout.facts import StackFacts
from patchgate.operations.rollout.journal import Journal, Progress
from patchgate.operations.rollout.plan_file import parse_plan_file, plan_to_json, render_plan_file
from patchgate.operations.rollout.verification import (
    ChangedFactsError,
    await_settled,
    check_unchanged,
    find_own_failures,
    find_unsettled,
    read_planned,
)

from .fakes import NOW, SHOP, WEB, FakeAws, carry_out, fleet_of, plan_of

REGION = "eu-central-1"
FLEET = """
targets:
  - {accounts: [web, shop], regions: [eu-central-1], operating_systems: [ubuntu], environments: [dev, prd]}
"""
PATCH = (WEB, REGION, "patchgate-patch-ubuntu-dev")
MODES = pytest.mark.parametrize("mode", ["stacks", "service-managed"])


@MODES
def test_f49_the_first_failure_ends_the_wave_and_a_second_run_goes_on(mode: str, tmp_path: Path) -> None:
    aws, fleet = FakeAws(failing={PATCH}), fleet_of(FLEET, mode)
    with pytest.raises(WaveFailedError, match="wave dev failed") as failure:
        carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    assert "web/eu-central-1/ubuntu/dev" in str(failure.value)
    assert "it cannot be" in str(failure.value)
    assert "run the same again" in failure.value.remedy
    assert "mend it" in failure.value.remedy
    assert not [key for key in aws.there if "prd" in key[2] or "monitoring" in key[2]]
    assert not [name for name in aws.stack_sets if "prd" in name or "monitoring" in name]
    aws.failing.clear()
    aws.vaults = {each for each in aws.vaults if each[0] != WEB}
    before = len(aws.calls)
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    assert ("stack", WEB, REGION, "patchgate-logs-ubuntu-dev") not in aws.calls[before:]
    assert plan_of(fleet, aws).changes == 0
    events = [json.loads(line)["event"] for line in (tmp_path / "journal").read_text(encoding="utf-8").splitlines()]
    assert events.count("failed") == 1
    assert events[-1] == "end"


def test_a_failed_creation_is_cleared_before_it_is_tried_again(tmp_path: Path) -> None:
    aws, fleet = FakeAws(failing={PATCH}), fleet_of(FLEET)
    with pytest.raises(WaveFailedError):
        carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    assert aws.there[PATCH].status == "ROLLBACK_COMPLETE"
    aws.failing.clear()
    before = len(aws.calls)
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    assert aws.calls[before:].index(("delete", *PATCH)) < aws.calls[before:].index(("stack", *PATCH))


def test_a_defect_is_not_taken_for_a_failing_stack(tmp_path: Path) -> None:
    aws = FakeAws()
    plan = plan_of(fleet_of(FLEET), aws)
    with pytest.raises(KeyError):
        carry_out(replace(plan, bodies={}), aws, tmp_path / "journal")


def test_every_wave_is_looked_at_again_and_bakes(tmp_path: Path) -> None:
    aws = FakeAws()
    plan = plan_of(fleet_of(FLEET), aws)
    heard = carry_out(plan, aws, tmp_path / "journal", bake=0.0001)
    assert [each for each in heard.told if each[0] in ("wave", "bakes", "through")] == [
        ("wave", "1/2 dev"),
        ("bakes", "dev 0.0001"),
        ("through", "dev"),
        ("wave", "2/2 prd"),
        ("through", "prd"),
    ]
    aws = FakeAws()
    with pytest.raises(WaveFailedError, match="wave dev failed:\n  it is DRIFTED"):
        carry_out(plan, aws, tmp_path / "journal", confirm=lambda wave: [f"it is DRIFTED in {wave.environment}"])
    assert not [key for key in aws.there if "prd" in key[2]]


@MODES
def test_a_wave_whose_stacks_are_not_there_any_more_is_not_through(mode: str, tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(FLEET, mode)
    plan = plan_of(fleet, aws)
    carry_out(plan, aws, tmp_path / "journal")
    assert [*find_unsettled(plan.waves[0], read_planned(plan, aws))] == []
    logs = (WEB, REGION, "patchgate-logs-ubuntu-dev")
    aws.there[logs] = StackFacts("UPDATE_ROLLBACK_COMPLETE", reason="it could not be updated")
    said = [*find_unsettled(plan.waves[0], read_planned(plan, aws))]
    assert said == [f"{'/'.join(logs)}: it is UPDATE_ROLLBACK_COMPLETE: it could not be updated"]
    aws.there.pop(PATCH, None)
    aws.stack_sets.pop(PATCH[2], None)
    said = [*find_unsettled(plan.waves[0], read_planned(plan, aws))]
    assert f"{'/'.join(PATCH)}: there is none" in said


@dataclass
class SlowAws(FakeAws):
    """Its stacks take their time: they wait as the real adapter does."""

    stop: StopSignal | None = None
    waiting: threading.Event | None = None

    def create_or_update(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        assert self.stop is not None
        assert self.waiting is not None
        if "patch-ubuntu" in args[2]:
            self.waiting.set()
            self.stop.pause(60)
        return super().create_or_update(*args, **kwargs)


def test_ctrl_c_ends_the_wave_and_says_what_was_done(tmp_path: Path) -> None:
    stop, waiting = StopSignal(), threading.Event()
    aws = SlowAws(stop=stop, waiting=waiting)

    def press() -> None:
        waiting.wait(10)
        time.sleep(0.05)
        signal.raise_signal(signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(StoppedError, match="stopped in wave dev: 1 of 10 stacks are done") as stopped:
        carry_out(plan_of(fleet_of(FLEET), aws), aws, tmp_path / "journal", stop=stop)
    presser.join()
    assert f"AWS goes on by itself with {WEB}/{REGION}/patchgate-patch-ubuntu-dev" in str(stopped.value)
    assert stopped.value.exit_code == 130
    assert stop.is_set


def test_a_plan_makes_what_a_rehearsal_rehearses(tmp_path: Path) -> None:
    """Both ways of deployment give every stack the same template, parameters and tags."""
    text = (
        """
defaults: {tags: {team: sre}, freezes: [{reason: x, first_day: 12-24, last_day: 12-26}]}
log_bucket: {region: us-east-1}
"""
        + FLEET
    )
    planned, rehearsed = FakeAws(), FakeAws()
    fleet = fleet_of(text)
    carry_out(plan_of(fleet, planned), planned, tmp_path / "journal")
    lanes = settle_lanes(fleet.lanes(today=NOW.date()), fleet.organization.id)
    deploy_lanes(lanes, log_account=fleet.log_account, control=rehearsed, progress=lambda _: None)
    assert planned.there == rehearsed.there


# -- plans that were saved -----------------------------------------------------------------------------------------


@MODES
def test_a_plan_is_the_same_after_its_file(mode: str) -> None:
    plan = plan_of(fleet_of(FLEET, mode), FakeAws())
    again = parse_plan_file(render_plan_file(plan).encode(), "plan.json")
    assert again == plan
    assert again.fingerprint == plan.fingerprint
    assert "bodies" not in plan_to_json(plan, bodies=False)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"RetentionDays": "7"', '"RetentionDays": "1"', "was changed after it was made"),
        ("AWSTemplateFormatVersion", "AWSTemplateFormatversion", "was changed after it was made"),
        ('"format": 1', '"format": 2', "is no plan file of this version"),
        ('"waves"', '"waifs"', "is no plan file: KeyError"),
        ("{", "[", "is no plan file: JSONDecodeError"),
    ],
)
def test_a_plan_that_was_changed_is_refused(before: str, after: str, said: str) -> None:
    text = render_plan_file(plan_of(fleet_of(FLEET), FakeAws()))
    assert before in text
    with pytest.raises(InputError, match=said):
        parse_plan_file(text.replace(before, after).encode(), "plan.json")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"overrides": {}', '"overrides": {"RetentionDays": "1"}'),
        ('"MinimumCoveragePercent": "80"', '"MinimumCoveragePercent": "1"'),
        ('"member_role": "OrganizationAccountAccessRole"', '"member_role": "Admin"'),
        ('"root": "r-a1b2"', '"root": "r-zzzz"'),
        (f'"log_account": "{WEB}"', f'"log_account": "{SHOP}"'),
        ('"problems": [\n  "it cannot be"\n ]', '"problems": []'),
        ('"findings": [\n   "it is broken"\n  ]', '"findings": []'),
        ('"stage": "monitoring"', '"stage": "logs"'),
    ],
)
def test_a_plan_file_is_refused_whatever_was_changed(before: str, after: str) -> None:
    """Each change alone: of a step, a stack set, who deploys and where, and of what forbids the plan."""
    plan = plan_of(fleet_of(FLEET, "service-managed"), FakeAws())
    assert plan.proof is not None
    plan = replace(plan, problems=("it cannot be",), proof=replace(plan.proof, findings=("it is broken",)))
    text = render_plan_file(plan)
    assert parse_plan_file(text.encode(), "plan.json") == plan
    assert before in text
    with pytest.raises(InputError, match="was changed after it was made"):
        parse_plan_file(text.replace(before, after, 1).encode(), "plan.json")


def test_a_plan_is_only_for_what_it_saw(tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(FLEET)
    plan = plan_of(fleet, aws)
    assert check_unchanged(plan, read_planned(plan, aws), Progress()) == frozenset()
    aws.there[PATCH] = StackFacts("CREATE_COMPLETE")
    with pytest.raises(ChangedFactsError, match=f"since the plan was made: {'/'.join(PATCH)}$"):
        check_unchanged(plan, read_planned(plan, aws), Progress())
    with pytest.raises(ChangedFactsError, match="made from account 999999999999"):
        check_unchanged(plan, read_planned(plan, FakeAws(account=SHOP)), Progress())


@MODES
def test_a_plan_goes_on_with_what_it_has_not_done(mode: str, tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(FLEET, mode)
    plan, path = plan_of(fleet, aws), tmp_path / "journal"
    with pytest.raises(WaveFailedError):
        carry_out(plan, aws, path, confirm=lambda wave: ["stop here"])
    progress = Journal(path, lambda: NOW).read(plan.fingerprint)
    done = check_unchanged(plan, read_planned(plan, aws), progress)
    assert len([key for key in done if "/" in key]) == 5
    carry_out(plan, aws, path, done=done)
    assert plan_of(fleet, aws).changes == 0
    assert len([call for call in aws.calls if call[0] == "stack"]) == (10 if mode == "stacks" else 2)


def test_a_plan_tries_again_what_it_failed_to_make(tmp_path: Path) -> None:
    """A creation that was rolled back is cleared first; what another plan left, or what left a vault, has changed."""
    key = (WEB, REGION, "patchgate-monitoring-ubuntu-dev")
    aws, fleet, path = FakeAws(failing={key}), fleet_of(FLEET), tmp_path / "journal"
    plan = plan_of(fleet, aws)
    with pytest.raises(WaveFailedError):
        carry_out(plan, aws, path)
    assert aws.there[key].status == "ROLLBACK_COMPLETE"
    facts, progress = read_planned(plan, aws), Journal(path, lambda: NOW).read(plan.fingerprint)
    with pytest.raises(ChangedFactsError):
        check_unchanged(plan, facts, Progress())
    aws.failing.clear()
    done, failed = check_unchanged(plan, facts, progress), find_own_failures(plan, facts, progress)
    assert failed == {"/".join(key)}
    before = len(aws.calls)
    carry_out(plan, aws, path, done=done, failed=failed)
    assert aws.calls[before:].index(("delete", *key)) < aws.calls[before:].index(("stack", *key))
    assert plan_of(fleet, aws).changes == 0

    left = StackFacts("ROLLBACK_COMPLETE")
    began = Progress(begun=frozenset({"/".join(PATCH)}))
    assert find_own_failures(plan, replace(facts, stacks={PATCH: left}), began) == frozenset()  # its vault is there

    aws.failing = {PATCH}
    plan = plan_of(fleet_of(FLEET.replace("[dev, prd]", "[dev, prd], backup: {retention_days: 9}")), aws)
    with pytest.raises(WaveFailedError):
        carry_out(plan, aws, path)
    assert aws.there[PATCH].status == "UPDATE_ROLLBACK_COMPLETE"
    facts, progress = read_planned(plan, aws), Journal(path, lambda: NOW).read(plan.fingerprint)
    assert find_own_failures(plan, facts, progress) == {"/".join(PATCH)}
    assert "/".join(PATCH) not in check_unchanged(plan, facts, progress)
    aws.there[PATCH] = replace(aws.there[PATCH], tags={"owner": "somebody"})
    with pytest.raises(ChangedFactsError):
        check_unchanged(plan, read_planned(plan, aws), progress)


@pytest.mark.parametrize("change", ["parameters", "tags"])
def test_what_changed_after_it_was_done_is_found(change: str, tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(FLEET)
    plan, path = plan_of(fleet, aws), tmp_path / "journal"
    carry_out(plan, aws, path)
    changed = {**getattr(aws.there[PATCH], change), "RetentionDays": "1"}
    aws.there[PATCH] = replace(aws.there[PATCH], **{change: changed})  # type: ignore[arg-type]
    progress = Journal(path, lambda: NOW).read(plan.fingerprint)
    with pytest.raises(ChangedFactsError, match="patchgate-patch-ubuntu-dev"):
        check_unchanged(plan, read_planned(plan, aws), progress)


# -- the journal ---------------------------------------------------------------------------------------------------


def test_the_journal_is_of_one_plan_and_survives_a_torn_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal", lambda: NOW)
    assert journal.read("a") == Progress()
    journal.record("begun", "a", stack="one")
    journal.record("done", "a", stack="one")
    journal.record("begun", "b", stack="two")
    with journal.path.open("a", encoding="utf-8") as file:
        file.write('{"at": "2026-07-01T09:30:00+00:00", "pl')
    assert journal.read("a") == Progress(frozenset({"one"}), frozenset({"one"}))
    assert journal.read("b") == Progress(frozenset({"two"}))
    Journal(journal.path, lambda: NOW).record("done", "b", stack="two")
    assert journal.read("b") == Progress(frozenset({"two"}), frozenset({"two"}))


def test_what_is_no_journal_is_refused_and_named(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text("one\n", encoding="utf-8")
    with pytest.raises(InputError, match="journal:1: not a line of a journal"):
        Journal(path, lambda: NOW).read("a")
    for text in ("one\n", "no end", '{"at": "2026"}\nno end'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="journal is there, and is no journal"):
            Journal(path, lambda: NOW).record("begin", "a")
        assert path.read_text(encoding="utf-8") == text
    path.write_bytes(b"\xff\n")
    with pytest.raises(InputError, match="cannot read the journal"):
        Journal(path, lambda: NOW).read("a")
    with pytest.raises(InputError, match="cannot write the journal"):
        Journal(path / "below", lambda: NOW).record("begin", "a")


# -- waiting -------------------------------------------------------------------------------------------------------


def test_what_another_operation_changes_is_waited_for() -> None:
    aws = FakeAws(there={PATCH: StackFacts("UPDATE_IN_PROGRESS")})
    plan, told = plan_of(fleet_of(FLEET), aws), list[str]()

    def pause(seconds: float) -> None:
        assert seconds > 0
        aws.there[PATCH] = StackFacts("UPDATE_COMPLETE")

    facts = await_settled(lambda: read_planned(plan, aws), pause, told.append)
    assert facts.stacks[PATCH].status == "UPDATE_COMPLETE"
    assert told == [f"waiting for {'/'.join(PATCH)} (UPDATE_IN_PROGRESS)"]
