"""The wire door: who reaches what, how errors arrive, and that nothing gets past it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import AwsError
from patchgate.emulator.wire import ModelMismatchError, WireDoor

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gate"

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "ssm": ("get_parameter", {"Name": "/a"}),
    "ec2": ("describe_instances", {}),
    "backup": ("describe_backup_vault", {"BackupVaultName": "v"}),
    "scheduler": ("get_schedule", {"Name": "s"}),
    "lambda": ("invoke", {"FunctionName": "f", "Payload": b"1"}),
    "cloudformation": ("describe_stacks", {}),
}


def call(session: Any, service: str, **client_options: Any) -> dict[str, Any]:
    method, params = CALLS[service]
    answer: dict[str, Any] = getattr(session.client(service, **client_options), method)(**params)
    return answer


@pytest.fixture(scope="module")
def cloud(new_cloud: Callable[[], Cloud]) -> Cloud:
    """One for the whole module: doors take a moment to open."""
    return new_cloud()


@pytest.fixture(scope="module")
def door(cloud: Cloud) -> Iterator[WireDoor]:
    with WireDoor(cloud) as door:
        yield door


class TestIdentity:
    def test_a_call_arrives_in_its_account_region_and_principal(
        self, door: WireDoor, allow_everything: Callable[[str], None]
    ) -> None:
        allow_everything(ROLE)
        value = call(door.session(ACCOUNT, REGION, ROLE), "ssm")["Parameter"]["Value"]
        assert value == f"{ACCOUNT} {REGION} {ROLE}"

    def test_a_scope_names_a_session_too(self, door: WireDoor) -> None:
        assert door.session(Scope(ACCOUNT, REGION, ROLE)) is door.session(ACCOUNT, REGION, ROLE)

    def test_a_client_of_another_region_calls_there(self, door: WireDoor) -> None:
        answer = call(door.session(ACCOUNT, REGION), "ssm", region_name="us-west-2")
        assert answer["Parameter"]["Value"] == f"{ACCOUNT} us-west-2 "

    def test_motos_services_are_in_the_same_account(self, door: WireDoor) -> None:
        topics = [door.session(a, REGION).client("sns").create_topic(Name="t")["TopicArn"] for a in (ACCOUNT, OTHER)]
        assert topics == [f"arn:aws:sns:{REGION}:{account}:t" for account in (ACCOUNT, OTHER)]
        assert len(door.session(OTHER, REGION).client("sns").list_topics()["Topics"]) == 1

    @pytest.mark.parametrize(
        ("service", "code"),
        [
            ("ssm", "UnrecognizedClientException"),
            ("ec2", "AuthFailure"),
            ("backup", "UnrecognizedClientException"),
            ("lambda", "UnrecognizedClientException"),
            ("cloudformation", "InvalidClientTokenId"),
        ],
    )
    def test_unknown_keys_are_refused(self, door: WireDoor, service: str, code: str) -> None:
        stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
        with pytest.raises(ClientError) as refusal:
            call(stranger, service)
        assert refusal.value.response["Error"]["Code"] == code

    @pytest.mark.parametrize(
        ("service", "method", "code"),
        [
            ("s3", "list_buckets", "InvalidAccessKeyId"),
            ("iam", "list_roles", "InvalidClientTokenId"),
            ("sqs", "list_queues", "UnrecognizedClientException"),
            ("cloudwatch", "list_metrics", "UnrecognizedClientException"),
        ],
    )
    def test_motos_services_refuse_unknown_keys(self, door: WireDoor, service: str, method: str, code: str) -> None:
        stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
        with pytest.raises(ClientError) as refusal:
            getattr(stranger.client(service), method)()
        assert refusal.value.response["Error"]["Code"] == code

    def test_default_credentials_are_nobodys(self, door: WireDoor) -> None:
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            boto3.client("ssm", region_name=REGION).get_parameter(Name="/a")

    def test_unsigned_requests_are_refused(self, door: WireDoor) -> None:
        client = door.session(ACCOUNT, REGION).client("s3", config=Config(signature_version=UNSIGNED))
        with pytest.raises(ClientError, match="MissingAuthenticationToken"):
            client.list_objects_v2(Bucket="b")

    def test_an_assumed_role_calls_in_its_own_account(
        self, door: WireDoor, allow_everything: Callable[[str], None]
    ) -> None:
        role = f"arn:aws:iam::{OTHER}:role/audit"
        allow_everything(role)
        trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        iam = door.session(OTHER, REGION).client("iam")
        iam.update_assume_role_policy(
            RoleName="audit", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        sts = door.session(ACCOUNT, REGION).client("sts")
        given = sts.assume_role(RoleArn=role, RoleSessionName="audit")["Credentials"]
        assumed = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], REGION)
        assert call(assumed, "ssm")["Parameter"]["Value"] == f"{OTHER} {REGION} {role}"

    @pytest.mark.parametrize(("account", "region"), [("123", REGION), ("abcdefghijkl", REGION), (ACCOUNT, "")])
    def test_what_is_no_account_or_region_is_refused(self, door: WireDoor, account: str, region: str) -> None:
        with pytest.raises(ValueError, match="12 digits"):
            door.session(account, region)


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
class TestPartitions:
    @pytest.mark.parametrize("service", CALLS)
    def test_owned_services_answer(self, door: WireDoor, region: str, service: str) -> None:
        assert call(door.session(ACCOUNT, region), service)["ResponseMetadata"]["HTTPStatusCode"] == 200

    @pytest.mark.parametrize(
        ("service", "method", "params"),
        [
            ("sns", "list_topics", {}),
            ("sqs", "list_queues", {}),
            ("logs", "describe_log_groups", {}),
            ("cloudwatch", "describe_alarms", {}),
            ("s3", "list_buckets", {}),
            ("iam", "list_roles", {}),
            ("kms", "list_keys", {}),
            ("sts", "get_caller_identity", {}),
        ],
    )
    def test_motos_services_answer(
        self, door: WireDoor, region: str, service: str, method: str, params: dict[str, Any]
    ) -> None:
        answer = getattr(door.session(ACCOUNT, region).client(service), method)(**params)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


class TestErrors:
    @pytest.mark.parametrize("service", CALLS)
    @pytest.mark.parametrize(
        ("code", "message", "status"),
        [
            ("AccessDeniedException", "User: x is not authorized to <do> that & this", 400),
            ("ResourceNotFoundException", "n\N{LATIN SMALL LETTER O WITH DIAERESIS}", 404),
            ("InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist", 400),
        ],
    )
    def test_code_message_and_status_are_exact(
        self, door: WireDoor, trouble: Any, service: str, code: str, message: str, status: int
    ) -> None:
        trouble.errors = [AwsError(code, message, status=status)]
        with pytest.raises(ClientError) as refusal:
            call(door.session(ACCOUNT, REGION), service)
        response = refusal.value.response
        assert (response["Error"]["Code"], response["Error"]["Message"]) == (code, message)
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status

    @pytest.mark.parametrize("service", ["ssm", "backup", "scheduler", "lambda"])
    def test_an_error_may_have_no_message(self, door: WireDoor, trouble: Any, service: str) -> None:
        trouble.errors = [AwsError("ParameterNotFound")]
        with pytest.raises(ClientError) as refusal:
            call(door.session(ACCOUNT, REGION), service)
        assert refusal.value.response["Error"] == {"Code": "ParameterNotFound", "Message": ""}

    def test_modelled_errors_are_their_own_exceptions(self, door: WireDoor, trouble: Any) -> None:
        trouble.errors = [AwsError("ParameterNotFound", "no such")]
        client = door.session(ACCOUNT, REGION).client("ssm")
        with pytest.raises(client.exceptions.ParameterNotFound):
            client.get_parameter(Name="/a")

    def test_what_the_cloud_does_not_implement_is_said(self, door: WireDoor) -> None:
        with pytest.raises(ClientError, match=r"NotEmulated.*ssm:ListDocuments"):
            door.session(ACCOUNT, REGION).client("ssm").list_documents()

    def test_what_moto_does_not_implement_is_said(self, door: WireDoor) -> None:
        with pytest.raises(ClientError, match="NotEmulated"):
            door.session(ACCOUNT, REGION).client("braket").get_device(deviceArn="arn")

    def test_what_a_service_of_moto_does_not_implement_is_said(self, door: WireDoor) -> None:
        with pytest.raises(ClientError, match=r"NotEmulated.*connect_custom_key_store") as refusal:
            door.session(ACCOUNT, REGION).client("kms").connect_custom_key_store(CustomKeyStoreId="cks-1")
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501

    def test_an_operation_that_no_service_has(self, door: WireDoor) -> None:
        client = door.session(ACCOUNT, REGION).client("ssm")

        def misname(request: Any, **_: Any) -> None:
            request.headers["X-Amz-Target"] = "AmazonSSM.Nonsense"

        client.meta.events.register_first("before-send.ssm.ListCommands", misname, unique_id="misname")
        with pytest.raises(ClientError, match="UnknownOperationException"):
            client.list_commands()

    def test_an_answer_that_aws_could_not_give_is_an_error_of_ours(self, door: WireDoor) -> None:
        with pytest.raises(ModelMismatchError, match=r"ssm:DeleteParameter.*Surprise"):
            door.session(ACCOUNT, REGION).client("ssm").delete_parameter(Name="/a")

    def test_a_fault_of_a_component_comes_out_as_it_is(self, door: WireDoor) -> None:
        with pytest.raises(KeyError, match="Payload"):
            door.session(ACCOUNT, REGION).client("lambda").invoke(FunctionName="f")


class TestClients:
    def test_a_second_client_is_the_first(self, door: WireDoor) -> None:
        session = door.session(ACCOUNT, REGION)
        assert session.client("ssm") is session.client("ssm")
        config = {"config": Config(retries={"mode": "standard"})}
        assert session.client("ssm", **config) is session.client("ssm", **config)
        assert session.client("ssm", **config) is not session.client("ssm")
        assert session.client("ssm", region_name="us-west-2") is not session.client("ssm")

    def test_resources_work_too(self, door: WireDoor) -> None:
        assert [i.id for i in door.session(ACCOUNT, REGION).resource("ec2").instances.all()] == [ACCOUNT]

    def test_client_tokens_come_from_the_seed(self, cloud: Cloud, door: WireDoor) -> None:
        needed = {
            "Name": "window",
            "Schedule": "rate(1 day)",
            "Duration": 2,
            "Cutoff": 1,
            "AllowUnassociatedTargets": True,
        }
        state = cloud.random.getstate()
        client = door.session(ACCOUNT, REGION).client("ssm")
        tokens = []
        for _ in range(3):
            tokens.append(client.create_maintenance_window(**needed)["WindowId"])
            if len(tokens) == 2:
                cloud.random.setstate(state)
        assert tokens[0] == tokens[2] != tokens[1]

    def test_the_status_of_http_is_part_of_an_answer(self, door: WireDoor) -> None:
        client = door.session(ACCOUNT, REGION).client("lambda")
        assert client.invoke(FunctionName="f", InvocationType="Event")["StatusCode"] == 202
        answer = client.invoke(FunctionName="f", Payload=b"1")
        assert (answer["StatusCode"], answer["Payload"].read()) == (200, b'{"echo":1}')

    def test_members_that_were_not_sent_are_not_there(self, door: WireDoor) -> None:
        client = door.session(ACCOUNT, REGION).client("scheduler")
        assert client.get_schedule(Name="s")["GroupName"] == "default"
        assert client.get_schedule(Name="s", GroupName="g")["GroupName"] == "g"
