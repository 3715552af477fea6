"""Somebody who may do all that IAM can allow writes evidence: only the log bucket's policy is in the way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import AwsError
from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Scope

OTHER_ACCOUNT = "999999999999"
"""Of the same organization."""
FORGER = "evidence-forger"
_ANYBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@act
def forge_evidence(scene: Scene, given: Given) -> Harm | None:
    """Evidence that admits a machine, or (``kind`` "open", "hold") a verdict, is put where the gate puts its own.

    The writer is a role with every permission: of the lane's account, or (``foreign``) of another one of the
    organization, there perhaps (``namesake``) with the name of the gate's role. Refused or not, somebody tried; what
    gets through is there for the judge to see.
    """
    facts, terrain = scene.terrain.facts, scene.terrain
    if not terrain.bucket or not facts.operating_system:
        return None
    due = [cycle.gate for cycle in terrain.cycles if cycle.gate <= scene.cloud.now] or [terrain.cycles[0].gate]
    cycle = f"{due[-1]:%Y%m%dT%H%M%SZ}"
    kind, identity = str(given["kind"]), terrain.instances[int(str(given["instance"]))]
    name = f"{identity}.json" if kind == "proof" else f"{kind}.jsonl"
    place = (facts.operating_system, facts.environment, facts.account, facts.region, cycle, name)
    row = _proof(scene, identity, cycle) if kind == "proof" else {"cycle": cycle, "decision": kind, "targets": 0}
    home, who = terrain.scope, FORGER
    if given["foreign"]:
        home = replace(home, account=OTHER_ACCOUNT)
    if given["foreign"] and given["namesake"]:
        who = facts.proof_role if kind == "proof" else facts.verdict_role
    _write_as(scene, home, who, Key="/".join(("evidence", *place)), Body=json.dumps(row).encode())
    return Harm()


def _proof(scene: Scene, identity: str, cycle: str) -> dict[str, str]:
    started = f"{scene.cloud.now:%Y-%m-%dT%H:%M:%SZ}"
    told = {"Decision": "admit", "Reason": "", "Detail": "", "Cycle": cycle, "NotAfter": "9999999999"}
    return told | {"InstanceId": identity, "ProofStarted": started, "ExecutionId": "forged"}


def _write_as(scene: Scene, home: Scope, who: str, **written: Any) -> None:
    """Make a role, write with it, and take it away again."""
    invoke, role = scene.cloud.invoke, {"RoleName": who}
    made = invoke(home, "iam", "CreateRole", role | {"AssumeRolePolicyDocument": json.dumps(_ANYBODY)})
    named = role | {"PolicyName": "everything"}
    invoke(home, "iam", "PutRolePolicy", named | {"PolicyDocument": json.dumps(_EVERYTHING)})
    try:
        request = {"Bucket": scene.terrain.bucket, **written}
        invoke(home.as_principal(made["Role"]["Arn"]), "s3", "PutObject", request)
    except AwsError as error:
        if error.code != "AccessDenied":
            raise
    invoke(home, "iam", "DeleteRolePolicy", named)
    invoke(home, "iam", "DeleteRole", role)
