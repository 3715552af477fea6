"""The one error that an AWS operation answers with."""

from __future__ import annotations


class AwsError(Exception):
    """What AWS would answer: ``code`` and ``message`` as botocore's ClientError shows them, ``status`` of HTTP."""

    def __init__(self, code: str, message: str = "", *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.status = status


class NotEmulatedError(AwsError):
    """The operation, parameter or behaviour exists in AWS and not here. Never answered with a guess."""

    def __init__(self, what: str) -> None:
        super().__init__("NotEmulated", f"the embedded AWS does not implement {what}", status=501)
