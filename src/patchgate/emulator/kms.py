"""KMS: symmetric keys, their policies, states and aliases, and what is encrypted with them.

https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html

Who may use a key is ``iam.key_policies``'s business. What Encrypt returns hides nothing: it names its key and holds the
text. Asymmetric and multi-Region keys, grants, imported material and custom key stores are refused by name.

Assumption: a policy that lets neither the caller nor the account's root change it again is refused, unless the
lockout safety check is bypassed.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation, paginate
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.iam.key_policies import key_policy_answer
from patchgate.emulator.kms_resources import Alias, Key, KeyRegion, default_policy

_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}")
_SYMMETRIC = {
    "KeySpec": "SYMMETRIC_DEFAULT",
    "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "Origin": "AWS_KMS",
    "MultiRegion": False,
}
_MADE_WITH = {"Policy", "Description", "Tags", "BypassPolicyLockoutSafetyCheck", *_SYMMETRIC}
_KEY_BYTES = {"AES_256": 32, "AES_128": 16}


class Kms(Component):
    """The operations of KMS."""

    service = "kms"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._regions: dict[tuple[str, str], KeyRegion] = {}
        self.has_keys = False
        """Whether a key was ever made in this cloud."""

    def region(self, scope: Scope) -> KeyRegion:
        """The keys of a scope."""
        return self._regions.setdefault(scope.key, KeyRegion())

    def find(self, scope: Scope, reference: str) -> Key | None:
        """The key of an id, an ARN or an alias, as seen from a scope; None for one that was not made here."""
        place = scope.key
        if reference.startswith("arn:"):
            _, _, _, region, account, reference = reference.split(":", 5)
            place, reference = (account, region), reference.removeprefix("key/")
        held = self._regions.get(place, KeyRegion())
        alias = held.aliases.get(reference)
        return held.keys.get(alias.key_id if alias else reference)

    def referenced(self, scope: Scope, params: Params) -> Key | None:
        """The key that a request names, or that its ciphertext was made with; None for none of this cloud."""
        reference = params.get("KeyId") or params.get("TargetKeyId")
        if not reference and "CiphertextBlob" in params:
            reference = _unsealed(params["CiphertextBlob"])["key"]
        return self.find(scope, str(reference)) if reference else None

    # -- keys ----------------------------------------------------------------------------------------------------

    @operation("CreateKey")
    def create_key(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html"""
        for name, value in params.items():
            if name not in _MADE_WITH or (name in _SYMMETRIC and value not in (None, _SYMMETRIC[name])):
                raise NotEmulatedError(f"kms:CreateKey with {name}")
        policy = params.get("Policy") or default_policy(scope.partition, scope.account)
        key_id = self.cloud.uuid()
        key = Key(key_id, scope.arn("kms", f"key/{key_id}"), scope.account, self.cloud.now, policy)
        self._check_policy(scope, key, params)
        key.description = params.get("Description") or ""
        key.tags = {tag["TagKey"]: tag["TagValue"] for tag in params.get("Tags") or ()}
        self.region(scope).keys[key_id] = key
        self.has_keys = True
        return {"KeyMetadata": key.metadata()}

    @operation("DescribeKey")
    def describe_key(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html"""
        return {"KeyMetadata": self._key(scope, params).metadata()}

    @operation("ListKeys")
    def list_keys(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html"""
        keys = [{"KeyId": key.key_id, "KeyArn": key.arn} for key in self.region(scope).keys.values()]
        return _page("Keys", keys, params, default=100, maximum=1000)

    @operation("UpdateKeyDescription")
    def update_key_description(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html"""
        self._changeable(scope, params).description = params["Description"]
        return {}

    @operation("EnableKey")
    def enable_key(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html"""
        self._changeable(scope, params).state = "Enabled"
        return {}

    @operation("DisableKey")
    def disable_key(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html"""
        self._changeable(scope, params).state = "Disabled"
        return {}

    @operation("ScheduleKeyDeletion")
    def schedule_key_deletion(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html"""
        key, days = self._changeable(scope, params), params.get("PendingWindowInDays")
        days = 30 if days is None else days
        if not 7 <= days <= 30:
            raise AwsError("ValidationException", "PendingWindowInDays must be between 7 and 30.")
        key.state, key.deletion_at = "PendingDeletion", self.cloud.now + timedelta(days=days)
        self.cloud.kernel.at(key.deletion_at, self._delete, Scope(*scope.key), key.key_id)
        return {
            "KeyId": key.arn, "DeletionDate": key.deletion_at, "KeyState": key.state, "PendingWindowInDays": days,
        }  # fmt: skip

    @operation("CancelKeyDeletion")
    def cancel_key_deletion(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html"""
        key = self._key(scope, params)
        if key.state != "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        key.state, key.deletion_at = "Disabled", None
        return {"KeyId": key.arn}

    def _delete(self, scope: Scope, key_id: str) -> None:
        """The end of a key's waiting period, unless its deletion was cancelled or put off."""
        region = self.region(scope)
        key = region.keys.get(key_id)
        if key is not None and key.deletion_at is not None and key.deletion_at <= self.cloud.now:
            del region.keys[key_id]
            region.aliases = {name: alias for name, alias in region.aliases.items() if alias.key_id != key_id}

    # -- policies, rotation, tags --------------------------------------------------------------------------------

    @operation("GetKeyPolicy")
    def get_key_policy(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html"""
        _check_policy_name(params)
        return {"Policy": self._key(scope, params).policy, "PolicyName": "default"}

    @operation("PutKeyPolicy")
    def put_key_policy(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html"""
        _check_policy_name(params)
        key = self._changeable(scope, params)
        before, key.policy = key.policy, params["Policy"]
        try:
            self._check_policy(scope, key, params)
        except AwsError:
            key.policy = before
            raise
        return {}

    @operation("ListKeyPolicies")
    def list_key_policies(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html"""
        self._key(scope, params)
        return _page("PolicyNames", ["default"], params, default=100, maximum=1000)

    def _check_policy(self, scope: Scope, key: Key, params: Params) -> None:
        try:
            root = f"arn:{scope.partition}:iam::{scope.account}:root"
            callers = [who for who in (scope.principal, root) if who]
            answers = [key_policy_answer(key.policy, who, "kms:PutKeyPolicy", key.arn, {}) for who in callers]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AwsError("MalformedPolicyDocumentException", "The policy is not a valid key policy.") from error
        if not any("allow" in answer for answer in answers) and not params.get("BypassPolicyLockoutSafetyCheck"):
            raise AwsError(
                "MalformedPolicyDocumentException",
                "The new key policy will not allow you to update the key policy in the future.",
            )

    @operation("EnableKeyRotation")
    def enable_key_rotation(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html"""
        self._usable(scope, params).rotates = True
        return {}

    @operation("DisableKeyRotation")
    def disable_key_rotation(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html"""
        self._usable(scope, params).rotates = False
        return {}

    @operation("GetKeyRotationStatus")
    def get_key_rotation_status(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html"""
        key = self._key(scope, params)
        return {"KeyRotationEnabled": key.rotates, "KeyId": key.arn}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html"""
        self._changeable(scope, params).tags |= {tag["TagKey"]: tag["TagValue"] for tag in params["Tags"]}
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html"""
        key = self._changeable(scope, params)
        key.tags = {name: value for name, value in key.tags.items() if name not in params["TagKeys"]}
        return {}

    @operation("ListResourceTags")
    def list_resource_tags(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html"""
        tags = [{"TagKey": name, "TagValue": value} for name, value in self._key(scope, params).tags.items()]
        return _page("Tags", tags, params, default=50, maximum=50)

    # -- aliases -------------------------------------------------------------------------------------------------

    @operation("CreateAlias")
    def create_alias(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html"""
        name, aliases = str(params["AliasName"]), self.region(scope).aliases
        if not _ALIAS.fullmatch(name):
            raise AwsError("InvalidAliasNameException", f"The alias name {name} must match ^{_ALIAS.pattern}$")
        if name.startswith("alias/aws/"):
            raise AwsError("NotAuthorizedException", "Aliases that begin with alias/aws/ are reserved.")
        arn = scope.arn("kms", name)
        if name in aliases:
            raise AwsError("AlreadyExistsException", f"An alias with the name {arn} already exists")
        key = self._changeable(scope, {"KeyId": params["TargetKeyId"]})
        aliases[name] = Alias(name, arn, key.key_id, self.cloud.now, self.cloud.now)
        return {}

    @operation("UpdateAlias")
    def update_alias(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html"""
        alias = self._alias(scope, params)
        alias.key_id = self._changeable(scope, {"KeyId": params["TargetKeyId"]}).key_id
        alias.updated_at = self.cloud.now
        return {}

    @operation("DeleteAlias")
    def delete_alias(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html"""
        del self.region(scope).aliases[self._alias(scope, params).name]
        return {}

    @operation("ListAliases")
    def list_aliases(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html"""
        wanted = self._key(scope, params).key_id if params.get("KeyId") else None
        found = [item.shape() for item in self.region(scope).aliases.values() if wanted in (None, item.key_id)]
        return _page("Aliases", found, params, default=50, maximum=100)

    def _alias(self, scope: Scope, params: Params) -> Alias:
        name = str(params["AliasName"])
        alias = self.region(scope).aliases.get(name)
        if alias is None:
            raise AwsError("NotFoundException", f"Alias {scope.arn('kms', name)} is not found.")
        return alias

    # -- encryption ----------------------------------------------------------------------------------------------

    @operation("Encrypt")
    def encrypt(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html"""
        _refuse_dry_run(params)
        key = self._usable(scope, params)
        blob = _sealed(key, params["Plaintext"], params.get("EncryptionContext"))
        return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    @operation("Decrypt")
    def decrypt(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"""
        _refuse_dry_run(params)
        if "CiphertextBlob" not in params:
            raise AwsError("ValidationException", "CiphertextBlob must not be null.")
        sealed = _unsealed(params["CiphertextBlob"])
        key = self._usable(scope, {"KeyId": sealed["key"]})
        if params.get("KeyId") and self._key(scope, params) is not key:
            raise AwsError("IncorrectKeyException", "The key ID in the request is not that of the ciphertext's key.")
        if sealed["context"] != dict(params.get("EncryptionContext") or {}):
            raise AwsError("InvalidCiphertextException", "The encryption context does not match.")
        return {
            "KeyId": key.arn,
            "Plaintext": base64.b64decode(sealed["text"]),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }

    @operation("GenerateDataKey")
    def generate_data_key(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html"""
        _refuse_dry_run(params)
        key, spec, count = self._usable(scope, params), params.get("KeySpec"), params.get("NumberOfBytes")
        if (spec is None) == (count is None) or (spec is not None and spec not in _KEY_BYTES):
            raise AwsError("ValidationException", "Please specify either number of bytes or key spec.")
        size = _KEY_BYTES[spec] if spec is not None else int(count or 0)
        if not 1 <= size <= 1024:
            raise AwsError("ValidationException", "NumberOfBytes must be between 1 and 1024.")
        text = self.cloud.random.randbytes(size)
        blob = _sealed(key, text, params.get("EncryptionContext"))
        return {"CiphertextBlob": blob, "Plaintext": text, "KeyId": key.arn}

    # -- what the operations share -------------------------------------------------------------------------------

    def _key(self, scope: Scope, params: Params) -> Key:
        reference = str(params["KeyId"])
        key = self.find(scope, reference)
        if key is None:
            what = "Alias" if "alias/" in reference else "Key"
            name = reference if what == "Alias" else f"key/{reference}"
            arn = reference if reference.startswith("arn:") else scope.arn("kms", name)
            raise AwsError("NotFoundException", f"{what} '{arn}' does not exist")
        return key

    def _changeable(self, scope: Scope, params: Params) -> Key:
        key = self._key(scope, params)
        if key.state == "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        return key

    def _usable(self, scope: Scope, params: Params) -> Key:
        key = self._key(scope, params)
        key.check_usable()
        return key


def _sealed(key: Key, text: bytes, context: Any) -> bytes:
    sealed = {"key": key.arn, "text": base64.b64encode(text).decode(), "context": dict(context or {})}
    return base64.b64encode(json.dumps(sealed, sort_keys=True).encode())


def _unsealed(blob: bytes) -> dict[str, Any]:
    try:
        sealed = json.loads(base64.b64decode(blob, validate=True))
        return {"key": sealed["key"], "text": sealed["text"], "context": sealed["context"]}
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError("InvalidCiphertextException", "The ciphertext is invalid.") from error


def _refuse_dry_run(params: Params) -> None:
    if params.get("DryRun"):
        raise NotEmulatedError("a DryRun of KMS")


def _check_policy_name(params: Params) -> None:
    if params.get("PolicyName") not in (None, "default"):
        raise AwsError("NotFoundException", f"No such policy exists: {params['PolicyName']}")


def _page(member: str, items: list[Any], params: Params, *, default: int, maximum: int) -> Result:
    part, token = paginate(items, params, limit="Limit", token="Marker", default=default, maximum=maximum)  # noqa: S106
    return {member: part, "Truncated": token is not None} | ({"NextMarker": token} if token else {})
