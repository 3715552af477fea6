"""Programs out of templates: virtual clock, own environment, own output, nothing global changed."""

from __future__ import annotations

import builtins
import datetime  # noqa: ICN001 - beside the shim of that name
import logging
import os
import sys
import time
from datetime import UTC, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import greenlet
import pytest

from patchgate.emulator.cloud import Scope
from patchgate.emulator.kernel import Kernel, ProcessKilled
from patchgate.emulator.runtime import PythonProgram, is_of_program

START = datetime.datetime(2026, 7, 4, 19, 0, 0, 250_000, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-central-1", "arn:aws:iam::111122223333:role/gate")


class Sessions:
    """An SdkProvider whose sessions say where they lead."""

    def session(self, scope: Scope, /) -> Any:
        def client(service: str, **named: Any) -> tuple[Any, ...]:
            return ("client", service, scope.region, scope.principal, named)

        return SimpleNamespace(client=client, resource=lambda service: ("resource", service))


def program(source: str, kernel: Kernel | None = None, **named: Any) -> PythonProgram:
    return PythonProgram(
        source,
        filename="/var/task/index.py",
        environment={"STAGE": "prd"},
        clock=kernel or Kernel(START),
        sdk=Sessions(),
        scope=SCOPE,
        **named,
    )


def evaluate(expression: str, imports: str = "", kernel: Kernel | None = None) -> Any:
    return program(f"{imports}\ndef run():\n    return {expression}\n", kernel).call("run")


@pytest.mark.parametrize(
    ("imports", "expression", "expected"),
    [
        ("from datetime import UTC, datetime", "datetime.now(UTC)", START),
        ("import datetime", "datetime.datetime.now(datetime.timezone.utc)", START),
        ("import datetime as d", "d.datetime.utcnow()", START.replace(tzinfo=None)),
        ("import datetime as d", "d.datetime.now()", START.replace(tzinfo=None)),
        ("import datetime as d", "d.datetime.today()", START.replace(tzinfo=None)),
        ("import datetime as d", "d.date.today()", START.date()),
        ("from datetime import date", "date.fromtimestamp(0)", datetime.date(1970, 1, 1)),
        ("from datetime import datetime", "datetime.fromtimestamp(0)", datetime.datetime(1970, 1, 1)),  # noqa: DTZ001
        (
            "from datetime import datetime, UTC",
            "datetime.fromtimestamp(0, UTC)",
            datetime.datetime(1970, 1, 1, tzinfo=UTC),
        ),
        ("import time", "time.time()", START.timestamp()),
        ("import time", "time.time_ns()", 1783191600250000000),
        ("import time", "time.gmtime()[:6]", (2026, 7, 4, 19, 0, 0)),
        ("import time", "time.localtime(0)[:4]", (1970, 1, 1, 0)),
        ("import time", "time.strftime('%Y-%m-%dT%H:%M')", "2026-07-04T19:00"),
        ("import time", "time.strftime('%Y', time.gmtime(0))", "1970"),
        ("import time", "time.ctime()", "Sat Jul  4 19:00:00 2026"),
        ("import time", "time.asctime()", "Sat Jul  4 19:00:00 2026"),
        ("import time", "time.mktime(time.gmtime(12345))", 12345.0),
        ("from time import monotonic, perf_counter", "monotonic() - perf_counter()", 0.0),
        ("import os", "os.environ", {"STAGE": "prd"}),
        ("from os import environ", "environ['STAGE']", "prd"),
        ("import os", "os.getenv('NONE', 'default')", "default"),
        ("import os.path", "os.path.join('a', 'b')", "a/b"),
        ("from os.path import basename", "basename('/a/b')", "b"),
        ("import os", "os.sep", os.sep),
        ("import json", "json.loads('[1]')", [1]),
    ],
)
def test_what_a_program_sees(imports: str, expression: str, expected: object) -> None:
    assert evaluate(expression, imports) == expected


def test_datetimes_are_real_ones_and_real_ones_are_instances() -> None:
    source = """
import datetime as d
from datetime import datetime, date, timedelta

def make():
    return [datetime(2026, 1, 2), datetime.now(d.UTC), datetime.fromisoformat("2026-01-02T03:04:05+00:00"),
            datetime.strptime("2026", "%Y"), datetime.combine(date(2026, 1, 2), d.time(3)), datetime.now(),
            datetime.now() + timedelta(1), datetime.min]

def check(real, real_date):
    match real:
        case datetime():
            matched = True
    return [isinstance(real, datetime), isinstance(real, date), isinstance(real_date, date),
            isinstance(real_date, datetime), isinstance("x", datetime), issubclass(type(real), datetime),
            type(real) == datetime, matched, isinstance(date(2026, 1, 2), date), {datetime: 1}[type(real)]]
"""
    loaded = program(source)
    assert {type(made) for made in loaded.call("make")} == {datetime.datetime}
    assert loaded.call("check", START, datetime.date(2026, 1, 2)) == [
        True,
        True,
        True,
        False,
        False,
        True,
        True,
        True,
        True,
        1,
    ]


def test_sleep_takes_virtual_time_in_a_process() -> None:
    kernel, seen = Kernel(START), []
    loaded = program("import time\ndef run():\n    time.sleep(90)\n    return time.time()\n", kernel)
    kernel.spawn("program", lambda: seen.append(loaded.call("run")))
    kernel.run_until(START + timedelta(seconds=89))
    assert seen == []
    kernel.run_until(START + timedelta(seconds=90))
    assert seen == [START.timestamp() + 90]


def test_nothing_global_changes(capsys: pytest.CaptureFixture[str]) -> None:
    before = (
        builtins.__import__,
        builtins.print,
        sys.stdout,
        sys.stderr,
        datetime.datetime,
        time.time,
        logging.root.level,
    )
    modules = set(sys.modules)
    source = """
import os, sys, time, datetime, logging, dataclasses
print("one", 2, sep="-")
print("err", file=sys.stderr)
print("no newline", end="")
os.environ["LEAK"] = "x"
logging.basicConfig(level="DEBUG")
logging.getLogger().setLevel(logging.DEBUG)
def run():
    sys.stdout.write("written")
"""
    loaded = program(source)
    loaded.call("run")
    after = (
        builtins.__import__,
        builtins.print,
        sys.stdout,
        sys.stderr,
        datetime.datetime,
        time.time,
        logging.root.level,
    )
    assert before == after
    assert set(sys.modules) == modules
    assert "LEAK" not in os.environ
    assert capsys.readouterr() == ("", "")
    assert loaded.output == ["one-2", "err", "no newlinewritten"]
    loaded.clear_output()
    assert loaded.output == []


def test_log_records_become_lines_of_output() -> None:
    source = """
import logging
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)
def run():
    log.debug("not seen")
    log.info("window %s", "mw-1")
    log.warning("careful"); log.error("bad"); log.critical("worse")
    logging.info("the root's level is WARNING")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("divided")
    return log.isEnabledFor(10), logging.getLogger(__name__) is log
"""
    loaded = program(source)
    assert loaded.call("run") == (False, True)
    assert loaded.output[0] == "[INFO]\t2026-07-04T19:00:00.250Z\twindow mw-1"
    assert [line.split("\t")[0] for line in loaded.output[:5]] == [
        "[INFO]",
        "[WARNING]",
        "[ERROR]",
        "[CRITICAL]",
        "[ERROR]",
    ]
    assert loaded.output[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("imports", "expression", "expected"),
    [
        ("import boto3", "boto3.client('ssm')", ("client", "ssm", "eu-central-1", SCOPE.principal, {})),
        (
            "import boto3",
            "boto3.client('ssm', region_name='us-east-1', config=1)",
            ("client", "ssm", "us-east-1", SCOPE.principal, {"config": 1}),
        ),
        ("from boto3 import Session", "Session().client('s3')[1]", "s3"),
        ("import boto3", "boto3.session.Session().client('s3')[1]", "s3"),
        ("import boto3", "boto3.resource('s3')", ("resource", "s3")),
    ],
)
def test_the_sdk_leads_to_the_cloud_as_the_programs_role(imports: str, expression: str, expected: object) -> None:
    assert evaluate(expression, imports) == expected


def test_other_credentials_and_other_parts_of_boto3_are_refused() -> None:
    with pytest.raises(PermissionError, match="own role"):
        evaluate("boto3.Session(aws_access_key_id='x')", "import boto3")
    with pytest.raises(ImportError, match=r"boto3\.dynamodb"):
        program("import boto3.dynamodb.types").load()


@pytest.mark.parametrize(
    "name", ["socket", "subprocess", "random", "uuid", "threading", "urllib.request", "http.client"]
)
def test_modules_that_reach_out_are_refused(name: str) -> None:
    with pytest.raises(ImportError, match=name):
        program(f"import {name}").load()
    with pytest.raises(ImportError):
        program("from . import x").load()


def test_files_are_refused() -> None:
    with pytest.raises(PermissionError, match="open"):
        evaluate(f"open({__file__!r})")


def test_globals_stay_between_calls_and_belong_to_one_program() -> None:
    source = "count = 0\ndef run():\n    global count\n    count += 1\n    return count\n"
    first, second = program(source), program(source)
    assert [first.call("run"), first.call("run"), second.call("run")] == [1, 2, 1]


def test_dataclasses_enums_and_named_tuples_with_text_annotations() -> None:
    source = """
from __future__ import annotations
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, NamedTuple

class Kind(Enum):
    A = "a"

class Pair(NamedTuple):
    left: int
    right: "int" = 2

@dataclass(frozen=True)
class Thing:
    limit: ClassVar[int] = 3
    kind: Kind = Kind.A
    items: list[int] = field(default_factory=list)

def run():
    return repr(Thing()), Pair(1)
"""
    text, pair = program(source).call("run")
    assert text == "Thing(kind=<Kind.A: 'a'>, items=[])"
    assert pair == (1, 2)


def test_a_program_may_import_its_own_modules() -> None:
    loaded = program(
        "import rules\ndef run():\n    return rules.now()\n", modules={"rules": "import time\nnow = time.time\n"}
    )
    assert loaded.call("run") == START.timestamp()
    assert "rules" not in sys.modules


def test_errors_come_out_as_they_are_with_the_programs_file_name() -> None:
    with pytest.raises(SyntaxError) as broken:
        program("def").load()
    assert broken.value.filename == "/var/task/index.py"
    with pytest.raises(AttributeError, match="handler"):
        program("x = 1").call("handler")
    with pytest.raises(ZeroDivisionError) as divided:
        evaluate("1 / 0")
    assert Path(divided.traceback[-1].path).name == "index.py"


def test_a_module_that_fails_to_load_is_loaded_again() -> None:
    kernel = Kernel(START)
    loaded = program(
        "import time\nif time.time() < 1783191601:\n    raise OSError('early')\ndef run():\n    return 1\n", kernel
    )
    with pytest.raises(OSError, match="early"):
        loaded.call("run")
    kernel.run_until(START + timedelta(seconds=5))
    assert loaded.call("run") == 1


def test_a_programs_own_interrupt_is_told_from_a_persons() -> None:
    with pytest.raises(KeyboardInterrupt) as own:
        program("def act():\n    raise KeyboardInterrupt").call("act")
    assert is_of_program(own.value)
    assert type(own.value).__name__ == "KeyboardInterrupt"
    assert is_of_program(GeneratorExit())
    assert not any(map(is_of_program, (KeyboardInterrupt(), greenlet.GreenletExit(), ProcessKilled("time is up"))))
