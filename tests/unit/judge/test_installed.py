"""Patched is what was due: an install that left nothing undone, or one that failed by its own updates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from .histories import DOCUMENT, GATED, Story, at
from .nights import PATCHED, UNPATCHED, WEEK, broken, nights

WAITS: dict[str, Any] = PATCHED | {"lists": {"pending_reboot": ["kernel", "glibc"]}}
EMPTY: dict[str, Any] = PATCHED | {"lists": {"installed": []}}
REBOOTS = {"reboots": True}


def is_patched(*days: dict[str, Any], **changes: Any) -> bool:
    return holds(nights(*days), **changes)


def holds(story: Story, **changes: Any) -> bool:
    return "liveness" not in broken(story, **changes)


def told(*days: dict[str, Any], **changes: Any) -> str:
    (violation,) = nights(*days).judged(**GATED | WEEK | changes).violations
    return violation.what


# Updates that wait for a reboot


def test_where_installs_reboot_no_update_waits_for_that() -> None:
    assert not is_patched(WAITS, WAITS, **REBOOTS)
    assert told(WAITS, WAITS, **REBOOTS).count("ended as Success: kernel, glibc still waited for a reboot") == 2
    assert is_patched(PATCHED, PATCHED, **REBOOTS)
    assert is_patched(WAITS, PATCHED, WAITS, **REBOOTS)


def test_where_installs_do_not_reboot_updates_may_wait() -> None:
    assert is_patched(WAITS, WAITS)


@pytest.mark.parametrize("how", [{"status": "Failed"}, {"status": "Interrupted"}, {"failed": ["q"]}])
def test_f41_of_an_install_that_failed_nothing_is_asked(how: dict[str, Any]) -> None:
    lists = {"installed": [], "pending_reboot": ["kernel"], "failed": how.get("failed", [])}
    failed = PATCHED | {"status": how.get("status", "Success"), "lists": lists}
    assert is_patched(failed, failed, **REBOOTS, updates_due=(at(0),))


# Updates that are due


@pytest.mark.parametrize(
    ("due", "patched"),
    [
        ((), True),  # nobody knows
        ((at(0),), False),
        ((at(23),), False),
        ((at(23, 1),), True),  # it was not due yet in the first window
        ((at(47, 1),), True),
        ((at(23), at(47, 1)), False),
        ((at(0), at(30)), False),
    ],
)
def test_an_install_that_installs_nothing_although_updates_are_due_is_none(
    due: tuple[datetime, ...], patched: bool
) -> None:
    assert is_patched(EMPTY, EMPTY, updates_due=due) is patched


def test_it_is_told_since_when_they_were_due() -> None:
    what = told(EMPTY, EMPTY, updates_due=(at(0), at(30)))
    assert "nothing was installed, and updates had been due since 2026-07-04T00:00:00+00:00; " in what
    assert what.endswith("nothing was installed, and updates had been due since 2026-07-05T06:00:00+00:00")


def test_what_was_installed_before_need_not_be_installed_again() -> None:
    assert is_patched(PATCHED, EMPTY, EMPTY, updates_due=(at(0),))
    assert is_patched(UNPATCHED, PATCHED, updates_due=(at(0), at(30)))
    assert not is_patched(PATCHED, EMPTY, EMPTY, updates_due=(at(0), at(30)))
    assert is_patched(PATCHED, EMPTY, EMPTY, updates_due=(at(0), at(54)))
    assert not is_patched(EMPTY, EMPTY, PATCHED, updates_due=(at(0),))


@pytest.mark.parametrize(("hours", "patched"), [(20, True), (19.9, False)])
def test_what_another_install_put_on_since_it_was_due_need_not_be_installed_again(hours: float, patched: bool) -> None:
    """As an operator's, which is no cycle's doing."""
    story = nights(EMPTY, UNPATCHED).install(when=at(hours, -540), command="by-hand")
    sent = {"principal": "", "document": "AWS-RunPatchBaseline", "parameters": {}, "instances": ["i-1"]}
    story.tell(at(hours, -550), "CommandSent", command="by-hand", **sent)
    assert holds(story, updates_due=(at(20),)) is patched


def test_an_install_may_finish_what_an_earlier_one_of_its_window_left() -> None:
    story = nights(WAITS, WAITS).install(when=at(48), command="again", installed=[])
    assert holds(story, **REBOOTS, updates_due=(at(0), at(30)))
    story = nights(WAITS, WAITS).install(when=at(48), command="again", installed=[], pending_reboot=["kernel"])
    (violation,) = story.judged(**GATED | WEEK | REBOOTS, updates_due=(at(0), at(30))).violations
    assert violation.what.endswith("ended as Success: kernel still waited for a reboot")


def test_what_is_told_of_a_window_is_what_was_installed_in_it() -> None:
    """Not what an install of a later one left."""
    story = nights(UNPATCHED, EMPTY, WAITS)
    begun = {"execution": "first", "document": DOCUMENT, "target": "i-1"}
    story.tell(at(23), "AutomationStarted", **begun)
    story.tell(at(23.1), "AutomationEnded", status="Failed", failure="boom", **begun)
    story.install(when=at(22.6), command="before", pending_reboot=["kernel"])
    found = story.judged(**GATED | WEEK | REBOOTS, updates_due=(at(0), at(30))).violations
    (what,) = [violation.what for violation in found if violation.promise == "liveness"]
    assert "its runbook ended as Failed boom; 2026" in what
    assert what.endswith("nothing was installed, and updates had been due since 2026-07-05T06:00:00+00:00")


# Whose and when


@pytest.mark.parametrize(
    ("hours", "patched"), [(22.8, False), (22.85, True), (23, True), (40, True), (46.8, True), (46.9, True)]
)
def test_an_install_is_of_the_window_before_it_until_the_next_one_begins(hours: float, patched: bool) -> None:
    """It takes nine minutes: what ends in the window has patched, whenever it began."""
    assert holds(nights(UNPATCHED, UNPATCHED).install(when=at(hours))) is patched


@pytest.mark.parametrize(("hours", "patched"), [(22.9, False), (23, True), (46.9, True), (71, False)])
@pytest.mark.parametrize("over", [True, False])
def test_an_install_that_fails_or_goes_on_is_of_the_window_in_which_it_began(
    hours: float, patched: bool, over: bool
) -> None:
    story = nights(UNPATCHED, UNPATCHED)
    known = {"instance": "i-1", "operation": "Install", "command": "c"}
    story.tell(at(hours), "PatchStarted", **known)
    if over:
        story.tell(at(hours, 600), "PatchEnded", status="Failed", **known)
    assert holds(story) is patched


def test_another_commands_end_is_not_that_of_an_install() -> None:
    """The install that goes on is one that the gate began; the other ended with nothing done."""
    story = nights(EMPTY, UNPATCHED).tell(at(47), "PatchStarted", instance="i-1", operation="Install", command="on")
    story.install(when=at(47.1), command="other", installed=[])
    assert holds(story, updates_due=(at(0),))


def by_hand(**how: Any) -> Story:
    sent = {"principal": "", "document": "AWS-RunPatchBaseline", "parameters": {}, "instances": ["i-1"]}
    story = nights(UNPATCHED, UNPATCHED).tell(at(47, 1), "CommandSent", command="by-hand", **sent)
    return story.install(when=at(47, 2), command="by-hand", **how)


def test_f60_what_an_operator_installs_patches_but_what_fails_then_is_nothing_that_the_gate_began() -> None:
    assert holds(by_hand())
    assert not holds(by_hand(status="Failed"))
    assert not holds(by_hand(failed=["p"]))
