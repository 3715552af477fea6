"""What KMS keeps: keys and aliases, and the policy of a key that was made without one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patchgate.emulator.errors import AwsError

Shape = dict[str, Any]


@dataclass(slots=True)
class Key:
    """One symmetric customer managed key. ``policy`` is JSON text."""

    key_id: str
    arn: str
    account: str
    created_at: datetime
    policy: str
    description: str = ""
    state: str = "Enabled"
    rotates: bool = False
    deletion_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def metadata(self) -> Shape:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html"""
        shape: Shape = {
            "AWSAccountId": self.account,
            "KeyId": self.key_id,
            "Arn": self.arn,
            "CreationDate": self.created_at,
            "Enabled": self.state == "Enabled",
            "Description": self.description,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": self.state,
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": False,
        }
        return shape | ({"DeletionDate": self.deletion_at} if self.deletion_at else {})

    def check_usable(self) -> None:
        """AwsError in KMS's words unless cryptographic operations may use the key.

        https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
        """
        if self.state == "Disabled":
            raise AwsError("DisabledException", f"{self.arn} is disabled.")
        if self.state != "Enabled":
            raise AwsError("KMSInvalidStateException", f"{self.arn} is pending deletion.")


@dataclass(slots=True)
class Alias:
    """One alias, and the id of its key."""

    name: str
    arn: str
    key_id: str
    created_at: datetime
    updated_at: datetime

    def shape(self) -> Shape:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_AliasListEntry.html"""
        return {
            "AliasName": self.name,
            "AliasArn": self.arn,
            "TargetKeyId": self.key_id,
            "CreationDate": self.created_at,
            "LastUpdatedDate": self.updated_at,
        }


@dataclass(slots=True)
class KeyRegion:
    """The keys and aliases of one account in one Region."""

    keys: dict[str, Key] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)


def default_policy(partition: str, account: str) -> str:
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})
