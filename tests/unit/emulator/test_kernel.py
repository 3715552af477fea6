"""The virtual clock: order of events, sleeping processes, kills."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from patchgate.emulator.kernel import Kernel, ProcessKilled

START = datetime(2026, 7, 4, 19, 0, tzinfo=UTC)


def test_events_of_one_instant_run_in_the_order_in_which_they_were_made() -> None:
    kernel = Kernel(START)
    seen: list[str] = []
    kernel.after(timedelta(seconds=5), seen.append, "late")
    kernel.after(timedelta(seconds=1), seen.append, "first")
    kernel.after(timedelta(seconds=1), seen.append, "second")
    kernel.run_until(START + timedelta(seconds=10))
    assert seen == ["first", "second", "late"]
    assert kernel.now == START + timedelta(seconds=10)


def test_run_until_stops_before_later_events_and_never_runs_backwards() -> None:
    kernel = Kernel(START)
    seen: list[str] = []
    kernel.after(timedelta(seconds=5), seen.append, "x")
    kernel.run_until(START + timedelta(seconds=4))
    assert seen == []
    assert kernel.next_event_at() == START + timedelta(seconds=5)
    with pytest.raises(ValueError, match="never runs backwards"):
        kernel.run_until(START)


def test_a_cancelled_event_does_not_happen() -> None:
    kernel = Kernel(START)
    seen: list[str] = []
    kernel.after(timedelta(seconds=1), seen.append, "x").cancel()
    assert kernel.next_event_at() is None
    kernel.run_until(START + timedelta(seconds=2))
    assert seen == []


def test_an_event_in_the_past_happens_now() -> None:
    kernel = Kernel(START)
    seen: list[datetime] = []
    kernel.at(START - timedelta(days=1), lambda: seen.append(kernel.now))
    kernel.run_until(START)
    assert seen == [START]


def test_naive_instants_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Kernel(datetime(2026, 7, 4))  # noqa: DTZ001 - the point of the test


def test_a_process_sleeps_in_virtual_time_while_others_go_on() -> None:
    kernel = Kernel(START)
    seen: list[tuple[str, float]] = []

    def body(name: str, seconds: float) -> None:
        for _ in range(2):
            kernel.sleep(seconds)
            seen.append((name, (kernel.now - START).total_seconds()))

    kernel.spawn("slow", lambda: body("slow", 3))
    kernel.spawn("fast", lambda: body("fast", 1))
    kernel.run_until(START + timedelta(seconds=10))
    assert seen == [("fast", 1.0), ("fast", 2.0), ("slow", 3.0), ("slow", 6.0)]


def test_who_sleeps_alone_goes_on_at_once_and_lets_whatever_is_due_go_first() -> None:
    kernel = Kernel(START)
    seen: list[str] = []

    def body() -> None:
        kernel.sleep(1)
        seen.append(f"alone {kernel.now:%S}")
        kernel.after(timedelta(seconds=1), seen.append, "due at the same instant")
        kernel.sleep(1)
        seen.append(f"woken {kernel.now:%S}")
        kernel.sleep(10)
        seen.append(f"later {kernel.now:%S}")

    kernel.spawn("sleeper", body)
    kernel.run_until(START + timedelta(seconds=5))
    assert seen == ["alone 01", "due at the same instant", "woken 02"]
    assert kernel.now == START + timedelta(seconds=5)
    assert kernel.processes() == ["sleeper"]
    kernel.run_until(START + timedelta(seconds=12))
    assert seen[3:] == ["later 12"]


def test_a_process_that_sleeps_alone_for_ever_ends_when_its_time_is_up() -> None:
    kernel = Kernel(START)
    ended: list[str] = []

    def body() -> None:
        try:
            while True:
                kernel.sleep(1)
        except ProcessKilled as killed:
            ended.append(f"{killed.reason} {kernel.now:%S}")
            raise

    process = kernel.spawn("loop", body)
    kernel.after(timedelta(seconds=30), process.kill, "timeout")
    with pytest.raises(ProcessKilled):
        kernel.run_until(START + timedelta(seconds=60))
    assert ended == ["timeout 30"]


def test_only_a_process_can_sleep() -> None:
    with pytest.raises(RuntimeError, match="only a process can sleep"):
        Kernel(START).sleep(1)


def test_a_killed_process_ends_where_it_sleeps_and_no_handler_of_exceptions_stops_it() -> None:
    kernel = Kernel(START)
    seen: list[str] = []

    def body() -> None:
        try:
            kernel.sleep(60)
        except Exception:  # noqa: BLE001 - what careless user code does
            seen.append("swallowed")
        finally:
            seen.append("cleaned up")
        seen.append("went on")

    def outer() -> None:
        try:
            body()
        except ProcessKilled as killed:
            seen.append(killed.reason)

    process = kernel.spawn("victim", outer)
    kernel.after(timedelta(seconds=5), process.kill, "timeout")
    kernel.run_until(START + timedelta(seconds=100))
    assert seen == ["cleaned up", "timeout"]
    assert process.finished


def test_a_process_killed_before_its_first_step_never_runs() -> None:
    kernel = Kernel(START)
    seen: list[str] = []
    process = kernel.spawn("never", lambda: seen.append("ran"))
    process.kill("too early")
    kernel.run_until(START + timedelta(seconds=1))
    assert seen == []
    assert process.finished


def test_an_error_in_a_process_reaches_whoever_runs_the_kernel() -> None:
    kernel = Kernel(START)

    def body() -> None:
        kernel.sleep(1)
        raise LookupError("lost")

    kernel.spawn("broken", body)
    with pytest.raises(LookupError, match="lost"):
        kernel.run_until(START + timedelta(seconds=2))
    assert kernel.current is None


def test_what_a_killed_process_still_tries_takes_no_time_and_does_not_happen() -> None:
    kernel = Kernel(START)
    seen: list[str] = []

    def body() -> None:
        try:
            kernel.sleep(60)
        finally:
            try:
                kernel.sleep(1)
                seen.append("too late")
            except ProcessKilled as killed:
                seen.append(f"{killed.reason} {kernel.now:%S}")

    process = kernel.spawn("stubborn", body)
    kernel.after(timedelta(seconds=5), process.kill, "timeout")
    with pytest.raises(ProcessKilled):
        kernel.run_until(START + timedelta(seconds=10))
    assert seen == ["timeout 05"]
