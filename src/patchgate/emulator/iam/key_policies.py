"""What the policy of a key says to somebody who wants to use it.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html: a key's policy must allow every use. Where it
allows the account's root, the policies of the account's roles decide; where it names a role, that is enough within the
key's account.

Assumption: a role of another account than the key's needs both to allow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from patchgate.emulator.iam.policy import Answer, Context, as_list, evaluate, read_policy

if TYPE_CHECKING:
    from patchgate.emulator.iam.roles import Role
    from patchgate.emulator.kms_resources import Key


class KeyAnswer(NamedTuple):
    """What a key's policy says to a role (or a root) itself, and to its account."""

    itself: Answer
    account: Answer


def key_policy_answer(policy: str, principal: str, action: str, key_arn: str, context: Context) -> KeyAnswer:
    """Ask a key's policy; ValueError, KeyError, TypeError or AttributeError for what is no policy."""
    parts = principal.split(":")
    account, root = parts[4], ":".join([*parts[:5], "root"])
    itself, others = [], []
    for statement in read_policy(policy):
        named = ["*"] if statement.principal == "*" else as_list((statement.principal or {}).get("AWS", []))
        if statement.unknown or "*" in named or principal in named:
            itself.append(statement)
        elif account in named or root in named:
            others.append(statement)
    return KeyAnswer(evaluate(itself, action, key_arn, context), evaluate(others, action, key_arn, context))


def why_not(key: Key, role: Role | None, caller: Context, action: str, facts: Mapping[str, str]) -> str:
    """Why a role may not use a key, in the words of AWS's messages; "" when it may.

    ``caller`` are the condition keys of every call of the role, ``facts`` those of this use.
    """
    principal = caller["aws:principalarn"]
    context = {**caller, **facts, "kms:calleraccount": caller["aws:principalaccount"]}
    answer = key_policy_answer(key.policy, principal, action, key.arn, context)
    if "deny" in answer:
        return "with an explicit deny in a resource-based policy"
    if "allow" not in answer:
        return f"because no resource-based policy allows the {action} action"
    ruling = (
        role.ruling(action, key.arn, {**facts, "kms:calleraccount": context["kms:calleraccount"]}, caller)
        if role
        else "no identity"
    )
    if ruling == "explicit deny":
        return "with an explicit deny in an identity-based policy"
    if ruling == "no boundary":
        return f"because no permissions boundary allows the {action} action"
    enough = answer.itself == "allow" and key.account == caller["aws:principalaccount"]
    if ruling == "no identity" and not enough:
        return f"because no identity-based policy allows the {action} action"
    return ""
