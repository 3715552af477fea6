"""``patchgate deploy`` on a CloudFormation that says ``Throttling``: now and then, and without end."""

from __future__ import annotations

import threading

import pytest

from tests.integration import test_deploy_command as command
from tests.throttling import throttled

server, site = command.server, command.site
pytestmark = pytest.mark.usefixtures("no_waiting")


def test_a_throttled_cloudformation_is_asked_until_it_answers(
    site: command.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write_small()
    with throttled(site.server.url, lambda _, times: times % 3 != 0) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.url)
        site.succeed("deploy", "--yes")
        assert site.plan()["changes"] == 0
        site.succeed("destroy", "--yes")
    assert front.refused.keys() >= {"DescribeStacks", "CreateStack", "GetTemplate", "ListStackResources", "DeleteStack"}
    assert front.refused["CreateStack"] == 2 * front.carried_out["CreateStack"] == 6
    assert site.stacks() == set()


@pytest.mark.parametrize("refused", ["DescribeStacks", "CreateStack", "ListStackResources"])
def test_a_throttle_without_end_is_told_once_with_the_way_on(
    site: command.Site, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """From the first creation on: the stack is made by AWS all the same, and the next run finds it."""
    site.write_small()
    begun = threading.Event()

    def refuses(operation: str, _: int) -> bool:
        if operation == "CreateStack" != refused:
            begun.set()
        return operation == refused and (begun.is_set() or operation == "CreateStack")

    with throttled(site.server.url, refuses) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.url)
        code, _, said = site.patchgate("deploy", "--yes")
    assert code == 1
    assert front.refused == {refused: 8}
    assert said.count("Throttling: Rate exceeded (asked 8 times)") == 1
    assert "web/eu-central-1/ubuntu/dev: stack patchgate-logs-ubuntu-dev in 111111111111/eu-central-1" in said
    assert "-> wait a few minutes" in said
    assert "unexpected" not in said
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.server.url)
    left = 3 if refused == "CreateStack" else 2
    assert f"Deployed: {left} created" in site.succeed("deploy", "--yes")  # nobody has the lock
    assert site.plan()["changes"] == 0
