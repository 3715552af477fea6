"""Answers are held to botocore's model before they are serialised, and instants to UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from patchgate.emulator.wire.private import get_service_model
from patchgate.emulator.wire.protocol import ModelMismatchError, WireCall, check_answer, encode, protocol_of


def parameter(when: datetime) -> tuple[WireCall, dict[str, Any]]:
    model = get_service_model("ssm").operation_model("GetParameter")
    return WireCall("ssm", "GetParameter", {}, "json", model), {"Parameter": {"LastModifiedDate": when}}


def test_instants_of_other_zones_are_sent_in_utc() -> None:
    east = datetime(2026, 7, 4, 12, tzinfo=timezone(timedelta(hours=9)))
    bodies = [encode(*parameter(when), "id")[2] for when in (east, east.astimezone(UTC))]
    assert bodies[0] == bodies[1]


def test_instants_without_a_zone_are_refused() -> None:
    naive = datetime(2026, 7, 4, 12)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ModelMismatchError, match=r"ssm:GetParameter.*LastModifiedDate has no time zone"):
        encode(*parameter(naive), "id")


@pytest.mark.parametrize(
    ("operation", "result", "said"),
    [
        ("GetParameter", {"Parameter": {"Nmae": "x"}}, "Nmae"),
        ("GetParameter", {"Parameter": {"Name": 1}}, "Name"),
        ("UpdateServiceSetting", {"A": 1}, "A"),
    ],
)
def test_answers_that_do_not_fit_are_refused(operation: str, result: dict[str, Any], said: str) -> None:
    shape = get_service_model("ssm").operation_model(operation).output_shape
    with pytest.raises(ModelMismatchError, match=said):
        check_answer("ssm", operation, result, shape)


def test_where_no_answer_is_modelled_there_is_none() -> None:
    check_answer("ec2", "RebootInstances", {}, None)
    with pytest.raises(ModelMismatchError, match="no output is modelled"):
        check_answer("ec2", "RebootInstances", {"Surprise": 1}, None)


def test_empty_lists_are_fine_whatever_the_model_says() -> None:
    shape = get_service_model("ssm").operation_model("DeleteParameters").output_shape
    check_answer("ssm", "DeleteParameters", {"DeletedParameters": [], "InvalidParameters": []}, shape)


@pytest.mark.parametrize(
    ("service", "content_type", "protocol"),
    [
        ("ssm", "application/x-amz-json-1.1", "json"),
        ("ec2", "application/x-www-form-urlencoded; charset=utf-8", "ec2"),
        ("cloudformation", "application/x-www-form-urlencoded; charset=utf-8", "query"),
        ("scheduler", "", "rest-json"),
        ("lambda", "application/json", "rest-json"),
        ("s3", "text/plain", "rest-xml"),
    ],
)
def test_protocols_are_told_by_headers(service: str, content_type: str, protocol: str) -> None:
    assert protocol_of(service, content_type) == protocol
