"""KMS: keys and what becomes of them, and who may use them; what other services ask of keys, through both doors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor
from patchgate.emulator.world import InstanceSpec, VolumeSpec

ACCOUNT, OTHER, REGION = "111111111111", "222222222222", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/writer"
START = datetime(2026, 7, 10, 12, tzinfo=UTC)
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ROOT: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
NO_DATA_KEYS = {"Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Resource": "*"}
Door = Any
Client = Callable[..., Any]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    with getattr(request, "param", DirectDoor)(Cloud(COMPONENTS, start=START)) as door:
        trust = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam = door.session(ACCOUNT, REGION).client("iam")
        iam.create_role(RoleName="writer", AssumeRolePolicyDocument=policy(trust))
        iam.put_role_policy(RoleName="writer", PolicyName="it", PolicyDocument=policy(EVERYTHING))
        yield door


@pytest.fixture
def operator(door: Door) -> Client:
    return lambda service: door.session(ACCOUNT, REGION).client(service)


@pytest.fixture
def writer(door: Door) -> Client:
    return lambda service: door.session(ACCOUNT, REGION, ROLE).client(service)


def limit(operator: Client, *statements: dict[str, Any]) -> None:
    """What the writer may do from now on."""
    operator("iam").put_role_policy(RoleName="writer", PolicyName="it", PolicyDocument=policy(*statements))


def key_of(operator: Client, *statements: dict[str, Any]) -> str:
    """The ARN of a new key with that policy."""
    given = {"Policy": policy(*statements)} if statements else {}
    return str(operator("kms").create_key(**given)["KeyMetadata"]["Arn"])


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_key_has_a_policy_a_state_tags_and_aliases(operator: Client) -> None:
    kms = operator("kms")
    key = kms.create_key(Description="logs", Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]
    assert (key["KeyState"], key["Enabled"], key["AWSAccountId"]) == ("Enabled", True, ACCOUNT)
    assert "Enable IAM User Permissions" in kms.get_key_policy(KeyId=key["KeyId"])["Policy"]
    assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]
    kms.put_key_policy(KeyId=key["Arn"], PolicyName="default", Policy=policy(ROOT | {"Resource": "*"}))
    assert json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"])["Statement"][0]["Action"] == "kms:*"
    kms.create_alias(AliasName="alias/logs", TargetKeyId=key["KeyId"])
    assert kms.describe_key(KeyId="alias/logs")["KeyMetadata"]["Arn"] == key["Arn"]
    assert [alias["TargetKeyId"] for alias in kms.list_aliases(KeyId=key["Arn"])["Aliases"]] == [key["KeyId"]]
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "b", "TagValue": "2"}])
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["a"])
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
    kms.enable_key_rotation(KeyId=key["KeyId"])
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is True
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName="alias/logs", TargetKeyId=other)
    assert kms.describe_key(KeyId="alias/logs")["KeyMetadata"]["KeyId"] == other
    kms.delete_alias(AliasName="alias/logs")
    assert len(kms.list_keys()["Keys"]) == 2


def test_a_deleted_key_waits_and_can_be_kept(door: Door, operator: Client) -> None:
    kms, key = operator("kms"), key_of(operator)
    kms.create_alias(AliasName="alias/gone", TargetKeyId=key)
    waiting = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert waiting["DeletionDate"].astimezone(UTC) == START + timedelta(days=7)
    assert refusal(lambda: kms.encrypt(KeyId=key, Plaintext=b"x"))[0] == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    assert refusal(lambda: kms.encrypt(KeyId=key, Plaintext=b"x")) == ("DisabledException", f"{key} is disabled.")
    kms.enable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    door.cloud.kernel.run_until(START + timedelta(days=8))
    assert refusal(lambda: kms.describe_key(KeyId=key)) == ("NotFoundException", f"Key '{key}' does not exist")
    assert kms.list_aliases()["Aliases"] == []


def test_what_is_encrypted_comes_back_with_its_key_and_context(operator: Client) -> None:
    kms, key, other = operator("kms"), key_of(operator), key_of(operator)
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext={"a": "1"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "1"})["Plaintext"] == b"secret"
    assert refusal(lambda: kms.decrypt(CiphertextBlob=blob))[0] == "InvalidCiphertextException"
    assert refusal(lambda: kms.decrypt(CiphertextBlob=b"?"))[0] == "InvalidCiphertextException"
    wrong = {"KeyId": other, "CiphertextBlob": blob, "EncryptionContext": {"a": "1"}}
    assert refusal(lambda: kms.decrypt(**wrong))[0] == "IncorrectKeyException"
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    assert len(made["Plaintext"]) == 32


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("create_key", {"Policy": "{"}, "MalformedPolicyDocumentException"),
        ("create_key", {"Policy": policy(NO_DATA_KEYS)}, "MalformedPolicyDocumentException"),
        ("create_key", {"KeySpec": "RSA_2048"}, "NotEmulated"),
        ("create_alias", {"AliasName": "logs", "TargetKeyId": "k"}, "InvalidAliasNameException"),
        ("create_alias", {"AliasName": "alias/aws/logs", "TargetKeyId": "k"}, "NotAuthorizedException"),
        ("create_alias", {"AliasName": "alias/logs", "TargetKeyId": "k"}, "NotFoundException"),
        ("delete_alias", {"AliasName": "alias/logs"}, "NotFoundException"),
        ("describe_key", {"KeyId": "alias/logs"}, "NotFoundException"),
    ],
)
def test_what_is_refused(operator: Client, operation: str, params: dict[str, Any], code: str) -> None:
    assert refusal(lambda: getattr(operator("kms"), operation)(**params))[0] == code


both_doors = pytest.mark.parametrize("door", [WireDoor, DirectDoor], indirect=True)


@both_doors
class TestObjects:
    @pytest.fixture
    def put(self, operator: Client, writer: Client) -> Callable[..., Callable[[], object]]:
        """Encrypt a bucket with a key, and give what writes an object there."""

        def make(key: str = "", **more: str) -> Callable[[], object]:
            s3 = operator("s3")
            s3.create_bucket(Bucket="logs-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
            rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
            if key:
                encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}
                s3.put_bucket_encryption(Bucket="logs-bucket", ServerSideEncryptionConfiguration=encryption)
            return lambda: writer("s3").put_object(Bucket="logs-bucket", Key="a", Body=b"1", **more)

        return make

    def test_a_key_that_allows_the_account_leaves_it_to_the_role(
        self, operator: Client, put: Callable[..., Callable[[], object]]
    ) -> None:
        key = key_of(operator)
        write = put(key)
        write()
        limit(operator, EVERYTHING | {"Action": "s3:*"})
        code, message = refusal(write)
        assert code == "AccessDenied"
        assert message == (
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/writer/session is not authorized to perform: "
            f"kms:GenerateDataKey on resource: {key} "
            "because no identity-based policy allows the kms:GenerateDataKey action"
        )
        via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
        limit(operator, EVERYTHING | {"Action": "s3:*"}, EVERYTHING | {"Action": "kms:*", "Condition": via})
        write()

    def test_a_key_that_denies_wins(
        self, door: Door, operator: Client, put: Callable[..., Callable[[], object]]
    ) -> None:
        key = key_of(operator, ROOT | {"Resource": "*"}, NO_DATA_KEYS)
        code, message = refusal(put(key))
        assert code == "AccessDenied"
        assert message.endswith("with an explicit deny in a resource-based policy")
        (denied,) = door.cloud.history.of("CallDenied")
        assert (denied["action"], denied["resource"], denied["operation"]) == ("kms:GenerateDataKey", key, "PutObject")

    def test_a_key_that_does_not_know_the_role_is_closed_to_it(
        self, operator: Client, put: Callable[..., Callable[[], object]]
    ) -> None:
        manage = ROOT | {"Action": ["kms:Put*", "kms:Describe*"], "Resource": "*"}
        key = key_of(operator, manage)
        write = put(key)
        assert "because no resource-based policy allows the kms:GenerateDataKey action" in refusal(write)[1]
        named = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:GenerateDataKey", "Resource": "*"}
        operator("kms").put_key_policy(KeyId=key, Policy=policy(manage, named))
        limit(operator, EVERYTHING | {"Action": "s3:*"})
        write()

    def test_a_key_that_is_named_by_the_request(
        self, operator: Client, put: Callable[..., Callable[[], object]]
    ) -> None:
        key = key_of(operator, ROOT | {"Resource": "*"}, NO_DATA_KEYS)
        write = put(ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
        assert refusal(write)[0] == "AccessDenied"

    def test_a_disabled_key(self, operator: Client, put: Callable[..., Callable[[], object]]) -> None:
        key = key_of(operator)
        operator("kms").disable_key(KeyId=key)
        assert refusal(put(key)) == ("KMS.DisabledException", f"{key} is disabled.")

    def test_a_key_of_somebody_else_allows_everything(
        self, operator: Client, put: Callable[..., Callable[[], object]]
    ) -> None:
        key_of(operator)
        put(f"arn:aws:kms:{REGION}:{OTHER}:key/11111111-1111-4111-a111-111111111111")()


@both_doors
def test_an_encrypted_topic_and_queue(operator: Client, writer: Client) -> None:
    key = key_of(operator, ROOT | {"Resource": "*"}, NO_DATA_KEYS | {"Action": "kms:Decrypt"})
    topic = operator("sns").create_topic(Name="alarms", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    code, message = refusal(lambda: writer("sns").publish(TopicArn=topic, Message="m"))
    assert code == "KMSAccessDenied"
    assert "is not authorized to perform: kms:Decrypt" in message
    queue = operator("sqs").create_queue(QueueName="failures", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    assert "KmsAccessDenied" in refusal(lambda: writer("sqs").send_message(QueueUrl=queue, MessageBody="m"))[0]
    operator("kms").put_key_policy(KeyId=key, Policy=policy(ROOT | {"Resource": "*"}))
    writer("sns").publish(TopicArn=topic, Message="m")
    writer("sqs").send_message(QueueUrl=queue, MessageBody="m")


@pytest.mark.parametrize(
    ("statements", "state"),
    [
        ((ROOT | {"Resource": "*"},), "COMPLETED"),
        ((ROOT | {"Resource": "*"}, NO_DATA_KEYS | {"Action": "kms:CreateGrant"}), "FAILED"),
        ((ROOT | {"Resource": "*", "Action": ["kms:Put*", "kms:Describe*"]},), "FAILED"),
    ],
)
def test_a_backup_needs_the_key_of_the_volume(
    door: Door, operator: Client, statements: tuple[dict[str, Any], ...], state: str
) -> None:
    key = key_of(operator, *statements)
    limit(operator, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
    managed = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    operator("iam").attach_role_policy(RoleName="writer", PolicyArn=managed)
    volume = VolumeSpec("vol-00000000000000001", "/dev/xvda", key_arn=key)
    spec = InstanceSpec("i-00000000000000001", "web", "UBUNTU", "Linux", volumes=(volume,))
    door.cloud.component(Ec2).add_instance(Scope(ACCOUNT, REGION), spec)
    (shown,) = operator("ec2").describe_volumes()["Volumes"]
    assert (shown["Encrypted"], shown["KmsKeyId"]) == (True, key)
    backup = operator("backup")
    backup.create_backup_vault(BackupVaultName="vault")
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{spec.instance_id}"
    job = backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=ROLE)["BackupJobId"]
    door.cloud.kernel.run_until(START + timedelta(hours=2))
    described = backup.describe_backup_job(BackupJobId=job)
    assert described["State"] == state, described
    if state == "FAILED":
        assert described["StatusMessage"].startswith("Access denied trying to call AWS KMS for volume vol-")


def test_a_role_calls_kms_as_its_key_allows(operator: Client, writer: Client) -> None:
    key = key_of(operator, ROOT | {"Resource": "*"}, NO_DATA_KEYS)
    blob = writer("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert writer("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    code, message = refusal(lambda: writer("kms").generate_data_key(KeyId=key, KeySpec="AES_256"))
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in a resource-based policy")
    limit(operator, EVERYTHING | {"Action": "kms:Decrypt"})
    assert "no identity-based policy" in refusal(lambda: writer("kms").list_keys())[1]
    assert writer("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@both_doors
def test_reading_an_object_needs_the_key_of_its_bucket(operator: Client, writer: Client) -> None:
    key, s3 = key_of(operator), operator("s3")
    s3.create_bucket(Bucket="logs-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="logs-bucket", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="logs-bucket", Key="a", Body=b"1")
    assert writer("s3").get_object(Bucket="logs-bucket", Key="a")["Body"].read() == b"1"
    limit(operator, EVERYTHING | {"Action": "s3:*"})
    code, message = refusal(lambda: writer("s3").get_object(Bucket="logs-bucket", Key="a"))
    assert (code, "kms:Decrypt on resource" in message) == ("AccessDenied", True)


@both_doors
def test_a_bucket_s_key_is_used_also_where_its_owner_hides_which_it_is(door: Door, operator: Client) -> None:
    """S3 asks for the key itself: who writes need not be let read the bucket's settings."""
    theirs: Client = lambda service: door.session(OTHER, REGION).client(service)  # noqa: E731
    let = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Resource": "*"}
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "kms:*", "Resource": "*"}
    key = key_of(theirs, own, let | {"Action": "kms:GenerateDataKey"})
    s3 = theirs("s3")
    s3.create_bucket(Bucket="their-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="their-bucket", ServerSideEncryptionConfiguration={"Rules": [rule]})
    write = let | {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::their-bucket/*"}
    s3.put_bucket_policy(Bucket="their-bucket", Policy=policy(write))

    def put() -> None:
        door.session(ACCOUNT, REGION, ROLE).client("s3").put_object(Bucket="their-bucket", Key="a", Body=b"1")

    put()
    theirs("kms").put_key_policy(KeyId=key, Policy=policy(own))
    code, message = refusal(put)
    assert (code, f"kms:GenerateDataKey on resource: {key}" in message) == ("AccessDenied", True)
    theirs("kms").put_key_policy(KeyId=key, Policy=policy(own, let | {"Action": "kms:GenerateDataKey"}))
    s3.put_bucket_policy(Bucket="their-bucket", Policy=policy(write | {"Effect": "Deny"}))
    assert refusal(put) == ("AccessDenied", "Access Denied")
