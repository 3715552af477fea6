"""A deployment that comes to no end: stopped by a pipeline, stopped before anything was changed, and half failed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.integration import test_deploy_command as command

server, site, managed, clock = command.server, command.site, command.managed, command.clock

needs_signals = pytest.mark.skipif(os.name == "nt", reason="no signal reaches one process there")


def started(*arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "patchgate", *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")


@needs_signals
def test_a_stopped_deployment_gives_its_lock_back(managed: command.Site) -> None:
    """The clock stands still: operations on stack sets never end, and the second run waits for those of the first."""
    managed.write("service-managed")
    with started("deploy", "--yes") as child:
        command.wait_for_an_operation(managed)
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "stopped in wave dev" in said
    assert "run the same again" in said
    ssm = managed.client(command.LEDGER, "eu-central-1", "ssm")
    assert ssm.describe_parameters()["Parameters"] == []

    with started("deploy", "--yes") as child:
        assert child.stderr is not None
        while "waiting for stack set" not in (line := child.stderr.readline()):
            assert line, "it did not wait"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "stopped: nothing was changed\n  -> run the same again" in said


def test_a_saved_plan_that_failed_in_the_middle_goes_on(site: command.Site) -> None:
    site.write_small()
    site.plan("--save", "plan.json")
    iam, taken = site.client(command.WEB, "us-east-1", "iam"), "patchgate-gate-open-ubuntu-dev-eu-central-1"
    iam.create_role(RoleName=taken, AssumeRolePolicyDocument=command.trust({"Service": "lambda.amazonaws.com"}))
    code, _, said = site.patchgate("deploy", "--plan", "plan.json", "--yes")
    assert code == 1
    assert taken in said
    iam.delete_role(RoleName=taken)
    site.succeed("deploy", "--plan", "plan.json", "--yes")
    assert site.plan()["changes"] == 0
