"""The proof of order against arithmetic on a clock of 10,080 minutes: weekly schedules told by their distances."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from patchgate.plan.order import prove_order
from patchgate.plan.order_timeline import LaneSchedules
from patchgate.schedule.derivation import read_statement, shift_statement
from patchgate.schedule.grammar import parse

WEEK = 7 * 24 * 60
START, UNTIL = datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
MINUTES = st.integers(0, WEEK - 1)


def weekly(minute: int) -> str:
    """The cron expression of a minute of the week, which begins on Sunday."""
    day, time = divmod(minute, 24 * 60)
    return f"cron({time % 60} {time // 60} ? * {day + 1} *)"


def before(later: int, earlier: int) -> int:
    """Minutes from the last ``earlier`` before ``later``: 1 to a week."""
    return (later - earlier - 1) % WEEK + 1


def expected_rules(window: int, gate: int, backup: int, close: int, duration: int, completion: int) -> set[str]:
    """The rules that such weekly schedules break, by distances alone; the limits are the defaults'."""
    rules: set[str] = set()
    lead = before(window, gate)
    has_gate = lead <= 180
    if not has_gate:
        rules |= {"gate-missing", "gate-idle"}
    elif lead < 15:
        rules.add("gate-too-close")
    decided = lead if has_gate else 0
    gap = before(window, backup)
    rules |= expected_backup_rules(gap, decided, has_gate, duration, completion)
    delay = before(close, window)  # after the window's start
    limit = WEEK - lead if lead < WEEK else WEEK
    begins = -decided if has_gate else 0
    at = delay if delay < WEEK + begins else delay - WEEK
    if not (begins < at if has_gate else at >= 0) or not at < limit:
        return rules | {"close-missing", "close-idle"}
    if at < duration + 1:
        rules.add("close-too-early")
    elif at > duration + 12 * 60:
        rules.add("close-too-late")
    if at > WEEK - gap and not rules & {"backup-missing", "backup-before-look-back"}:
        rules.add("backup-in-window")  # its cycle's close runs after the next one's backup
    return rules


def expected_backup_rules(gap: int, decided: int, has_gate: bool, duration: int, completion: int) -> set[str]:
    """The same of the backup ``gap`` minutes before the window, whose gate decides ``decided`` minutes before it."""
    if gap <= decided:
        return {"backup-missing", "backup-idle"}
    if gap - decided > 12 * 60:
        # A backup in the minute of the window before does not belong to this one.
        return {"backup-before-look-back"} if gap < WEEK else {"backup-missing", "backup-idle"}
    rules: set[str] = set()
    if has_gate and gap - decided < 60 + completion:
        rules.add("backup-unfinished")
    if gap < 120:
        rules.add("backup-too-close")
    if gap + duration - 60 > 720:
        rules.add("proof-too-old")
    if gap - decided > 12 * 60 - 30:
        rules.add("look-back-too-tight")
    return rules


@settings(max_examples=300)
@example(window=0, lead=1, gap=3, delay=WEEK - 2, hours=2, completion=60)
@given(
    MINUTES,
    st.integers(1, 240) | MINUTES,
    st.integers(1, 900) | MINUTES,
    st.integers(0, 2000) | MINUTES,
    st.integers(2, 24),
    st.integers(60, 600),
)
def test_weekly_schedules_break_the_rules_that_their_distances_break(
    window: int, lead: int, gap: int, delay: int, hours: int, completion: int
) -> None:
    gate, backup, close = (window - lead) % WEEK, (window - gap) % WEEK, (window + delay) % WEEK
    lane = LaneSchedules(
        "UTC",
        weekly(backup),
        weekly(gate),
        weekly(window),
        weekly(close),
        duration_hours=hours,
        backup_completion_minutes=completion,
    )
    found = {violation.rule for violation in prove_order(lane, START, UNTIL).violations}
    assert found == expected_rules(window, gate, backup, close, hours * 60, completion)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["MON", "SUN,WED", "SAT", "MON-FRI", "TUE#2", "6L", "FRI#5"]),
    st.sampled_from(["*", "1", "2,3", "12", "4-9"]),
    st.integers(0, 23),
    st.integers(-3000, 3000),
)
def test_a_shifted_statement_runs_at_every_shifted_time(days: str, months: str, hour: int, minutes: int) -> None:
    statement = read_statement(f"cron(0 {hour} ? {months} {days} *)")
    derived = shift_statement(statement, minutes, "scheduler")
    begin, end = 1_767_225_600, 1_893_456_000  # 2026 and 2030
    runs = set(parse(derived.expressions[0], "scheduler").between_epoch("UTC", begin, end))
    wanted = {
        epoch + 60 * minutes
        for epoch in parse(statement.expression, "ssm").between_epoch("UTC", begin - 400_000, end + 400_000)
    }
    wanted = {epoch for epoch in wanted if begin < epoch <= end}
    assert runs == wanted if derived.exactness == "exact" else runs > wanted
