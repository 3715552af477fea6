"""Capabilities: a template with IAM resources must be acknowledged by its deployer.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
"""

from __future__ import annotations

from collections.abc import Sequence

from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.template import Template
from patchgate.emulator.errors import AwsError

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
_NAMES = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}


def required_capabilities(template: Template) -> tuple[list[str], str]:
    """What the template needs, and why: as ValidateTemplate returns it. Conditions do not matter."""
    iam = [item for item in template.resources.values() if item.type.startswith("AWS::IAM::")]
    if not iam:
        return [], ""
    named = any(_NAMES.get(item.type) in item.properties for item in iam)
    kinds = ", ".join(dict.fromkeys(item.type for item in iam))
    reason = f"The following resource(s) require capabilities: [{kinds}]"
    return ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"], reason


def check_capabilities(template: Template, given: Sequence[str]) -> None:
    """Raises InsufficientCapabilitiesException where ``given`` does not cover what the template needs."""
    unknown = [item for item in given if item not in CAPABILITIES]
    if unknown:
        raise invalid(
            f"1 validation error detected: Value '[{', '.join(given)}]' at 'capabilities' failed to satisfy "
            "constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
            f"[{', '.join(CAPABILITIES)}]]"
        )
    needed, _ = required_capabilities(template)
    missing = [item for item in needed if item not in given and "CAPABILITY_NAMED_IAM" not in given]
    if missing:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")
