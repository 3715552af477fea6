"""Which calls of other services use a key, and what those services say when they may not.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html

Assumptions: a key that was not made in this cloud, and every key that AWS manages, is somebody else's and allows
everything; reading an object asks the key that its bucket has now; services that publish without a role ask no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from patchgate.emulator.cloud import Scope
from patchgate.emulator.errors import AwsError
from patchgate.emulator.iam.key_policies import why_not
from patchgate.emulator.kms import Kms

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Params
    from patchgate.emulator.iam.policy import Context
    from patchgate.emulator.iam.roles import Role


class KeyUse(NamedTuple):
    """A call that uses a key: its reference as the resource has it, the actions, and the encryption context."""

    reference: str
    actions: tuple[str, ...]
    context: Mapping[str, str]


class KeyRefusal(NamedTuple):
    """Why a key cannot be used: the code of the service that tried, and what the message says.

    ``action`` "" is a key that nobody may use in its state.
    """

    code: str
    action: str
    resource: str
    why: str


KEYED = frozenset({("s3", "GetObject"), ("s3", "PutObject"), ("sns", "Publish"), ("sqs", "SendMessage")})
"""The calls that may use a key."""

_VIA = "ViaService"
"""No parameter of AWS's: the cloud names with it the service for which it asks what a role may do with a key."""

_CODES: Mapping[str, Mapping[str, str]] = {
    "s3": {
        "denied": "AccessDenied",
        "DisabledException": "KMS.DisabledException",
        "KMSInvalidStateException": "KMS.KMSInvalidStateException",
    },
    "sns": {
        "denied": "KMSAccessDenied",
        "DisabledException": "KMSDisabled",
        "KMSInvalidStateException": "KMSInvalidState",
    },
    "sqs": {
        "denied": "KmsAccessDenied",
        "DisabledException": "KmsDisabled",
        "KMSInvalidStateException": "KmsInvalidState",
    },
}
"""service -> how it says what KMS said."""


class KeyUses:
    """Finds the keys that calls use. It asks the neighbour, which keeps buckets, topics and queues."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._finders = {
            ("s3", "GetObject"): self._get_object,
            ("s3", "PutObject"): self._put_object,
            ("sns", "Publish"): self._publish,
            ("sqs", "SendMessage"): self._send_message,
        }

    def of(self, scope: Scope, service: str, operation: str, params: Params) -> KeyUse | None:
        """The use of a key that a call of ``KEYED`` makes, None without one."""
        use = self._finders[service, operation](scope, params)
        return use if use is not None and use.reference and "alias/aws/" not in use.reference else None

    def _get_object(self, scope: Scope, params: Params) -> KeyUse:
        reference = self._bucket_key(str(params["Bucket"]))
        return KeyUse(reference, ("kms:Decrypt",), _of_object(scope, params))

    def _put_object(self, scope: Scope, params: Params) -> KeyUse:
        reference = str(params.get("SSEKMSKeyId") or "")
        if not reference and not params.get("ServerSideEncryption"):
            reference = self._bucket_key(str(params["Bucket"]))
        return KeyUse(reference, ("kms:GenerateDataKey",), _of_object(scope, params))

    def _bucket_key(self, bucket: str) -> str:
        default = self._cloud.neighbour.bucket_encryption(bucket)
        return default.get("KMSMasterKeyID", "") if default.get("SSEAlgorithm", "").startswith("aws:kms") else ""

    def _publish(self, _scope: Scope, params: Params) -> KeyUse | None:
        topic = str(params.get("TopicArn") or params.get("TargetArn") or "")
        if topic.count(":") < 5:
            return None
        _, _, _, region, account, _ = topic.split(":", 5)
        attributes = self._ask(account, region, "sns", "GetTopicAttributes", TopicArn=topic)["Attributes"]
        facts = {"kms:encryptioncontext:aws:sns:topicarn": topic}
        return KeyUse(str(attributes.get("KmsMasterKeyId", "")), ("kms:GenerateDataKey", "kms:Decrypt"), facts)

    def _send_message(self, scope: Scope, params: Params) -> KeyUse | None:
        url = str(params["QueueUrl"])
        *_, account, name = url.split("/")
        asked = {"QueueUrl": url, "AttributeNames": ["All"]}
        attributes = self._ask(account, scope.region, "sqs", "GetQueueAttributes", **asked).get("Attributes", {})
        facts = {"kms:encryptioncontext:aws:sqs:arn": f"arn:{scope.partition}:sqs:{scope.region}:{account}:{name}"}
        return KeyUse(str(attributes.get("KmsMasterKeyId", "")), ("kms:GenerateDataKey", "kms:Decrypt"), facts)

    def _ask(self, account: str, region: str, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return self._cloud.neighbour.call(Scope(account, region), service, operation, params)


def refusal_of_call(
    keys: Kms, role: Role | None, caller: Context, scope: Scope, operation: str, params: Params
) -> KeyRefusal | None:
    """Why a role may not call an operation of KMS: for the key that it names, or for all where it names none."""
    action, key = f"kms:{operation}", keys.referenced(scope, params)
    via = params.get(_VIA)
    facts = (
        {"kms:viaservice": f"{via}.{scope.region}.amazonaws.com", "kms:grantisforawsresource": "true"} if via else {}
    )
    if key is not None:
        why = why_not(key, role, caller, action, facts)
        return KeyRefusal("AccessDeniedException", action, key.arn, why) if why else None
    ruling = role.ruling(action, "*", facts, caller) if role is not None else "no identity"
    why = f"because no identity-based policy allows the {action} action"
    return KeyRefusal("AccessDeniedException", action, "*", why) if ruling != "allow" else None


def _of_object(scope: Scope, params: Params) -> dict[str, str]:
    """The encryption context of an object."""
    arn = f"arn:{scope.partition}:s3:::{params['Bucket']}/{params['Key']}"
    return {"kms:encryptioncontext:aws:s3:arn": arn}


def refusal_of(
    cloud: Cloud, role: Role | None, caller: Context, scope: Scope, call: tuple[str, str], params: Params
) -> KeyRefusal | None:
    """Why a call of ``KEYED`` cannot use the key that it needs; None when it can, or needs none."""
    service, operation = call
    use = KeyUses(cloud).of(scope, service, operation, params)
    key = cloud.component(Kms).find(scope, use.reference) if use is not None else None
    if use is None or key is None:
        return None
    facts = {**use.context, "kms:viaservice": f"{service}.{scope.region}.amazonaws.com"}
    for action in use.actions:
        why = why_not(key, role, caller, action, facts)
        if why:
            return KeyRefusal(_CODES[service]["denied"], action, key.arn, why)
    try:
        key.check_usable()
    except AwsError as error:
        return KeyRefusal(_CODES[service][error.code], "", key.arn, error.message)
    return None
