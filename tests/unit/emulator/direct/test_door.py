"""The direct door: identity, errors, retries and time as the wire door has them, and nothing shared with the cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, OperationNotPageableError, ParamValidationError, WaiterError
from botocore.paginate import Paginator

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.light import LightNeighbour
from patchgate.emulator.wire import WireDoor

START = datetime(2026, 7, 4, 22, 30, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "eu-west-1"
THROTTLED = AwsError("ThrottlingException", "Rate exceeded")
BROKEN = AwsError("InternalServerError", "", status=500)


class Trouble(Component):
    """Answers, or the next of its errors; remembers when it was asked, by whom and for what."""

    service = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.errors: list[AwsError] = []
        self.arrivals: list[datetime] = []
        self.scopes: list[Scope] = []
        self.params: list[Params] = []
        self.value: dict[str, Any] = {"Name": "/a", "Value": "kept", "LastModifiedDate": cloud.now}

    def arrive(self, scope: Scope, params: Params) -> None:
        self.arrivals.append(self.cloud.now)
        self.scopes.append(scope)
        self.params.append(params)
        if self.errors:
            raise self.errors.pop(0)

    @operation("GetParameter")
    def get_parameter(self, scope: Scope, params: Params) -> Result:
        self.arrive(scope, params)
        return {"Parameter": self.value}

    @operation("GetParameters")
    def get_parameters(self, scope: Scope, params: Params) -> Result:
        self.arrive(scope, params)
        return {"Parameters": [self.value], "InvalidParameters": []}

    @operation("CreateMaintenanceWindow")
    def create_maintenance_window(self, scope: Scope, params: Params) -> Result:
        return {"WindowId": params["ClientToken"]}


class Stacks(Component):
    service = "cloudformation"

    @operation("DescribeStacks")
    def describe_stacks(self, scope: Scope, params: Params) -> Result:
        stack = {"StackName": "s", "StackStatus": "CREATE_IN_PROGRESS", "CreationTime": self.cloud.now}
        return {"Stacks": [stack]}


class Jobs(Component):
    service = "backup"

    @operation("ListBackupJobs")
    def list_backup_jobs(self, scope: Scope, params: Params) -> Result:
        return {"BackupJobs": [{"BackupJobId": params["ByCreatedAfter"].isoformat()}]}


def new_cloud() -> Cloud:
    return Cloud((Trouble, Stacks, Jobs), start=START, seed=7)


@pytest.fixture
def cloud() -> Cloud:
    return new_cloud()


@pytest.fixture
def trouble(cloud: Cloud) -> Trouble:
    return cloud.component(Trouble)


@pytest.fixture
def door(cloud: Cloud) -> Iterator[DirectDoor]:
    with DirectDoor(cloud) as door:
        yield door


@pytest.fixture
def ssm(door: DirectDoor) -> Any:
    return door.session(ACCOUNT, REGION).client("ssm")


class TestIdentity:
    def test_a_call_arrives_in_its_account_region_and_principal(self, door: DirectDoor, trouble: Trouble) -> None:
        door.cloud.authority = _Everything()
        role = f"arn:aws:iam::{ACCOUNT}:role/gate"
        session = door.session(ACCOUNT, REGION, role)
        session.client("ssm").get_parameter(Name="/a")
        session.client("ssm", region_name="us-west-2").get_parameter(Name="/a")
        assert trouble.scopes == [Scope(ACCOUNT, REGION, role), Scope(ACCOUNT, "us-west-2", role)]

    def test_sessions_and_clients_are_made_once(self, door: DirectDoor) -> None:
        session = door.session(Scope(ACCOUNT, REGION))
        assert door.session(ACCOUNT, REGION) is session
        assert session.client("ssm") is session.client("ssm")
        standard = Config(retries={"mode": "standard"})
        assert session.client("ssm", config=standard) is not session.client("ssm")
        assert session.region_name == REGION

    @pytest.mark.parametrize(("account", "region"), [("1", REGION), ("abcdefghijkl", REGION), (ACCOUNT, "")])
    def test_what_is_no_account_or_region_is_refused(self, door: DirectDoor, account: str, region: str) -> None:
        with pytest.raises(ValueError, match="12 digits"):
            door.session(account, region)

    def test_resources_are_boto3s(self, door: DirectDoor) -> None:
        door.session(ACCOUNT, "us-east-1").client("s3").create_bucket(Bucket="bucket-1")
        assert [b.name for b in door.session(ACCOUNT, "us-east-1").resource("s3").buckets.all()] == ["bucket-1"]

    def test_clients_that_would_lead_elsewhere_are_refused(self, door: DirectDoor) -> None:
        with pytest.raises(NotEmulatedError, match="endpoint_url"):
            door.session(ACCOUNT, REGION).client("ssm", endpoint_url="http://localhost")

    def test_adaptive_retries_are_refused_by_name(self, door: DirectDoor) -> None:
        with pytest.raises(NotEmulatedError, match="mode adaptive"):
            door.session(ACCOUNT, REGION).client("ssm", config=Config(retries={"mode": "adaptive"}))


class _Everything:
    def check(self, scope: Scope, service: str, operation: str, params: Params) -> None:
        """Nothing is denied."""

    def trusts(self, scope: Scope, role_arn: str, service: str, source_arn: str | None = None) -> bool:
        return True

    def check_assuming(self, scope: Scope, params: Params) -> None:
        """Nothing is denied."""

    def forget(self) -> None:
        """Nothing is remembered."""


class TestOpening:
    def test_the_door_is_the_clouds_sdk_and_brings_a_neighbour(self, cloud: Cloud) -> None:
        before = cloud.neighbour
        with DirectDoor(cloud) as door:
            assert cloud.sdk is door
            assert isinstance(cloud.neighbour, LightNeighbour)
            with pytest.raises(RuntimeError, match="open already"):
                door.__enter__()
        assert cloud.sdk is None
        assert cloud.neighbour is before

    def test_a_shut_door_answers_nothing(self, cloud: Cloud) -> None:
        with DirectDoor(cloud) as door:
            client = door.session(ACCOUNT, REGION).client("ssm")
        with pytest.raises(RuntimeError, match="shut"):
            client.get_parameter(Name="/a")

    def test_other_clients_of_the_process_are_not_touched(self, door: DirectDoor) -> None:
        other = boto3.Session("AKIA", "x", region_name=REGION).client("ssm")
        assert type(other)._make_api_call is not type(door.session(ACCOUNT, REGION).client("ssm"))._make_api_call


class TestAnswers:
    def test_a_result_is_a_copy(self, ssm: Any, trouble: Trouble) -> None:
        answer = ssm.get_parameter(Name="/a")
        answer["Parameter"]["Value"] = "changed"
        many = ssm.get_parameters(Names=["/a"])
        many["Parameters"].clear()
        assert ssm.get_parameter(Name="/a")["Parameter"]["Value"] == "kept"
        assert len(ssm.get_parameters(Names=["/a"])["Parameters"]) == 1

    def test_parameters_are_a_copy(self, ssm: Any, trouble: Trouble) -> None:
        names = ["/a"]
        ssm.get_parameters(Names=names)
        names.append("/b")
        assert trouble.params[-1] == {"Names": ["/a"]}

    def test_the_metadata_is_botocores(self, ssm: Any) -> None:
        ssm.get_parameter(Name="/a")
        about = ssm.get_parameter(Name="/a")["ResponseMetadata"]
        request_id = "00000002-0000-4000-8000-000000000002"
        assert about["RequestId"] == about["HTTPHeaders"]["x-amzn-requestid"] == request_id
        assert (about["HTTPStatusCode"], about["RetryAttempts"]) == (200, 0)

    def test_instants_go_in_in_any_zone_and_come_out_in_utc(self, door: DirectDoor, ssm: Any) -> None:
        zone = timezone(timedelta(hours=2))
        jobs = door.session(ACCOUNT, REGION).client("backup")
        for given in (datetime(2026, 7, 4, 12, tzinfo=zone), "2026-07-04T10:00:00Z", 1783159200):
            assert jobs.list_backup_jobs(ByCreatedAfter=given)["BackupJobs"][0]["BackupJobId"].startswith(
                "2026-07-04T10"
            )
        when = ssm.get_parameter(Name="/a")["Parameter"]["LastModifiedDate"]
        assert (when, when.utcoffset()) == (START, timedelta())

    def test_client_tokens_come_from_the_seed(self, cloud: Cloud, ssm: Any) -> None:
        state, tokens = cloud.random.getstate(), []
        needed = {"Schedule": "rate(1 day)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": True}
        for _ in range(3):
            tokens.append(ssm.create_maintenance_window(Name="window", **needed)["WindowId"])
            if len(tokens) == 2:
                cloud.random.setstate(state)
        assert tokens[0] == tokens[2] != tokens[1]
        assert ssm.create_maintenance_window(Name="window", ClientToken="mine", **needed)["WindowId"] == "mine"

    def test_handlers_see_a_clients_calls_and_only_its_own(self, door: DirectDoor, ssm: Any) -> None:
        seen: list[str] = []

        def watch(event_name: str, **_: Any) -> None:
            seen.append(event_name)

        for event in ("provide-client-params", "before-parameter-build", "after-call"):
            ssm.meta.events.register(event, watch)
        ssm.get_parameter(Name="/a")
        door.session(ACCOUNT, "us-west-2").client("ssm").get_parameter(Name="/a")
        door.session("444455556666", REGION).client("ssm").get_parameter(Name="/a")
        names = ("provide-client-params", "before-parameter-build", "after-call")
        assert seen == [f"{event}.ssm.GetParameter" for event in names]

    def test_handlers_may_change_parameters(self, ssm: Any, trouble: Trouble) -> None:
        ssm.meta.events.register("provide-client-params.ssm.GetParameter", lambda **_: {"Name": "/other"})
        ssm.get_parameter(Name="/a")
        assert trouble.params[-1] == {"Name": "/other"}

    def test_paginators_are_botocores_and_made_once(self, ssm: Any) -> None:
        assert isinstance(ssm.get_paginator("get_parameters_by_path"), Paginator)
        assert ssm.get_paginator("get_parameters_by_path") is ssm.get_paginator("get_parameters_by_path")
        with pytest.raises(OperationNotPageableError):
            ssm.get_paginator("get_parameter")


class TestErrors:
    def test_modelled_errors_are_their_own_exceptions(self, ssm: Any, trouble: Trouble) -> None:
        trouble.errors = [AwsError("ParameterNotFound", "no such")]
        with pytest.raises(ssm.exceptions.ParameterNotFound) as refusal:
            ssm.get_parameter(Name="/a")
        response = refusal.value.response
        assert response["Error"] == {"Code": "ParameterNotFound", "Message": "no such"}
        assert (response["message"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("no such", 400)
        assert str(refusal.value).endswith("when calling the GetParameter operation: no such")

    @pytest.mark.parametrize(
        ("params", "text"),
        [
            ({}, 'Missing required parameter in input: "Name"'),
            ({"Name": "/a", "Nonsense": 1}, 'Unknown parameter in input: "Nonsense"'),
            ({"Name": 3}, "Invalid type for parameter Name, value: 3"),
            ({"Name": ""}, "Invalid length for parameter Name, value: 0, valid min length: 1"),
        ],
    )
    def test_parameters_are_botocores_to_refuse(self, ssm: Any, trouble: Trouble, params: Any, text: str) -> None:
        with pytest.raises(ParamValidationError, match=text):
            ssm.get_parameter(**params)
        assert trouble.arrivals == []

    def test_what_the_cloud_does_not_implement_is_said(self, door: DirectDoor, ssm: Any) -> None:
        with pytest.raises(ClientError, match=r"NotEmulated.*ssm:ListDocuments"):
            ssm.list_documents()
        with pytest.raises(ClientError, match=r"NotEmulated.*kms:ListKeys"):
            door.session(ACCOUNT, REGION).client("kms").list_keys()

    def test_a_fault_of_a_component_comes_out_as_it_is(self, door: DirectDoor) -> None:
        with pytest.raises(KeyError, match="ByCreatedAfter"):
            door.session(ACCOUNT, REGION).client("backup").list_backup_jobs()


Body = Callable[[Any, Any], None]


def calls(client: Any, _trouble: Any) -> None:
    for _ in range(3):
        client.get_parameter(Name="/a")


def throttled(client: Any, trouble: Any) -> None:
    trouble.errors = [THROTTLED, BROKEN]
    client.get_parameter(Name="/a")


def given_up(client: Any, trouble: Any) -> None:
    for _ in range(3):
        trouble.errors = [THROTTLED] * 9
        with pytest.raises(ClientError, match="Rate exceeded"):
            client.get_parameter(Name="/a")
        trouble.errors = []
        client.get_parameter(Name="/a")


def without_quota(client: Any, trouble: Any) -> None:
    for _ in range(60):
        trouble.errors = [BROKEN] * 9
        with pytest.raises(ClientError, match="InternalServerError"):
            client.get_parameter(Name="/a")


@pytest.mark.parametrize("body", [calls, throttled, given_up, without_quota])
@pytest.mark.parametrize(
    "retries", [{}, {"mode": "standard"}, {"mode": "standard", "max_attempts": 8}, {"max_attempts": 2}], ids=str
)
def test_retries_arrive_when_they_do_through_the_wire_door(body: Body, retries: dict[str, Any]) -> None:
    def arrivals(door: Any) -> tuple[list[datetime], float]:
        cloud = new_cloud()
        with door(cloud) as opened:
            config = Config(retries=retries) if retries else None
            client = opened.session(ACCOUNT, REGION).client("ssm", config=config)
            cloud.kernel.spawn("process", lambda: body(client, cloud.component(Trouble)))
            cloud.kernel.run_until(START + timedelta(hours=3))
        return cloud.component(Trouble).arrivals, cloud.random.random()

    assert arrivals(DirectDoor) == arrivals(WireDoor)


class TestTime:
    def test_outside_of_processes_a_call_takes_no_time(self, cloud: Cloud, ssm: Any) -> None:
        ssm.get_parameter(Name="/a")
        assert cloud.now == START

    def test_waiters_wait_on_the_virtual_clock(self, cloud: Cloud, door: DirectDoor) -> None:
        ends: list[datetime] = []

        def body() -> None:
            waiter = door.session(ACCOUNT, REGION).client("cloudformation").get_waiter("stack_create_complete")
            with pytest.raises(WaiterError):
                waiter.wait(StackName="s", WaiterConfig={"Delay": 30, "MaxAttempts": 3})
            ends.append(cloud.now)

        cloud.kernel.spawn("process", body)
        cloud.kernel.run_until(START + timedelta(hours=1))
        assert ends == [START + timedelta(seconds=60.06)]

    def test_outside_of_processes_the_operator_pauses(self, cloud: Cloud) -> None:
        paused: list[float] = []
        cloud.component(Trouble).errors = [THROTTLED]
        with DirectDoor(cloud, pause=paused.append) as door:
            door.session(ACCOUNT, REGION).client("ssm").get_parameter(Name="/a")
        assert len(paused) == 1
        assert cloud.now == START
