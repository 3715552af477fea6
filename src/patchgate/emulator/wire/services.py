"""Which service a request is for: signatures name the signing name, which is not always the service's.

The table says what botocore's models say (``signingName``, else ``endpointPrefix``), for the services that moto has; a
test compares them. A signing name that is not here is the name of its only service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import NotFound

from patchgate.emulator.wire import private

SERVICES: Mapping[str, tuple[str, ...]] = {
    "aoss": ("opensearchserverless",),
    "apigateway": ("apigatewayv2", "apigateway"),
    "aps": ("amp",),
    "aws-marketplace": ("meteringmarketplace",),
    "bedrock": ("bedrock", "bedrock-agent", "bedrock-runtime"),
    "bedrock-agentcore": ("bedrock-agentcore", "bedrock-agentcore-control"),
    "connect-campaigns": ("connectcampaigns",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elb", "elbv2"),
    "elasticmapreduce": ("emr",),
    "es": ("es", "opensearch"),
    "execute-api": ("apigatewaymanagementapi",),
    "iotdata": ("iot-data",),
    "kinesisanalytics": ("kinesisanalyticsv2",),
    "kinesisvideo": ("kinesisvideo", "kinesis-video-archived-media"),
    "mediastore": ("mediastore", "mediastore-data"),
    "mobiletargeting": ("pinpoint",),
    "monitoring": ("cloudwatch",),
    "rds": ("rds", "neptune"),
    "s3": ("s3", "s3control"),
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-metrics"),
    "servicequotas": ("service-quotas",),
    "ses": ("ses", "sesv2"),
    "sso": ("sso-admin",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
    "timestream": ("timestream-query", "timestream-write"),
}
"""signing name -> services. Where several take a request, the first: neptune's requests are those of rds."""

_S3_CONTROL = "/v20180820/"
"""Where every path of S3 Control begins. Its requests say the account in a header, which S3's do not."""


def service_of(signing_name: str, request: Any) -> str:
    """The service, as botocore names it, that a prepared request is for."""
    services = SERVICES.get(signing_name)
    if services is None:
        return signing_name
    if len(services) == 1:
        return services[0]
    if signing_name == "s3":
        return "s3control" if _S3_CONTROL in request.url and "x-amz-account-id" in request.headers else "s3"
    normal = private.normalize_request(request)
    return next((service for service in services if _takes(service, normal)), services[0])


def host_of(service: str, region: str, request: Any) -> str:
    """The name of the endpoint at which moto expects a service's requests: for most, the service's."""
    if not any(service in services for services in SERVICES.values()) or service == "s3":
        return f"{service}.{region}.amazonaws.com"
    prefix = str(private.get_service_model(service).metadata["endpointPrefix"])
    account = f"{_text(request.headers['x-amz-account-id'])}." if service == "s3control" else ""
    return f"{account}{prefix}.{region}.amazonaws.com"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _takes(service: str, normal: Any) -> bool:
    try:
        operation, _ = private.get_service_router(service).match(normal)
    except NotFound:
        return False
    version = normal.values.get("Version") if "Action" in normal.values else None
    return version is None or version == operation.service_model.api_version
