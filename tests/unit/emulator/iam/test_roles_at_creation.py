"""Roles that AWS tries when something is made that will use them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS

ACCOUNT, REGION = "111111111111", "eu-west-1"
NONE = f"arn:aws:iam::{ACCOUNT}:role/none"
TEMPLATE = '{"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}'
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:letters"
LISTENER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:listener"


@pytest.fixture
def door() -> Iterator[DirectDoor]:
    with DirectDoor(Cloud(COMPONENTS, start=datetime(2026, 7, 10, 12, tzinfo=UTC))) as door:
        yield door


def client(door: DirectDoor, service: str) -> Any:
    return door.session(ACCOUNT, REGION).client(service)


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def make_role(door: DirectDoor, name: str, service: str, *actions: str) -> str:
    iam = client(door, "iam")
    trust = policy(Principal={"Service": f"{service}.amazonaws.com"}, Action="sts:AssumeRole")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if actions:
        allowed = policy(Action=list(actions), Resource="*")
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allowed)
    return arn


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_cloudformation_must_be_able_to_assume_a_stacks_role(door: DirectDoor) -> None:
    stacks = client(door, "cloudformation")
    untrusting = make_role(door, "untrusting", "lambda", "*")
    given = {"StackName": "s", "TemplateBody": TEMPLATE}
    for role in (NONE, untrusting):
        wanted = ("ValidationError", f"Role {role} is invalid or cannot be assumed")
        assert refusal(stacks.create_stack, RoleARN=role, **given) == wanted
        made = {"ChangeSetName": "c", "ChangeSetType": "CREATE"}
        assert refusal(stacks.create_change_set, RoleARN=role, **made, **given) == wanted
    assert stacks.describe_stacks()["Stacks"] == []
    stacks.create_stack(RoleARN=make_role(door, "trusting", "cloudformation", "ssm:*"), **given)
    assert stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    changed = TEMPLATE.replace('"x"', '"y"')
    code, _ = refusal(stacks.update_stack, StackName="s", TemplateBody=changed, RoleARN=untrusting)
    assert code == "ValidationError"
    client(door, "iam").delete_role_policy(RoleName="trusting", PolicyName="p")
    client(door, "iam").delete_role(RoleName="trusting")
    assert refusal(stacks.delete_stack, StackName="s")[0] == "ValidationError"


def test_backup_must_be_able_to_assume_a_selections_role(door: DirectDoor) -> None:
    backup = client(door, "backup")
    backup.create_backup_vault(BackupVaultName="v1")
    rule = {"RuleName": "r", "TargetBackupVaultName": "v1", "ScheduleExpression": "cron(0 5 * * ? *)"}
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "p", "Rules": [rule]})["BackupPlanId"]

    def selection(role: str) -> dict[str, Any]:
        return {"BackupPlanId": plan, "BackupSelection": {"SelectionName": "s", "IamRoleArn": role, "Resources": ["*"]}}

    for role in (NONE, make_role(door, "untrusting", "lambda", "*")):
        wanted = ("InvalidParameterValueException", f"IAM Role {role} cannot be assumed by AWS Backup")
        assert refusal(backup.create_backup_selection, **selection(role)) == wanted
    backup.create_backup_selection(**selection(make_role(door, "trusting", "backup")))
    assert len(backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]) == 1


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("index.py", "def handler(event, context): pass\n")
    return content.getvalue()


def make_function(door: DirectDoor, name: str, role: str, **settings: Any) -> None:
    code = {"ZipFile": archive()}
    given = {"Runtime": "python3.13", "Handler": "index.handler", "Code": code, "Role": role, **settings}
    client(door, "lambda").create_function(FunctionName=name, **given)


@pytest.mark.parametrize(
    ("target", "action", "said"),
    [
        (QUEUE, "sqs:SendMessage", "SendMessage on SQS"),
        (TOPIC, "sns:Publish", "Publish on SNS"),
        (LISTENER, "lambda:InvokeFunction", "InvokeFunction on Lambda"),
    ],
)
def test_a_destination_must_be_there_for_the_functions_role(
    door: DirectDoor, target: str, action: str, said: str
) -> None:
    functions, role = client(door, "lambda"), make_role(door, "function", "lambda")
    make_function(door, "gate", role)
    asked = {"FunctionName": "gate", "DestinationConfig": {"OnFailure": {"Destination": target}}}
    missing = ("InvalidParameterValueException", f"The target {target} does not exist.")
    assert refusal(functions.put_function_event_invoke_config, **asked) == missing
    client(door, "sqs").create_queue(QueueName="letters")
    client(door, "sns").create_topic(Name="letters")
    make_function(door, "listener", role)
    wanted = f"The function execution role does not have permissions to call {said}"
    assert refusal(functions.put_function_event_invoke_config, **asked)[1] == wanted
    if target != LISTENER:
        letters = {"DeadLetterConfig": {"TargetArn": target}}
        wanted = f"The provided execution role does not have permissions to call {said}"
        assert refusal(functions.update_function_configuration, FunctionName="gate", **letters)[1] == wanted
        with pytest.raises(ClientError, match=wanted):
            make_function(door, "other", role, **letters)
    allowed = policy(Action=action, Resource=target)
    client(door, "iam").put_role_policy(RoleName="function", PolicyName="p", PolicyDocument=allowed)
    functions.put_function_event_invoke_config(**asked)
    if target != LISTENER:
        make_function(door, "other", role, DeadLetterConfig={"TargetArn": target})
