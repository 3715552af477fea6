"""Functions that both ways of running code must treat alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BEHAVIOURS = """
import collections, decimal, json, logging, os, sys, time, traceback
from datetime import UTC, date, datetime

import rules

log = logging.getLogger(__name__)
logging.basicConfig(level="DEBUG")
log.setLevel("INFO")
log.info("cold")
count = 0
number = 3
Point = collections.namedtuple("Point", "x y")


def echo(event, context):
    return event


def fail(event, context):
    print("trying")
    return deeper(event)


def deeper(event):
    raise ValueError(f"no backup of {event}")


def fail_elsewhere(event, context):
    return rules.check({})


def fail_in_the_library(event, context):
    return json.loads("{")


def fail_twice(event, context):
    try:
        rules.check({})
    except KeyError as error:
        raise RuntimeError("again") from error


def fail_bare(event, context):
    raise KeyError


def wait(event, context):
    before = context.get_remaining_time_in_millis()
    time.sleep(event)
    return [before, context.get_remaining_time_in_millis(), time.time(), time.monotonic(), time.time_ns()]


def clock(event, context):
    now = datetime.now(UTC)
    texts = [str(datetime.now()), str(datetime.utcnow()), str(date.today()), time.ctime(), time.strftime("%H:%M:%S %Z")]
    same = [isinstance(now, datetime), isinstance(now, date), datetime.fromisoformat(now.isoformat()) == now]
    parsed = datetime.strptime("2026-07-04T20:30:00Z", "%Y-%m-%dT%H:%M:%SZ")
    return [*texts, *same, str(parsed), time.gmtime()[:6], time.localtime(0)[:4], str(datetime.fromtimestamp(0))]


def environment(event, context):
    names = [name for name in os.environ if name.startswith(("AWS_LAMBDA_", "STAGE", "_", "TZ", "LANG", "AWS_REGION"))]
    ours = ("AWS_LAMBDA_RUNTIME_API",)
    return {name: os.environ[name] for name in sorted(names) if name not in ours} | {"missing": os.getenv("MISSING")}


def describe(event, context):
    names = ("function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb", "aws_request_id",
             "log_group_name", "log_stream_name", "client_context", "tenant_id")
    return {name: getattr(context, name) for name in names} | {"file": __file__, "name": __name__}


def warm(event, context):
    global count
    count += 1
    return count


def write(event, context):
    print("a line", 1, sep="|")
    print("no end", end="")
    log.info("of %s: %s", __name__, event)
    log.debug("not shown")
    logging.warning("root")
    logging.info("root's level is not touched")
    print("more\\nthan one\\n\\nlined", file=sys.stderr)
    sys.stdout.write("Grüße \\u2713 \\U0001f600\\n")
    try:
        rules.check({})
    except KeyError:
        log.exception("caught")
        traceback.print_exc()
        print(traceback.format_exc().count("\\n"))
    context.log("from the context\\n")


def decimals(event, context):
    return {"d": decimal.Decimal("1.10"), "p": Point(1, 2), "t": (1, 2), "b": b"text", 1: "key"}


def undecimal(event, context):
    return {"s": {1, 2}}


def plain_json(event, context):
    return b'{"a": 1}'


def no_json(event, context):
    return b"<html>"


def handler(event, context):
    return globals()[event["do"]](event.get("with"), context)
"""
RULES = """
def check(finding):
    return finding["volume"]
"""
SLEEPER = """
import time

def handler(event, context):
    print("before")
    try:
        time.sleep(event)
    finally:
        print("too late")
        import boto3
        boto3.client("ssm").put_parameter(Name="/too/late", Value="x", Type="String")
"""
SWALLOWS = """
import time

def handler(event, context):
    try:
        time.sleep(event)
    except BaseException:
        return "as if nothing had happened"
"""
SDK = """
import json, time
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "eu-central-1"

def handler(event, context):
    ssm, s3, sns = boto3.client("ssm"), boto3.client("s3"), boto3.client("sns")
    begun = time.time()
    attempts = ssm.put_parameter(Name="/retried", Value="x", Type="String")["ResponseMetadata"]["RetryAttempts"]
    told = [time.time() - begun, attempts]
    for number in range(12):
        ssm.put_parameter(Name=f"/p/{number:02}", Value=str(number), Type="String")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/p", Recursive=True)
    told += [p["Value"] for page in pages for p in page["Parameters"]]
    s3.put_object(Bucket="evidence", Key="a/b c.json", Body=json.dumps(told).encode(), ContentType="application/json")
    found = s3.get_object(Bucket="evidence", Key="a/b c.json")
    told += [found["Body"].read().decode(), found["LastModified"].isoformat(), repr(found["LastModified"])]
    told += [item["Key"] for item in s3.list_objects_v2(Bucket="evidence")["Contents"]]
    sns.publish(TopicArn=event["topic"], Subject="told", Message=json.dumps(told))
    elsewhere = boto3.Session(region_name="us-east-1").client("ssm", config=Config(retries={"mode": "standard"}))
    for call in (
        lambda: ssm.get_parameter(Name="/none"),
        lambda: ssm.create_maintenance_window(  # the SDK draws a client token for it
            Name="window", Schedule="rate(7 days)", Duration=2, Cutoff=1, AllowUnassociatedTargets=False),
        lambda: elsewhere.delete_parameter(Name="/p/01"),
        lambda: s3.get_object(Bucket="evidence", Key="none"),
        lambda: ssm.put_parameter(Name="/p/01", Value="again", Type="String"),
    ):
        try:
            call()
        except ClientError as error:
            said = error.response
            told += [type(error).__name__, str(error), said["Error"]["Code"], said["ResponseMetadata"]["RetryAttempts"]]
    told.append(boto3.client("sts").get_caller_identity()["Arn"])
    return told
"""

INTERLEAVED = """
import time
import boto3

ssm = boto3.client("ssm")

def handler(event, context):
    for number in range(3):
        ssm.put_parameter(Name=f"/{event}/{number}", Value="x", Type="String")
        time.sleep(0.01)
    return time.time()
"""
FAILING = """
def handler(event, context):
    raise ValueError(f"no backup of {event['instance']}")
"""

PACKAGES: dict[str, dict[str, str]] = {
    "behaviours": {"index": BEHAVIOURS, "rules": RULES},
    "sleeper": {"index": SLEEPER},
    "swallows": {"index": SWALLOWS},
    "sdk": {"index": SDK},
    "leaves": {"index": "import sys\ndef handler(event, context):\n    print('bye')\n    sys.exit(event)\n"},
    "leaves-at-once": {"index": "import os\ndef handler(event, context):\n    os._exit(event)\n"},
    "breaks": {"index": "print('begun')\nraise OSError('cold')\n"},
    "misspelt": {"index": "def handler(event, context)\n    return 1\n"},
    "lacks": {"index": "import nowhere_to_be_found\n"},
    "dies": {
        "index": "class Own(BaseException):\n    pass\n\ndef handler(event, context):\n    print('begun')\n"
        "    try:\n        return {}['key']\n    except KeyError as error:\n        raise Own('no way') from error\n"
    },
    "interrupts-itself": {"index": "def handler(event, context):\n    raise KeyboardInterrupt\n"},
    "dies-early": {"index": "raise BaseException('cold')\n"},
    "prints-objects": {
        "index": "import boto3\n\nclass Own:\n    pass\n\ndef handler(event, context):\n"
        "    print(event, context, context.identity, type(context).__name__)\n"
        "    print(Own(), handler, [boto3.client('ssm')])\n    raise ValueError(Own())\n"
    },
    "leaves-early": {"index": "import sys\nsys.exit('not today')\n"},
}
"""Every archive of modules by name."""

BEHAVIOUR_EVENTS: list[dict[str, Any]] = [
    {"do": "echo", "with": {"text": "Gr\u00fc\u00dfe", "list": [1, 2.5, None, True]}},
    {"do": "fail", "with": "i-1"},
    {"do": "fail_elsewhere"},
    {"do": "fail_in_the_library"},
    {"do": "fail_twice"},
    {"do": "fail_bare"},
    {"do": "wait", "with": 2.25},
    {"do": "clock"},
    {"do": "environment"},
    {"do": "describe"},
    {"do": "warm"},
    {"do": "warm"},
    {"do": "write", "with": {"a": 1}},
    {"do": "decimals"},
    {"do": "undecimal"},
    {"do": "plain_json"},
    {"do": "no_json"},
    {"do": "number"},
    {"do": "nothing of that name"},
]


@dataclass(frozen=True, slots=True)
class Case:
    """One function: what it is made of, and the events that it gets one after the other."""

    name: str
    package: str
    handler: str = "index.handler"
    events: tuple[Any, ...] = (None,)
    settings: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case(
        "behaviours",
        "behaviours",
        events=tuple(BEHAVIOUR_EVENTS),
        settings={"MemorySize": 512, "Environment": {"Variables": {"STAGE": "prd", "STAGE_TWO": "\u00fc"}}},
    ),
    Case("times-out", "sleeper", events=(10, 0), settings={"Timeout": 5}),
    Case("swallows", "swallows", events=(10,), settings={"Timeout": 5}),
    Case("exits", "leaves", events=(3, 0)),
    Case("exits-at-once", "leaves-at-once", events=(4,)),
    Case("exits-with-words", "leaves", events=("stop",)),
    Case("breaks-at-first", "breaks"),
    Case("misspelt", "misspelt"),
    Case("lacks-a-module", "lacks"),
    Case("exits-at-first", "leaves-early"),
    Case("dies", "dies"),
    Case("interrupts-itself", "interrupts-itself"),
    Case("dies-at-first", "dies-early"),
    Case("prints-objects", "prints-objects", events=({"a": 1},)),
    Case("no-such-handler", "leaves", handler="index.nothing"),
    Case("no-such-module", "leaves", handler="nowhere.handler"),
    Case("built-in-module", "leaves", handler="sys.exit"),
    Case("not-callable", "behaviours", handler="index.number"),
)
