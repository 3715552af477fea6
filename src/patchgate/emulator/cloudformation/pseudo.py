"""Pseudo parameters. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"""

from __future__ import annotations

from patchgate.emulator.cloud import Scope

_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}


def url_suffix(partition: str) -> str:
    """The domain that a partition's endpoints end in."""
    return _SUFFIXES.get(partition, "amazonaws.com")


def pseudo_parameters(scope: Scope, stack_name: str, stack_id: str) -> dict[str, str | list[str]]:
    """What Ref of each pseudo parameter returns, AWS::NoValue apart."""
    return {
        "AWS::AccountId": scope.account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": scope.partition,
        "AWS::Region": scope.region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": url_suffix(scope.partition),
    }
