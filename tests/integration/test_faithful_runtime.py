"""Lambda's faithful mode, end to end: the real gate, other people's functions, the command line."""

from __future__ import annotations

import io
import json
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import boto3
import pytest

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.faithful.runtime import FaithfulRuntime
from patchgate.emulator.wire import WireDoor
from patchgate.rehearsal.run import run_rehearsal
from patchgate.rehearsal.stage import EmbeddedEngine
from patchgate.rehearsal.worlds import World
from tests.serving import Served, served

from .conftest import FRIDAY, fleet_of
from .test_foreign_templates import FIRST_SATURDAY, Account

pytest.importorskip("awslambdaric", reason="the faithful mode needs awslambdaric, which is for Linux only")
pytest.importorskip("runtime_client", reason="the faithful mode needs awslambdaric, which is for Linux only")

MIXED = """
  {name: a}, {name: b, volumes: 2}, {name: c, backup: {outcome: FAILED}},
  {name: d, happenings: [{after_hours: 33, attach_volume: true}]}
"""
PROCESS = "import os\ndef handler(event, context):\n    while event:\n        pass\n    return os.getpid()\n"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)


def test_a_rehearsal_has_the_same_history_both_ways(world_of: Callable[[str], World]) -> None:
    fleet, world = fleet_of('MinimumCoveragePercent: "10"'), world_of(MIXED)
    fast, faithful = (
        run_rehearsal(fleet, world, seed=5, start=FRIDAY, contrast=False, engine=engine).history
        for engine in (EmbeddedEngine(), EmbeddedEngine("wire", "faithful"))
    )
    assert faithful.count('"FunctionEnded"') >= 2
    assert "PatchEnded" in faithful
    assert faithful == fast


def test_other_peoples_functions_run_the_same_both_ways() -> None:
    histories = []
    for is_faithful in (False, True):
        cloud = Cloud(COMPONENTS, start=FIRST_SATURDAY)
        with WireDoor(cloud) as door, FaithfulRuntime(door) if is_faithful else nullcontext():
            account = Account(door)
            account.deploy("patching-window.yaml")
            account.later(days=1)
            account.delete()
        assert list(cloud.history.of("FunctionEnded"))
        histories.append(cloud.history.to_json_lines())
    assert histories[0] == histories[1]


def is_alive(process: int) -> bool:
    """Whether a process is there and no zombie, for it is nobody's child here."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


@contextmanager
def serving_function() -> Iterator[tuple[Served, Any, int]]:
    """A server with a function: the server, Lambda's client, and the process in which the function is kept warm."""
    with served("--runtime", "faithful") as server:
        session = boto3.Session("AKIA111122223333", "any", region_name="eu-west-1")
        iam, functions = (session.client(service, endpoint_url=server.url) for service in ("iam", "lambda"))
        role = iam.create_role(RoleName="gate", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("index.py", PROCESS)
        functions.create_function(
            FunctionName="spin",
            Runtime="python3.13",
            Role=role,
            Handler="index.handler",
            Timeout=60,
            Code={"ZipFile": archive.getvalue()},
        )
        yield server, functions, json.load(functions.invoke(FunctionName="spin", Payload=b"0")["Payload"])


def test_ctrl_c_ends_the_server_and_a_function_that_spins() -> None:
    with serving_function() as (server, functions, process), ThreadPoolExecutor(1) as pool:
        assert is_alive(process)
        pool.submit(functions.invoke, FunctionName="spin", Payload=b"1")
        time.sleep(1)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0
        assert not is_alive(process)
