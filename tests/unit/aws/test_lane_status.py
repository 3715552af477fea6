"""StatusReader: what AWS's answers come to, those that the integration tests do not meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.aws.lane_status import LaneReader, read_time
from patchgate.aws.refusals import RefusedError
from patchgate.domain.lane import Lane
from patchgate.operations.status.facts import Bucket

LANE = Lane("111111111111", "eu-central-1", "ubuntu", "prd", "web")
BUCKET = Bucket("logs", "999999999999", "eu-west-1")
MADE = datetime(2026, 7, 1, tzinfo=UTC)


@dataclass
class Client:
    """A client whose answers are in a table; paginators give the same answer as one page, or a list of pages."""

    answers: dict[str, Any]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, method: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append((method, request))
            answer = self.answers[method]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def get_paginator(self, method: str) -> Any:
        client = self

        class Paginator:
            def paginate(self, **request: Any) -> Iterator[Any]:
                found = getattr(client, method)(**request)
                yield from found if isinstance(found, list) else [found]

        return Paginator()


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")


def reader(**services: dict[str, Any]) -> LaneReader:
    clients = {name: Client(answers) for name, answers in services.items()}
    return LaneReader(lambda account, region, service: clients[service])


def stack(name: str, **more: Any) -> dict[str, Any]:
    return {"StackName": name, "StackStatus": "CREATE_COMPLETE", "CreationTime": MADE} | more


def test_stacks_of_stack_sets_go_by_the_names_of_their_sets() -> None:
    shapes = [
        stack("StackSet-patchgate-patch-ubuntu-prd-0b2c1d3e-1111-2222-3333-444455556666"),
        stack("patchgate-logs-ubuntu-prd", LastUpdatedTime=datetime(2026, 7, 5, tzinfo=UTC)),
        stack("patchgate-nested", ParentId="arn"),
        stack("StackSet-other-0b2c1d3e-1111-2222-3333-444455556666"),
        stack("unrelated"),
    ]
    found = reader(cloudformation={"describe_stacks": [{"Stacks": shapes[:2]}, {"Stacks": shapes[2:]}]}).stacks(
        "1", "r"
    )
    assert {name: state.changed.day for name, state in found.items()} == {
        "patchgate-patch-ubuntu-prd": 1,
        "patchgate-logs-ubuntu-prd": 5,
    }


def ssm(parameters: dict[str, str], **more: Any) -> dict[str, Any]:
    shapes = [{"Name": f"/patchgate/ubuntu/prd/{name}", "Value": value} for name, value in parameters.items()]
    return {"get_parameters_by_path": {"Parameters": shapes}, "get_parameters": {"Parameters": []}} | more


def test_a_lane_without_window_parameter_and_schedule_group_has_neither() -> None:
    found = reader(ssm=ssm({}), scheduler={"list_schedules": refusal("ResourceNotFoundException")}).lane(LANE)
    assert (found.window, found.schedules, found.leases, found.freezes) == (None, {}, {}, ())


def test_a_window_that_was_deleted_is_none() -> None:
    gone = ssm({"window-id": "mw-1"}, get_maintenance_window=refusal("DoesNotExistException"))
    assert reader(ssm=gone, scheduler={"list_schedules": {"Schedules": []}}).lane(LANE).window is None


def test_only_cycles_are_leases() -> None:
    given = {"20260711T203000Z/open": "{}", "notes/open": "x", "freeze": "moving", "due": "2026-07-18T21:00:00Z"}
    found = reader(ssm=ssm(given), scheduler={"list_schedules": {"Schedules": []}}).lane(LANE)
    assert found.leases == {"20260711T203000Z": {"open": "{}"}}
    assert found.freezes == ("moving",)


@pytest.mark.parametrize("refused", ["get_parameters_by_path", "get_maintenance_window"])
def test_refusals_say_what_was_asked(refused: str) -> None:
    answers = ssm({"window-id": "mw-1"}, get_maintenance_window={"WindowId": "mw-1", "Enabled": False})
    denied = reader(ssm=answers | {refused: refusal("AccessDeniedException")}, scheduler={"list_schedules": {}})
    with pytest.raises(RefusedError, match="111111111111/eu-central-1 was refused: AccessDeniedException"):
        denied.lane(LANE)


def test_cycles_are_the_folders_below_the_lanes_evidence() -> None:
    prefix = "evidence/ubuntu/prd/111111111111/eu-central-1/"
    pages = [
        {"CommonPrefixes": [{"Prefix": f"{prefix}20260718T203000Z/"}, {"Prefix": f"{prefix}no-cycle/"}]},
        {"CommonPrefixes": [{"Prefix": f"{prefix}20260711T203000Z/"}]},
        {},
    ]
    found = reader(s3={"list_objects_v2": pages}).cycles(LANE, BUCKET)
    assert found == ("20260711T203000Z", "20260718T203000Z")


@pytest.mark.parametrize("text", [b"", b"nonsense", b"[1]\n", b"\xff"])
def test_evidence_that_no_gate_wrote_is_refused(text: bytes) -> None:
    key = "evidence/ubuntu/prd/111111111111/eu-central-1/20260711T203000Z/open.jsonl"
    answers = {"list_objects_v2": {"Contents": [{"Key": key}]}, "get_object": {"Body": BytesIO(text)}}
    with pytest.raises(RefusedError, match="is not evidence that a gate wrote"):
        reader(s3=answers).evidence(LANE, BUCKET, "20260711T203000Z")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"date": "Fri, 10 Jul 2026 12:00:00 GMT"}, datetime(2026, 7, 10, 12, tzinfo=UTC)), ({}, MADE)],
)
def test_the_time_is_awss(headers: dict[str, str], expected: datetime) -> None:
    sts = Client({"get_caller_identity": {"ResponseMetadata": {"HTTPHeaders": headers}}})
    assert read_time(lambda account, region, service: sts, "1", "r", lambda: MADE) == expected
