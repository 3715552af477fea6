"""Topics whose subscribers are Lambda functions, alike behind both doors.

https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html

Assumption: a function that is not there, or whose policy does not let the topic invoke it, loses the message at once.
"""

from __future__ import annotations

import json
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions import Functions
from patchgate.emulator.functions_targets import check_invoker

_SPELLINGS = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
"""Members of a notification as functions get them."""


def invoke_subscriber(cloud: Cloud, function_arn: str, envelope: dict[str, Any], subscription: str) -> None:
    """Hand a notification (``messages.notification``) to a function that subscribes to its topic."""
    _, _, _, region, account, _ = function_arn.split(":", 5)
    there, topic = Scope(account, region), str(envelope["TopicArn"])
    shown = {_SPELLINGS.get(name, name): value for name, value in envelope.items()}
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "EventSource": "aws:sns",
        "Sns": {"Subject": None, "MessageAttributes": {}} | shown,
    }
    payload = json.dumps({"Records": [record]}).encode()
    try:
        function = cloud.component(Functions).function(there, function_arn)
        check_invoker(function, "sns.amazonaws.com", topic, topic.split(":")[4])
        params = {"FunctionName": function_arn, "InvocationType": "Event", "Payload": payload}
        cloud.invoke(there, "lambda", "Invoke", params)
    except NotEmulatedError:
        raise
    except AwsError as error:
        cloud.record(
            there,
            "FunctionDiscarded",
            function=function_arn,
            request_id=envelope["MessageId"],
            destination="",
            problem=str(error),
        )
