"""The promises about lanes: windows and leases that are closed, and nobody forgotten; and what the judge refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from patchgate.errors import InputError
from patchgate.judge.judge import judge
from patchgate.judge.promises import PROMISES
from patchgate.judge.records import instant

from .histories import CLOSE, CYCLE, GATED, LANE, LOG, NAME, OPEN, TAGS, WINDOW, Story, around, at, good_evening

DUE = ((at(23), at(26)),)


def test_f31_a_window_left_enabled_after_its_end() -> None:
    judgement = good_evening().window(at(26.5), enabled=True).judged()
    assert judgement.windows_left_open == 1
    (violation,) = judgement.violations
    assert violation.promise == "window"
    assert WINDOW in violation.what


def test_a_window_whose_lease_still_runs_is_not_left_open() -> None:
    assert good_evening().judged(end=at(24)).windows_left_open == 0


def test_f24_a_window_that_was_enabled_and_not_yet_due_is_not_left_open() -> None:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True).launch()
    assert story.judged(end=at(2)).windows_left_open == 0
    assert story.judged(occurrences=DUE).windows_left_open == 1


def test_a_window_is_known_by_its_name_too() -> None:
    story = Story().tell(at(0.5), "WindowCreated", window="mw-2", name=NAME, enabled=True)
    assert story.judged(occurrences=DUE, window_id="").windows_left_open == 1
    gone = story.tell(at(3), "WindowDeleted", window="mw-2")
    assert gone.judged(occurrences=DUE, window_id="").windows_left_open == 0


def test_an_execution_that_ended_is_an_end_of_the_window() -> None:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True)
    story.tell(at(4), "WindowExecutionStarted", window=WINDOW, execution="e", name=NAME)
    assert story.judged().windows_left_open == 0
    assert story.tell(at(7), "WindowExecutionEnded", execution="e", status="SUCCESS").judged().windows_left_open == 1


def test_a_lease_that_stays_open_when_its_window_is_closed() -> None:
    story = Story().launch().back_up().open().evidence().install()
    assert story.broken() == []
    assert story.window(at(26.2), enabled=False).broken() == ["lease-closed"]
    name = "/patchgate/ubuntu/prd/20260704T223000Z/open"
    assert story.tell(at(26.4), "ParameterDeleted", name=name).broken() == []


def test_f28_a_lease_that_is_written_twice() -> None:
    assert good_evening().open(at(22.6), version=2).broken() == ["lease-once"]


def test_f27_a_lease_that_is_opened_after_the_start() -> None:
    story = Story().launch().back_up().open(at(23, 10)).close().evidence().install()
    assert story.broken() == ["lease-once"]


def test_an_instance_of_which_nobody_spoke_is_forgotten() -> None:
    judgement = good_evening().launch("i-2").judged()
    (violation,) = judgement.violations
    assert (violation.promise, violation.instance) == ("forgotten", "i-2")


def test_a_cycle_without_any_trace_is_seen_by_its_schedule() -> None:
    assert Story().launch().judged(occurrences=DUE).violations[0].promise == "forgotten"


def test_a_window_that_ran_without_a_lease_is_an_occurrence() -> None:
    story = Story().launch().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)
    story.tell(at(4), "WindowExecutionStarted", window=WINDOW, execution="e", name=NAME)
    assert story.tell(at(7), "WindowExecutionEnded", execution="e", status="SUCCESS").broken() == ["forgotten"]


def denial(story: Story) -> Story:
    return story.prove("i-2", decision="deny", reason="no-backup-job")


def failed_step(story: Story) -> Story:
    story.tell(at(23, 1), "AutomationStarted", execution="x", document="install", target="i-2")
    facts = {"step": "prove", "action": "a", "status": "Failed", "outputs": {}, "failure": "ThrottlingException"}
    return story.tell(at(23, 9), "AutomationStepEnded", execution="x", **facts)


def cut_off(story: Story) -> Story:
    facts = {"execution": "x", "document": "install", "target": "i-2", "status": "TimedOut", "failure": ""}
    return story.tell(at(25), "AutomationEnded", **facts)


def undelivered(story: Story) -> Story:
    facts = {"command": "c", "instance": "i-2", "status": "DeliveryTimedOut", "response_code": -1, "output": ""}
    return story.tell(at(23.2), "CommandEnded", **facts)


def failed_install(story: Story) -> Story:
    return story.back_up("i-2").evidence("i-2").install("i-2", status="Failed")


def named_in_the_log(story: Story) -> Story:
    said = json.dumps({"decision": "open", "left_out": [["i-2", "denied", "no-backup-job", ""]]})
    facts = {"function": "patchgate-open-ubuntu-prd", "request_id": "r", "status": "Success", "result": None}
    return story.tell(at(22.5), "FunctionEnded", error="", log=["START", said], **facts)


def named_by_the_close(story: Story) -> Story:
    facts = {"function": "patchgate-close-ubuntu-prd", "request_id": "r", "status": "Success"}
    said = json.dumps({"problems": [], "unreached": ["i-2"]})
    return story.tell(at(26.2), "FunctionEnded", error="", log=[said], result=None, **facts)


def named_in_the_result(story: Story) -> Story:
    said = {"findings": [{"instance": "i-2", "reason": "agent-offline"}]}
    facts = {"function": "patchgate-open-ubuntu-prd", "request_id": "r", "status": "Success", "result": said}
    return story.tell(at(22.5), "FunctionEnded", error="", log=[], **facts)


def stopped_meanwhile(story: Story) -> Story:
    return story.tell(at(23.5), "InstanceStateChanged", instance="i-2", state="stopped")


@pytest.mark.parametrize(
    "name",
    [
        denial,
        failed_step,
        cut_off,
        undelivered,
        failed_install,
        named_in_the_log,
        named_by_the_close,
        stopped_meanwhile,
    ],
)
def test_who_is_named_is_not_forgotten(name: Any) -> None:
    assert good_evening().launch("i-2").broken() == ["forgotten"]
    assert name(good_evening().launch("i-2")).broken() == []


def test_f57_the_return_value_of_an_asynchronous_invocation_names_nobody() -> None:
    """Of patchgate's own functions: those of others may be invoked in other ways."""
    story = named_in_the_result(good_evening().launch("i-2"))
    assert story.broken() == ["forgotten"]
    assert story.broken(has_gate=False) == []


def test_f35_a_failed_scan_is_no_reason() -> None:
    story = good_evening().launch("i-2")
    story.tell(at(23), "CommandSent", command="c", document="AWS-RunPatchBaseline", parameters={"Operation": ["Scan"]})
    assert undelivered(story).broken() == ["forgotten"]


def test_a_success_without_patching_is_no_reason() -> None:
    story = good_evening().launch("i-2").prove("i-2").evidence("i-2")
    assert story.broken() == []  # its runbook still goes on
    story.tell(
        at(23.5), "AutomationEnded", execution="execution-i-2", document="install", target="i-2", status="Success"
    )
    assert story.tell(at(23.4), "CommandEnded", command="c", instance="i-2", status="Success").broken() == [
        "verified",
        "forgotten",
    ]


def test_f39_a_stopped_instance_is_not_due() -> None:
    assert good_evening().launch("i-2", state="stopped").broken() == []


def test_f43_an_instance_launched_in_the_window_is_not_due() -> None:
    story = good_evening()
    facts = {"instance": "i-2", "name": "two", "tags": TAGS, "volumes": [], "root_device": "ebs", "state": "running"}
    assert story.tell(at(23.5), "InstanceLaunched", **facts).broken() == []


def test_a_hold_names_the_whole_lane() -> None:
    hold = {"name": "/patchgate/ubuntu/prd/20260704T223000Z/hold", "value": "{}", "version": 1}
    assert Story().launch().tell(at(22.5), "ParameterPut", **hold).broken(occurrences=DUE) == []
    overruled = good_evening().launch("i-2").tell(at(22.4), "ParameterPut", **hold)
    assert overruled.broken() == ["forgotten"]


def test_f29_a_gate_that_was_given_up_names_the_whole_lane() -> None:
    facts = {"function": "patchgate-open-ubuntu-prd", "request_id": "r"}
    lost = Story().launch().tell(at(22.9), "FunctionDiscarded", destination="queue", **facts)
    assert lost.broken(occurrences=DUE) == []


def test_f29_a_gate_that_failed_and_is_tried_again_names_nobody() -> None:
    facts = {"function": "patchgate-open-ubuntu-prd", "request_id": "r"}
    failed = (
        Story().launch().tell(at(22.5), "FunctionEnded", status="Error", error="boom", result=None, log=[], **facts)
    )
    assert failed.broken(occurrences=DUE) == ["forgotten"]


def test_each_occurrence_asks_again() -> None:
    week = ((at(23), at(26)), (at(23 + 168), at(26 + 168)))
    story = good_evening()
    assert story.broken(occurrences=week, end=at(27 + 168)) == ["forgotten"]
    assert story.broken(occurrences=week, end=at(27)) == []


def test_violations_come_in_the_order_of_time() -> None:
    story = Story().launch().launch("i-2").install("i-2", when=at(24)).install(when=at(23.5))
    assert [v.instance for v in story.judged().violations if v.promise == "proof"] == ["i-1", "i-2"]
    assert str(story.judged().violations[0]).startswith(("proof:", "lease:"))


def test_an_empty_history_breaks_nothing() -> None:
    assert judge([], lanes=[LANE]).held


def test_a_record_that_lacks_a_field_is_refused() -> None:
    records = around().records()
    del records[1]["tags"]
    with pytest.raises(InputError, match=r"record 1 of the history \(InstanceLaunched\) lacks 'tags'"):
        judge(records, lanes=[LANE])


@pytest.mark.parametrize("text", ["soon", "2026-07-04T23:00:00", None])
def test_instants_have_an_offset(text: Any) -> None:
    with pytest.raises(InputError):
        instant(text)


def test_every_promise_says_what_it_promises() -> None:
    assert len({promise.name for promise in PROMISES}) == len(PROMISES)
    assert all(promise.says.endswith(".") for promise in PROMISES)


# Whose naming is still due: i-2 was let in, and the window did not come to it


def unnamed() -> Story:
    return good_evening().launch("i-2").back_up("i-2")


def forgotten(story: Story, **changes: Any) -> list[str]:
    return story.broken(**GATED | changes)


def test_nobody_is_forgotten_before_the_first_close_that_succeeds() -> None:
    assert forgotten(unnamed()) == []
    assert forgotten(unnamed().closer(status="Error")) == []
    assert forgotten(unnamed().closer()) == ["forgotten"]
    assert forgotten(unnamed().closer(status="Error").closer(34, mode="watchdog"), end=at(40)) == []
    late = unnamed().closer(26.2, unreached=["i-2"])
    assert forgotten(late) == []


@pytest.mark.parametrize("repeated", [True, False])
def test_f28_a_gate_that_only_repeats_a_verdict_judges_nobody(repeated: bool) -> None:
    """i-2 came after the verdict, and before the gate was delivered again: it is the next cycle's."""
    story = good_evening().gate().launch("i-2", when=at(22.55))
    again: dict[str, Any] = {"scheduled_time": at(22.5, -10).isoformat(), "mode": "open", "decision": "open"}
    story.run(OPEN, at(22.6), at(22.6, 10), **again, repeated=repeated)
    assert ("forgotten" in forgotten(story.closer())) is not repeated


def test_f31_a_close_that_was_given_up_is_an_alarm_of_its_own() -> None:
    request = f"{CLOSE} {at(26.2, -10).isoformat()}"
    story = (
        unnamed()
        .closer(status="Error")
        .run(CLOSE, at(26.3), at(26.4), mode="close", scheduled_time=at(26.2).isoformat())
    )
    assert forgotten(story) == []  # that was another event's: the first was never tried again
    given_up = story.tell(at(26.35), "FunctionDiscarded", function=CLOSE, request_id=request, destination="queue")
    assert forgotten(given_up) == []


def test_f31_a_retry_that_succeeds_and_names_nobody_forgets() -> None:
    known = {"function": CLOSE, "request_id": "r"}
    payload = {"mode": "close", "scheduled_time": at(26.2).isoformat()}
    story = unnamed()
    for hours, status in ((26.2, "Error"), (26.25, "Success")):
        story.tell(at(hours), "FunctionInvoked", payload=payload, **known)
        story.tell(at(hours, 9), "FunctionEnded", status=status, error="", log=LOG, result=None, **known)
    assert forgotten(story) == ["forgotten"]


def test_a_close_that_never_came_is_missed_after_a_day_of_calm() -> None:
    assert forgotten(unnamed(), calm_from=at(1), end=at(50.9)) == []
    assert forgotten(unnamed(), calm_from=at(1), end=at(51)) == ["forgotten"]
    assert forgotten(unnamed(), end=at(90)) == []
    assert forgotten(unnamed().closer(52, mode="watchdog"), end=at(90)) == []  # a day without any: another alarm


def test_f27_a_close_that_found_no_verdict_names_the_lane() -> None:
    story = Story().launch().closer()
    assert forgotten(story) == ["forgotten"]
    assert forgotten(Story().launch().closer(CyclesWithoutVerdict=1)) == []


def test_f50_where_there_is_no_gate_nobody_can_name_anybody() -> None:
    gone = Story().launch().closer().tell(at(1), "FunctionCreated", function=OPEN)
    assert forgotten(gone) == ["forgotten"]
    assert forgotten(gone.tell(at(22), "FunctionDeleted", function=OPEN)) == []


def test_f08_who_came_after_the_gate_had_looked_is_the_next_cycles() -> None:
    def launched(hours: float) -> list[str]:
        facts = {"instance": "i-2", "name": "two", "tags": TAGS, "volumes": ["vol-2"]}
        story = good_evening().gate().closer().tell(at(hours), "InstanceLaunched", **facts)
        return forgotten(story, minimum_coverage_percent=None)

    assert launched(22.6) == []
    assert launched(22.4) == ["forgotten"]


def test_who_lost_the_lanes_tags_in_the_window_is_not_due() -> None:
    story = unnamed().closer().tell(at(24), "InstanceTagged", instance="i-2", tags={})
    assert forgotten(story) == []


def test_f57_a_close_names_those_of_the_cycles_that_it_tells_of() -> None:
    assert "forgotten" in good_evening().launch("i-2").closer().broken(**GATED)
    let_in = good_evening().launch("i-2")
    assert "forgotten" not in let_in.closer(unreached=["i-2"], told=[CYCLE]).broken(**GATED)
    others = good_evening().launch("i-2").closer(unreached=["i-2"], told=["20260703T223000Z"])
    assert "forgotten" in others.broken(**GATED)
    before = good_evening().launch("i-2").closer(20, unreached=["i-2"]).closer()
    assert "forgotten" in before.broken(**GATED)


# What is said so late that the next window's gate is due, or has begun: that one is due from 20:00 of the next evening

TWO = {"occurrences": ((at(23), at(26)), (at(47), at(50))), "end": at(49)}


def test_f27_a_close_that_comes_after_the_next_start_still_names_its_own() -> None:
    def closed(**said: Any) -> list[str]:
        return forgotten(unnamed().closer(47.5, mode="watchdog", unreached=["i-2"], **said), **TWO)

    assert closed(told=[CYCLE]) == []
    assert "forgotten" in closed(told=["20260705T223000Z"])
    assert "forgotten" in closed()  # which does not say of which window


def test_f27_what_the_next_gate_says_is_of_the_next_window() -> None:
    def judged(hours: float) -> list[str]:
        due = {"scheduled_time": at(hours).isoformat(), "mode": "open", "decision": "open"}
        left_out: dict[str, Any] = {"left_out": [["i-2", "denied", "backup-aborted", ""]]}
        story = unnamed().closer().run(OPEN, at(hours), at(hours, 10), **due, **left_out)
        return [promise for promise in forgotten(story, **TWO) if promise == "forgotten"]

    assert judged(46.5) == ["forgotten"]
    assert judged(44) == ["forgotten"]
    assert judged(43.9) == []


def test_f27_a_hold_of_the_next_gate_is_of_the_next_window() -> None:
    def held(hours: float) -> list[str]:
        name = "/patchgate/ubuntu/prd/20260705T223000Z/hold"
        story = Story().launch().closer().tell(at(hours), "ParameterPut", name=name, value="{}", version=1)
        return forgotten(story, **TWO)

    assert held(44) == ["forgotten"]
    assert held(22.5) == []


def test_f27_a_watchdog_says_late_that_no_gate_judged_a_window() -> None:
    """The first night has no verdict, and its close is lost: the second night's asks for the verdict on that one."""
    second: dict[str, Any] = {"name": "/patchgate/ubuntu/prd/20260705T223000Z/hold", "value": "{}", "version": 1}
    story = Story().launch().tell(at(46.5), "ParameterPut", **second).closer(50.2)
    known = TWO | {"end": at(62)}
    assert forgotten(story, **known) == []  # the watchdog is still to come
    assert forgotten(story, **known, calm_from=at(1)) == ["forgotten"]  # and does not in a day of calm
    assert forgotten(story.closer(60, mode="watchdog"), **known) == ["forgotten"]
    assert forgotten(story.closer(60, mode="watchdog", CyclesWithoutVerdict=1), **known) == []


def test_f60_an_operators_own_install_that_failed_is_no_reason() -> None:
    def failed(principal: str) -> list[str]:
        story = unnamed().install("i-2", when=at(30), status="Failed").closer()
        sent = {"command": "command-i-2", "document": "AWS-RunPatchBaseline", "instances": ["i-2"]}
        story.tell(at(29.9), "CommandSent", principal=principal, parameters={"Operation": ["Install"]}, **sent)
        return [promise for promise in forgotten(story) if promise == "forgotten"]

    assert failed("") == ["forgotten"]
    assert failed("arn:aws:iam::111122223333:role/window") == []
