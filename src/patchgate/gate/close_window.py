"""The close function: after the window's end, and every day as a watchdog, closes what should be closed.

It first marks the leases closed, then disables the window and reads that back, and in the end marks the leases told: of
those that are closed and not told the next run, of either mode, names whom the window did not reach. Any mode only ever
makes things stricter. As a watchdog it also reports a due cycle that no gate judged, and removes leases that are long
over.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from patchgate.gate.rules import Json, cycle_key, format_instant, is_live, metrics_line, parse_instant, read_leases

RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})
KEPT = timedelta(days=14)
NEVER = "1970-01-01T00:00:00Z"  # the start that is remembered while AWS names none
SLACK_HOURS = 12  # how long after its end a close still belongs to a window; less than a day, for daily windows


def handler(event: Json, context: Any) -> Json:
    """One invocation by EventBridge Scheduler, mode "close" or "watchdog"; returns what was closed and found."""
    lane, now = Lane(os.environ, context.invoked_function_arn), datetime.now(UTC)
    scheduled = parse_instant(event["scheduled_time"])
    watchdog = event["mode"] == "watchdog"
    window = lane.window()
    leases = lane.leases()
    ended_by = now if watchdog else scheduled
    closed = [cycle for cycle in sorted(leases) if is_over(leases[cycle], ended_by, event["mode"])]
    for cycle in closed:
        leases[cycle]["closed"] = lane.mark(cycle, {"closed": format_instant(now), "next": memory_of(window)})
    found_open = window["Enabled"] and not any(is_live(lease, now) for lease in leases.values())
    if found_open:
        lane.disable_window(window["WindowId"])
    if watchdog:
        lane.prune(leases, now)
    untold = [cycle for cycle in sorted(leases) if is_untold(leases[cycle])]
    unreached = [i for cycle in untold for i in lane.unreached(cycle)]
    memory = lane.memory()
    due = start_in(memory, window)
    missed = now - KEPT < due < now and not lane.judged(leases, due)
    problems = lane.watch() if watchdog else []
    if watchdog and missed:
        problems.append(f"no gate judged the window that was due at {format_instant(due)}")
    if not watchdog and not lane.judged(leases, scheduled, window) and due <= scheduled:
        problems.append(f"no gate judged the cycle that ended by {format_instant(scheduled)}")
    if watchdog and (found_open or untold):
        problems.append(f"no close ended well; the watchdog closed window {window['WindowId']} and its lease")
    if unreached:
        names = " ".join(unreached[:200])
        of = " ".join(untold)
        problems.append(f"{len(unreached)} instances were let in and never reached in {of}, for example {names}")
    record = {
        "mode": event["mode"],
        "lane": f"{lane.account}/{lane.region}/{lane.os}/{lane.stage}",
        "at": format_instant(now),
        "closed": closed,
        "told": untold,
        "window_disabled": found_open,
        "unreached": unreached[:2000],
        "problems": problems,
    }
    lane.report(record, watchdog=watchdog)
    lane.notify(record)
    for cycle in untold:
        lane.mark(cycle, json.loads(leases[cycle]["closed"]) | {"told": True})
    if watchdog or not missed:
        lane.remember(window, leases, memory, now)
    return record


def is_untold(lease: Mapping[str, str]) -> bool:
    """Whether a lease was closed by a run that died before it had said whom the window did not reach."""
    return "open" in lease and "closed" in lease and "told" not in json.loads(lease["closed"])


def is_over(lease: Mapping[str, str], at: datetime, mode: str) -> bool:
    """Whether a lease is to be closed: the close ends all windows that began before it, the watchdog what has ended."""
    if "open" not in lease or "closed" in lease:
        return False
    return parse_instant(json.loads(lease["open"])["window_end" if mode == "watchdog" else "window_start"]) <= at


def memory_of(window: Json, start: str = "") -> str:
    """A start of the window, without one what AWS names as its next, with the schedule that it depends on.

    Of a window that is disabled AWS may name none.
    """
    schedule = (str(window.get(name)) for name in ("Schedule", "ScheduleTimezone", "ScheduleOffset"))
    return " ".join([start or window.get("NextExecutionTime", NEVER), *schedule])


def start_in(memory: str, window: Json) -> datetime:
    """The start that is remembered; NEVER when it is of another schedule."""
    start = memory.partition(" ")[0]
    return parse_instant(start if memory == memory_of(window, start) else NEVER)


class Lane:
    """The lane as the function's environment describes it, and its AWS."""

    def __init__(self, environment: Mapping[str, str], arn: str) -> None:
        self.env = environment
        self.os, self.stage = environment["OPERATING_SYSTEM"], environment["ENVIRONMENT"]
        _, _, _, self.region, self.account, *_ = arn.split(":")
        self.prefix = f"/patchgate/{self.os}/{self.stage}/"
        self.ssm = boto3.client("ssm", config=RETRIES)

    def window(self) -> Json:
        """The window whose id the patch stack wrote."""
        window_id = self.ssm.get_parameter(Name=self.prefix + "window-id")["Parameter"]["Value"]
        return self.ssm.get_maintenance_window(WindowId=window_id)

    def leases(self) -> dict[str, dict[str, str]]:
        """Every lease of the lane that is kept."""
        pages = self.ssm.get_paginator("get_parameters_by_path").paginate(Path=self.prefix, Recursive=True)
        return read_leases([p for page in pages for p in page["Parameters"]], self.prefix)

    def mark(self, cycle: str, said: Json) -> str:
        """Mark a lease closed, for ever; returns the mark. It is ``told`` when people know whom the window left."""
        name, value = f"{self.prefix}{cycle}/closed", json.dumps(said)
        self.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
        return value

    def disable_window(self, window_id: str) -> None:
        """Disable the window and read it back; raises when it is still enabled."""
        self.ssm.update_maintenance_window(WindowId=window_id, Enabled=False)
        if self.ssm.get_maintenance_window(WindowId=window_id)["Enabled"]:
            raise RuntimeError(f"window {window_id} was disabled and is still enabled")

    def unreached(self, cycle: str) -> list[str]:
        """The instances that the gate let in and that left neither proof nor denial: the window did not get to them."""
        prefix = f"evidence/{self.os}/{self.stage}/{self.account}/{self.region}/{cycle}/"
        s3, place = boto3.client("s3", config=RETRIES), {"Bucket": self.env["LOG_BUCKET"]}
        pages = s3.get_paginator("list_objects_v2").paginate(**place, Prefix=prefix)
        seen = {entry["Key"][len(prefix) : -len(".json")] for page in pages for entry in page["Contents"]}
        verdict = s3.get_object(**place, Key=prefix + "open.jsonl")["Body"].read().decode().splitlines()
        found = [json.loads(row) for row in verdict[1:]]
        return [f["instance"] for f in found if f["status"] != "denied" and f["instance"] not in seen]

    def judged(self, leases: Mapping[str, Any], at: datetime, window: Mapping[str, int] | None = None) -> list[str]:
        """The cycles that a gate judged within its lead before an instant, or before a window that ended before it."""
        lead, past = int(self.env["MAXIMUM_LEAD_MINUTES"]), window["Duration"] + SLACK_HOURS if window else 0
        since = at - timedelta(minutes=lead, hours=past)
        return [cycle for cycle in leases if cycle_key(since) <= cycle <= cycle_key(at)]

    def memory(self) -> str:
        """The start that the watchdog waits for, as it is remembered; NEVER while nothing is."""
        found = self.ssm.get_parameters(Names=[self.prefix + "due"])["Parameters"]
        return found[0]["Value"] if found else NEVER

    def remember(self, window: Json, leases: Mapping[str, Any], memory: str, now: datetime) -> None:
        """Wait for the window's next start, once people know what became of the one that was due before.

        AWS names it, or the mark of a close that found the window enabled.
        """
        listed = self.ssm.describe_maintenance_window_schedule(WindowId=window["WindowId"], MaxResults=1)
        known = [memory_of(window, one["ExecutionTime"]) for one in listed["ScheduledWindowExecutions"]]
        known += [json.loads(lease["closed"]).get("next", NEVER) for lease in leases.values() if "closed" in lease]
        starts = [start_in(each, window) for each in (memory_of(window), *known)]
        start = min((each for each in starts if each > now), default=parse_instant(NEVER))
        value, due = memory_of(window, format_instant(start)), start_in(memory, window)
        if value != memory and (due <= now or now < start < due):
            self.ssm.put_parameter(Name=self.prefix + "due", Value=value, Type="String", Overwrite=True)

    def watch(self) -> list[str]:
        """The schedules of gate and close that are off."""
        problems: list[str] = []
        scheduler = boto3.client("scheduler", config=RETRIES)
        for name in (self.env["OPEN_SCHEDULE_NAME"], self.env["CLOSE_SCHEDULE_NAME"]):
            state = scheduler.get_schedule(Name=name, GroupName=self.env["SCHEDULE_GROUP"])["State"]
            if state != "ENABLED":
                problems.append(f"schedule {name} is {state}")
        return problems

    def prune(self, leases: dict[str, dict[str, str]], now: datetime) -> None:
        """Delete and forget what is long over; the lease before the mark that closed it."""
        for cycle in sorted(leases):
            if cycle < cycle_key(now - KEPT):
                lease = leases.pop(cycle)
                names = [f"{self.prefix}{cycle}/{kind}" for kind in ("open", "hold", "closed", "told") if kind in lease]
                for name in names:
                    self.ssm.delete_parameter(Name=name)

    def notify(self, record: Json) -> None:
        """Tell people of problems, and only of those."""
        if record["problems"]:
            subject = f"patchgate {record['mode']}: {self.os} {self.stage} {self.region}"
            message = "\n".join([record["lane"], "", *record["problems"]])
            sns = boto3.client("sns", config=RETRIES)
            sns.publish(TopicArn=self.env["TOPIC_ARN"], Subject=subject, Message=message)

    def report(self, record: Json, *, watchdog: bool) -> None:
        """Print the one structured log line, with its metrics."""
        metrics = {
            "Closed": len(record["closed"]),
            "WindowsFoundOpen": int(watchdog and record["window_disabled"]),
            "CyclesWithoutVerdict": sum(problem.startswith("no gate") for problem in record["problems"]),
            "WatchdogRan": int(watchdog),
        }
        dimensions = {"OperatingSystem": self.os, "Environment": self.stage}
        print(metrics_line(record, dimensions, metrics, datetime.now(UTC)))
