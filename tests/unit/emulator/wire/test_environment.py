"""The door and the environment that it is opened in."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.wire import WireDoor


def test_a_profile_of_the_operators_that_does_not_exist_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-another-machine")
    cloud = Cloud((), start=datetime(2026, 7, 4, tzinfo=UTC))
    with WireDoor(cloud) as door:
        door.session("111111111111", "eu-central-1").client("s3").create_bucket(
            Bucket="a-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        assert "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_PROFILE"] == "of-another-machine"
    assert "AWS_CONFIG_FILE" not in os.environ or os.environ["AWS_CONFIG_FILE"] != os.devnull
