"""Children: what they may do, when they end, and that nothing of them is left."""

from __future__ import annotations

import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.faithful.child import Child
from patchgate.emulator.server.host import StoppingError
from patchgate.errors import PatchgateError

from .lab import opened

pytest.importorskip("awslambdaric", reason="the faithful mode needs awslambdaric, which is for Linux only")
pytest.importorskip("runtime_client", reason="the faithful mode needs awslambdaric, which is for Linux only")

COUNTER = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"
SPINNING = "def handler(event, context):\n    print('begun', flush=True)\n    while event:\n        pass\n"
ASKING = "import boto3\ndef handler(event, context):\n    boto3.client('ssm').get_parameter(Name='a')\n"
SLEEPING = "import time\ndef handler(event, context):\n    time.sleep(event)\n"
CURIOUS = """
import os, socket, subprocess, tempfile, threading, urllib.request
import io
import boto3


def attempt(action):
    try:
        return str(action())
    except OSError as error:
        return f"{type(error).__name__} {error.errno}"


def handler(event, context):
    with tempfile.TemporaryDirectory() as place:
        with open(os.path.join(place, "a"), "w") as file:
            file.write("scratch")
        with open(os.path.join(place, "a")) as file:
            kept = file.read()
    s3 = boto3.client("s3")
    s3.upload_fileobj(io.BytesIO(b"x" * 10), "evidence", "by a thread")
    return {
        "scratch": kept,
        "module": attempt(lambda: open(__file__).read(7)),
        "outside": attempt(lambda: open(os.path.join(event["outside"], "x"), "w")),
        "remove": attempt(lambda: os.remove(os.path.join(event["outside"], "y"))),
        "url": attempt(lambda: urllib.request.urlopen("http://169.254.169.254/latest/meta-data")),
        "connect": attempt(lambda: socket.create_connection(("192.0.2.1", 443), 1)),
        "program": attempt(lambda: subprocess.run(["true"])),
        "input": attempt(lambda: repr(os.read(0, 1))),
        "object": s3.get_object(Bucket="evidence", Key="by a thread")["ContentLength"],
        "threads": threading.active_count() > 0,
    }
"""

DRAWING = """
import random, secrets, uuid
def handler(event, context):
    return [random.random(), secrets.token_hex(4), str(uuid.uuid4()), list({"a", "b", "c", "d"})]
"""


@pytest.fixture
def born(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    """Every child that is started."""
    found: list[Child] = []

    class Noted(Child):
        def __init__(self, *args: Any) -> None:
            found.append(self)
            super().__init__(*args)

    monkeypatch.setattr("patchgate.emulator.faithful.environment.Child", Noted)
    return found


def has_ended(child: Child) -> bool:
    return child._process is not None and child._process.returncode is not None and not child._folder.exists()


def test_a_child_may_use_threads_chance_and_its_own_folder_and_nothing_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "y").write_text("kept", encoding="utf-8")
    with opened(faithful=True) as lab:
        lab.create("curious", {"index": CURIOUS})
        answer, failure = lab.invoke("curious", {"outside": str(tmp_path)})
    assert failure is None, answer
    assert {name: answer[name] for name in ("scratch", "module", "object", "input")} == {
        "scratch": "scratch",
        "module": "\nimport",
        "object": 10,
        "input": "b''",
    }
    assert answer["outside"] == answer["remove"] == "OSError 30"
    assert answer["connect"] == answer["program"] == "PermissionError 1"
    assert answer["url"].startswith("URLError")
    assert [path.name for path in tmp_path.iterdir()] == ["y"]


def test_the_chance_of_a_child_is_the_runs() -> None:
    drawn = []
    for _ in range(2):
        with opened(faithful=True) as lab:
            lab.create("drawing", {"index": DRAWING})
            drawn.append(lab.invoke("drawing")[0])
            lab.create("another", {"index": DRAWING})
            assert lab.invoke("another")[0][:3] != drawn[-1][:3]
    assert drawn[0] == drawn[1]


def test_a_whole_archive_is_run_with_packages_and_data() -> None:
    files = {
        "app/__init__.py": "",
        "app/main.py": "import pathlib\nfrom app.rules import limit\ndef handler(event, context):\n"
        "    return [limit, pathlib.Path(__file__).with_name('data.txt').read_text()]\n",
        "app/rules.py": "limit = 3\n",
        "app/data.txt": "kept",
    }
    with opened(faithful=True) as lab:
        lab.create("packaged", files, "app/main.handler")
        assert lab.invoke("packaged") == ([3, "kept"], None)
    with opened(faithful=False) as lab, pytest.raises(ClientError, match="--runtime faithful"):
        lab.create("packaged", files, "app/main.handler")


def test_a_silent_child_is_taken_as_one_that_computes_until_its_time_is_up(born: list[Child]) -> None:
    with opened(faithful=True, patience=0.5) as lab:
        lab.create("spinning", {"index": SPINNING}, Timeout=7)
        before = lab.cloud.now
        error, _ = lab.invoke("spinning", 1)
        assert error["errorMessage"].endswith("Task timed out after 7.00 seconds")
        assert (lab.cloud.now - before).total_seconds() == 7
        assert lab.ended("spinning")[0]["log"][:2] == [
            "begun",
            "patchgate: no sign of the function for 0.5 real seconds",
        ]
        assert has_ended(born[0])
        assert lab.invoke("spinning", 0) == (None, None)


def test_a_child_is_kept_warm_until_it_expires_or_its_function_changes(born: list[Child]) -> None:
    with opened(faithful=True) as lab:
        lab.create("counter", {"index": COUNTER})
        lab.create("other", {"index": COUNTER})
        assert [lab.invoke("counter")[0] for _ in range(3)] == [1, 2, 3]
        lab.client("lambda").update_function_configuration(FunctionName="counter", MemorySize=256)
        assert lab.invoke("counter")[0] == 1
        assert [has_ended(child) for child in born] == [True, False]
        lab.run(minutes=16)
        assert lab.invoke("other")[0] == 1  # whoever starts one ends those that have expired
        assert [has_ended(child) for child in born] == [True, True, False]
    assert all(has_ended(child) for child in born)


def test_children_end_with_the_context_whatever_ends_it(born: list[Child]) -> None:
    def press() -> None:
        assert not has_ended(born[0])
        raise KeyboardInterrupt

    def run() -> None:
        with opened(faithful=True) as lab:
            lab.create("sleeping", {"index": SLEEPING})
            lab.send("sleeping", 30)
            lab.cloud.kernel.at(lab.cloud.now + timedelta(seconds=5), press)
            lab.run(seconds=10)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert has_ended(born[0])
    assert not list(Path(tempfile.gettempdir()).glob(f"{born[0]._folder.name}*"))


def test_a_child_can_be_ended_from_another_thread_while_it_is_waited_for(born: list[Child]) -> None:
    with opened(faithful=True) as lab:
        assert lab.runtime is not None
        lab.create("spinning", {"index": SPINNING})
        threading.Timer(1.0, lab.runtime.stop).start()
        with pytest.raises(StoppingError):
            lab.invoke("spinning", 1)
        assert has_ended(born[0])
        with pytest.raises(StoppingError):
            lab.invoke("spinning", 0)
    assert len(born) == 1


def test_a_child_ends_when_its_parent_is_no_more(born: list[Child]) -> None:
    with opened(faithful=True) as lab:
        lab.create("counter", {"index": COUNTER})
        lab.invoke("counter")
        process = born[0]._process
        assert process is not None
        assert process.stdin is not None
        assert process.poll() is None
        process.stdin.close()  # as the system does for a parent that was killed
        assert process.wait(timeout=20) == 1
        assert not born[0]._folder.exists()


def test_a_fault_of_the_embedded_aws_is_not_the_functions(born: list[Child], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise PatchgateError("a fault")

    with opened(faithful=True) as lab:
        lab.create("asking", {"index": ASKING})
        monkeypatch.setattr(lab.door, "answer", fail)
        with pytest.raises(PatchgateError, match="a fault"):
            lab.invoke("asking")
        assert has_ended(born[0])


def test_a_child_that_cannot_be_started_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr("patchgate.emulator.faithful.child.subprocess.Popen", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with opened(faithful=True) as lab:
        lab.create("counter", {"index": COUNTER})
        with pytest.raises(OSError, match="no more processes"):
            lab.invoke("counter")
    assert list(tmp_path.iterdir()) == []
