"""What Lambda checks of a destination or a dead-letter queue when it is set: that it is there, and that the function's
role may send to it.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html

Assumption: the error codes and texts; no page has them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions_resources import Function, invalid


def check_target(cloud: Cloud, role_arn: str, arn: str, *, whose: str) -> None:
    """Raise AwsError InvalidParameterValueException unless the target is there and the role may send to it.

    ``whose`` is how the message names the role. NotEmulatedError for targets that are no queue, topic or function.
    """
    parts = arn.split(":", 5)
    if len(parts) != 6:
        raise invalid(f"The target {arn} is not an ARN.")
    _, _, service, region, account, name = parts
    operator = Scope(account, region)
    asked, call, what = _calls(service, arn, name)
    try:
        found = cloud.invoke(operator, service, *asked)
    except NotEmulatedError:
        raise
    except AwsError as error:
        raise invalid(f"The target {arn} does not exist.") from error
    sent = {**call[1], **({"QueueUrl": found["QueueUrl"]} if service == "sqs" else {})}
    try:
        cloud.authority.check(operator.as_principal(role_arn), service, call[0], sent)
    except NotEmulatedError:
        raise
    except AwsError as error:
        raise invalid(f"The {whose} does not have permissions to call {what}") from error


def check_invoker(function: Function, service: str, source_arn: str, account: str) -> None:
    """AccessDeniedException unless a statement of the function's policy lets a service invoke it for a resource."""
    for statement in function.statements.values():
        principal = statement["Principal"]
        named = principal == "*" or principal.get("Service") == service
        allowed = statement["Action"] in ("lambda:InvokeFunction", "lambda:*")
        condition = statement.get("Condition", {})
        source = condition.get("ArnLike", {}).get("AWS:SourceArn", source_arn)
        owner = condition.get("StringEquals", {}).get("AWS:SourceAccount", account)
        if named and allowed and fnmatchcase(source_arn, source) and owner == account:
            return
    raise AwsError("AccessDeniedException", f"{source_arn} may not invoke {function.name}", status=403)


Call = tuple[str, dict[str, Any]]


def _calls(service: str, arn: str, name: str) -> tuple[Call, Call, str]:
    """What says that the target is there, what sends to it, and how Lambda names that."""
    match service:
        case "sqs":
            return ("GetQueueUrl", {"QueueName": name}), ("SendMessage", {}), "SendMessage on SQS"
        case "sns":
            return ("GetTopicAttributes", {"TopicArn": arn}), ("Publish", {"TopicArn": arn}), "Publish on SNS"
        case "lambda":
            named = {"FunctionName": arn}
            return ("GetFunctionConfiguration", named), ("Invoke", named), "InvokeFunction on Lambda"
        case _:
            raise NotEmulatedError(f"the destination {arn}: queues, topics and functions are")
