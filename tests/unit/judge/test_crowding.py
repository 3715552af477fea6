"""Who never had a turn because others rightly took it: by what lies with their machines, and no longer than it may."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from .histories import AGENT, DOCUMENT, GATED, NAME, TAGS, WINDOW, Story, at
from .nights import CLOSED, UNPATCHED, WEEK, broken, nights

CYCLE = "20260705T223000Z"
UNTIL = at(49)
"""Until when the second window admits."""
OTHER = {"execution": "other", "document": DOCUMENT, "target": "i-2"}
SILENT = AGENT | {"ping": "ConnectionLost"}


def before(minutes: float) -> datetime:
    """So long before the second window's admission ends."""
    return UNTIL - timedelta(minutes=minutes)


def beside(began: datetime | None = None, *, backed_up: bool = True, **launch: Any) -> Story:
    """Two windows that never reach ``i-1``, and the runbook of ``i-2`` in the second: a machine like the first."""
    story = nights(UNPATCHED, UNPATCHED).launch("i-2", volumes=("vol-2",), **launch)
    if backed_up:
        story.back_up("i-2", volumes=("vol-2",), hours=43)
    return story.tell(began or at(47), "AutomationStarted", **OTHER)


def ends(story: Story, when: datetime, status: str = "Failed") -> Story:
    return story.tell(when, "AutomationEnded", status=status, failure="", **OTHER)


def begins(story: Story, when: datetime, command: str = "c") -> Story:
    """An install on the other machine that goes on, unless a test ends it."""
    return story.tell(when, "PatchStarted", instance="i-2", operation="Install", command=command)


def over(story: Story, when: datetime, status: str = "Success", command: str = "c", **lists: Any) -> Story:
    return story.tell(when, "PatchEnded", instance="i-2", operation="Install", command=command, status=status, **lists)


def denies(story: Story, when: datetime, decision: str = "deny") -> Story:
    """What the other runbook's proof puts out."""
    outputs = {"Decision": [decision], "Reason": ["backup-missing"], "Detail": [""], "Cycle": [CYCLE]}
    return story.tell(when, "AutomationStepEnded", execution="other", step="prove", status="Success", outputs=outputs)


def writes(story: Story, when: datetime, **said: str) -> Story:
    """The evidence that the other runbook's proof leaves: a denial, unless ``said`` has it otherwise."""
    row = {"Decision": "deny", "Reason": "backup-missing", "ExecutionId": "other", "Cycle": CYCLE} | said
    return story.write("i-2.json", [row], when, cycle=CYCLE)


def is_excused(story: Story, **changes: Any) -> bool:
    """Whether nothing is said of it that ``i-1`` was not patched."""
    found = story.judged(**GATED | WEEK | changes).violations
    return not any((one.promise, one.instance) == ("liveness", "i-1") for one in found)


def test_f34_f57_who_was_crowded_out_is_excused() -> None:
    assert not is_excused(nights(UNPATCHED, UNPATCHED))
    assert is_excused(ends(beside(state="stopped"), at(47.2)))
    assert is_excused(ends(beside(before(90)), UNTIL, "Success"))
    assert not is_excused(ends(beside(before(90)), before(0.1), "Success"))


def test_who_had_a_turn_was_not_crowded_out() -> None:
    own = {"execution": "own", "target": "i-1"}
    assert not is_excused(beside(before(1)).tell(at(47), "AutomationStarted", document=DOCUMENT, **own))
    assert is_excused(beside(before(1)).tell(at(47), "AutomationStarted", document="AWS-StopEC2Instance", **own))
    assert is_excused(beside(before(1)).tell(at(46.9), "AutomationStarted", document=DOCUMENT, **own))


def test_nobody_is_crowded_out_of_a_window_that_was_not_opened() -> None:
    story = nights(CLOSED, CLOSED).launch("i-2", state="stopped")
    assert not is_excused(ends(story.tell(at(47), "AutomationStarted", **OTHER), at(47.2)))
    story = nights(CLOSED, CLOSED).launch("i-2")
    assert not is_excused(story.tell(at(49.9), "AutomationStarted", **OTHER))


# A window that is busy to the end of admission


@pytest.mark.parametrize("end", [None, UNTIL, at(50)])
@pytest.mark.parametrize(("minutes", "excused"), [(1, True), (102, True), (103, False)])
def test_f57_a_runbook_keeps_a_window_busy_as_long_as_its_proof_and_install_may_take(
    minutes: float, excused: bool, end: datetime | None
) -> None:
    story = beside(before(minutes))
    assert is_excused(ends(story, end, "Success") if end else story) is excused


def test_a_window_that_was_opened_twice_admits_to_the_later_end() -> None:
    terms: dict[str, Any] = {
        "window_start": at(47).isoformat(),
        "window_end": at(50).isoformat(),
        "cycle": "20260705T223100Z",
    }
    story = beside(before(60)).open(at(46.6), admit_until=before(30).isoformat(), **terms)
    assert not is_excused(ends(story, before(10), "Success"))
    assert is_excused(beside(before(60)).open(at(46.6), admit_until=before(30).isoformat(), **terms))


@pytest.mark.parametrize("denied", [denies, writes])
@pytest.mark.parametrize(("minutes", "excused"), [(12, True), (13, False)])
def test_a_runbook_that_denied_long_ago_should_be_over(denied: Any, minutes: float, excused: bool) -> None:
    assert is_excused(denied(beside(before(minutes)), before(minutes - 1))) is excused


def test_what_is_no_denial_of_that_runbook_does_not_shorten_it() -> None:
    assert is_excused(denies(beside(before(13)), before(12), "admit"))
    assert is_excused(writes(beside(before(13)), before(12), Decision="admit"))
    assert is_excused(writes(beside(before(13)), before(12), ExecutionId="of another evening"))


@pytest.mark.parametrize(("minutes", "excused"), [(92, True), (93, False)])
def test_f57_an_install_keeps_a_window_busy_as_long_as_its_step_may_take(minutes: float, excused: bool) -> None:
    assert is_excused(begins(beside(before(minutes + 5)), before(minutes))) is excused
    story = begins(beside(before(minutes + 5)), before(minutes - 5))
    assert is_excused(story.tell(before(minutes), "CommandDelivered", command="c", instance="i-2")) is excused


@pytest.mark.parametrize(("minutes", "excused"), [(32, True), (33, False), (35, False)])
@pytest.mark.parametrize("lasted", [1, 60, 80])
def test_f57_after_an_install_a_runbook_waits_for_its_machine_only_for_a_time(
    minutes: float, excused: bool, lasted: float
) -> None:
    story = begins(beside(before(minutes + lasted + 5)), before(minutes + lasted))
    assert is_excused(over(story, before(minutes))) is excused


def test_the_last_install_of_a_runbook_says_how_long_it_may_go_on() -> None:
    story = over(begins(beside(before(101)), before(100), "first"), before(90), command="first")
    assert not is_excused(story)
    assert is_excused(begins(story, before(5)))


def test_an_install_out_of_a_runbooks_time_is_none_of_its() -> None:
    earlier = over(begins(beside(before(20)), before(60)), before(50))
    assert is_excused(earlier)
    later = ends(beside(before(103)), at(49.2), "Success")
    assert not is_excused(begins(later, at(49.3)))


# The error budget


@pytest.mark.parametrize("status", ["Failed", "TimedOut", "Cancelled"])
def test_f34_a_machine_that_is_not_fit_fails_its_runbook(status: str) -> None:
    assert is_excused(ends(beside(backed_up=False), at(47.2), status))
    assert is_excused(ends(beside(agent=SILENT), at(47.2), status))
    assert not is_excused(ends(beside(), at(47.2), status))


def test_a_machine_that_was_fit_until_its_runbook_failed_is_no_excuse() -> None:
    def stopped(hours: float) -> bool:
        story = beside().tell(at(hours), "InstanceStateChanged", instance="i-2", state="stopped")
        return is_excused(ends(story, at(47.2)))

    assert stopped(47.1)
    assert not stopped(47.3)


def test_a_machine_of_which_no_history_tells_may_be_anything() -> None:
    unknown = OTHER | {"target": "i-9"}
    story = nights(UNPATCHED, UNPATCHED).tell(at(47), "AutomationStarted", **unknown)
    assert is_excused(story.tell(at(47.2), "AutomationEnded", status="Failed", failure="", **unknown))


def test_a_success_is_no_failure_and_nor_is_a_runbook_that_goes_on() -> None:
    assert not is_excused(ends(beside(state="stopped"), at(47.2), "Success"))
    assert not is_excused(beside(state="stopped"))


@pytest.mark.parametrize("denied", [denies, writes])
def test_f34_a_denial_uses_up_no_error_budget(denied: Any) -> None:
    assert not is_excused(denied(ends(beside(state="stopped"), at(47.2)), at(47.1)))


def installed(status: str = "Success", **lists: Any) -> Story:
    """A runbook that fails half an hour after its install ended, from 47:10 to 47:20."""
    story = over(begins(beside(), at(47, 600)), at(47, 1200), status, **lists)
    return ends(story, at(47, 3000))


def test_f34_an_install_that_failed_fails_its_runbook() -> None:
    assert is_excused(installed("Failed"))
    assert is_excused(installed("Interrupted"))
    assert is_excused(installed(failed=["p"]))
    assert not is_excused(installed(installed=["p"]))


def test_a_runbook_that_fails_although_its_install_and_machine_are_well_is_no_excuse() -> None:
    """Nothing that was before the install, not even the backup, is what it fails by then."""
    assert not is_excused(installed())
    late = over(begins(beside(backed_up=False), at(47, 600)), at(47, 1200))
    assert not is_excused(ends(late, at(47, 3000)))


TROUBLES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("InstanceStateChanged", {"state": "stopped"}, {"state": "running"}),
    ("InstanceStatusChanged", {"status": "impaired"}, {"status": "ok"}),
    ("AgentChanged", {"agent": SILENT}, {"agent": AGENT}),
]
EACH_TROUBLE = pytest.mark.parametrize(("event", "bad", "good"), TROUBLES, ids=[event for event, _, _ in TROUBLES])


@EACH_TROUBLE
@pytest.mark.parametrize(
    ("began", "over", "excused"),
    [(700, 1199, False), (700, 1201, True), (1500, 1501, True), (2999, 9999, True), (3001, 9999, False)],
)
def test_f40_a_machine_in_trouble_after_its_install_fails_its_runbook(
    event: str, bad: dict[str, Any], good: dict[str, Any], began: float, over: float, excused: bool
) -> None:
    story = installed().tell(at(47, began), event, instance="i-2", **bad)
    assert is_excused(story.tell(at(47, over), event, instance="i-2", **good)) is excused


@pytest.mark.parametrize(
    ("began", "ready", "excused"),
    [
        (1100, 1220, False),  # the reboot of any install
        (1300, 1300 + 14 * 60, False),
        (1300, 1301 + 14 * 60, True),
        (300, 1200, False),
        (300, 1201, True),
        (3000, 5000, True),
        (3001, 5000, False),
    ],
)
def test_only_a_machine_that_is_long_in_coming_up_fails_its_runbook(began: float, ready: float, excused: bool) -> None:
    reboot = {"instance": "i-2", "ready_at": at(47, ready).isoformat()}
    assert is_excused(installed().tell(at(47, began), "InstanceRebooted", **reboot)) is excused


@pytest.mark.parametrize("end", [None, at(49, 1)])
@pytest.mark.parametrize(("minutes", "excused"), [(87, False), (88, True)])
def test_an_install_that_took_all_of_its_time_fails_its_runbook(
    minutes: float, excused: bool, end: datetime | None
) -> None:
    story = ends(begins(beside(), at(47, 300)), at(47, 300 + 60 * minutes), "TimedOut")
    assert is_excused(over(story, end) if end else story) is excused
    began = ends(begins(beside(), at(47, 360)), at(47, 300 + 60 * minutes), "TimedOut")
    began.tell(at(47, 300), "CommandDelivered", command="c", instance="i-2")
    assert is_excused(over(began, end) if end else began) is excused


def test_how_an_install_ends_after_its_runbook_is_not_what_that_failed_by() -> None:
    story = ends(begins(beside(), at(47, 300)), at(47, 900))
    assert not is_excused(over(story, at(47, 901), "Failed"))


@EACH_TROUBLE
@pytest.mark.parametrize(("began", "over", "excused"), [(100, 299, False), (400, 401, True), (901, 999, False)])
def test_a_machine_in_trouble_while_it_installs_fails_its_runbook(
    event: str, bad: dict[str, Any], good: dict[str, Any], began: float, over: float, excused: bool
) -> None:
    story = ends(begins(beside(), at(47, 300)), at(47, 900))
    story.tell(at(47, began), event, instance="i-2", **bad).tell(at(47, over), event, instance="i-2", **good)
    assert is_excused(story) is excused


def fails_both(**third: Any) -> Story:
    """Another failed runbook, and a third machine that none is for."""
    return ends(beside(state="stopped"), at(47.2)).launch("i-3", volumes=("vol-3",), **third)


@pytest.mark.parametrize(("budget", "excused"), [("", True), ("0", True), ("1", False), ("49%", True), ("50%", False)])
def test_f34_the_others_go_on_within_the_error_budget(budget: str, excused: bool) -> None:
    """Of two machines that were up when the window began."""
    assert is_excused(fails_both(), error_budget=budget) is excused


@pytest.mark.parametrize(
    ("event", "facts"),
    [("InstanceStateChanged", {"state": "stopped"}), ("InstanceTagged", {"tags": TAGS | {"PatchGroup": "none"}})],
)
def test_a_percentage_is_of_the_machines_that_were_up_in_the_lane_when_the_window_began(
    event: str, facts: dict[str, Any]
) -> None:
    assert is_excused(fails_both().tell(at(46.9), event, instance="i-3", **facts), error_budget="50%")
    assert not is_excused(fails_both().tell(at(47.1), event, instance="i-3", **facts), error_budget="50%")
    assert is_excused(fails_both(when=at(47.1)), error_budget="50%")
    assert not is_excused(fails_both(when=at(46.9)), error_budget="50%")


def test_f34_every_failure_counts_against_the_error_budget() -> None:
    story = ends(beside(state="stopped"), at(47.2)).launch("i-3", state="stopped")
    assert not is_excused(story, error_budget="1")
    third = {"execution": "third", "document": DOCUMENT, "target": "i-3"}
    story.tell(at(47), "AutomationStarted", **third)
    assert is_excused(story.tell(at(47.2), "AutomationEnded", status="Failed", failure="", **third), error_budget="1")


# Windows that had no room


def ran(seconds: float | None, *, began: float = 47, status: str = "FAILED", **others: Any) -> list[str]:
    """What is broken with an execution that lasts so long, beside ``count`` of other windows from ``since`` (46:00) to
    ``until``; None is for ever.
    """
    story, until = nights(UNPATCHED, UNPATCHED), others.get("until", 48)
    for number in range(others.get("count", 5)):
        known = {"window": f"mw-{number}", "execution": f"e-{number}"}
        story.tell(at(1), "WindowCreated", window=known["window"], name=f"{number}", enabled=True)
        story.tell(at(others.get("since", 46)), "WindowExecutionStarted", name=f"{number}", **known)
        if until is not None:
            story.tell(at(until), "WindowExecutionEnded", execution=known["execution"], status="SUCCESS")
    story.tell(at(began), "WindowExecutionStarted", window=WINDOW, execution="e", name=NAME)
    if seconds is not None:
        story.tell(at(began, seconds), "WindowExecutionEnded", execution="e", status=status)
    return broken(story)


def test_f57_a_window_that_could_not_run_beside_others_is_excused() -> None:
    assert ran(0) == []
    assert ran(0.999) == []
    assert ran(0, until=None) == []
    assert ran(0, count=4) == ["liveness"]  # it failed at once for another reason, such as its role
    assert ran(0.5, count=4) == ["liveness"]
    assert ran(0, until=46.9) == ["liveness"]
    assert ran(0, since=47.1) == ["liveness"]


def test_a_window_that_ran_had_room() -> None:
    assert ran(1) == ["liveness"]
    assert ran(None) == ["liveness"]
    assert ran(0, status="SUCCESS") == ["liveness"]


@pytest.mark.parametrize("began", [21, 51, 71])
def test_an_execution_out_of_a_window_excuses_none_of_that(began: float) -> None:
    assert ran(0, began=began, since=20, until=72) == ["liveness"]


def test_a_window_that_still_goes_on_is_not_run_again() -> None:
    def again(until: float) -> list[str]:
        story = nights(UNPATCHED, UNPATCHED)
        story.tell(at(46), "WindowExecutionStarted", window=WINDOW, execution="first", name=NAME)
        story.tell(at(until), "WindowExecutionEnded", execution="first", status="SUCCESS")
        story.tell(at(47), "WindowExecutionStarted", window=WINDOW, execution="e", name=NAME)
        return broken(story.tell(at(47), "WindowExecutionEnded", execution="e", status="SKIPPED_OVERLAPPING"))

    assert again(47.5) == []
    assert again(46.5) == ["liveness"]
