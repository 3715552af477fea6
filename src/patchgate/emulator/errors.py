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


class EngineFailureError(AwsError):
    """An operation ended in an error that the embedded AWS did not foresee: a fault of its own, not of who called.

    Status 501, which SDKs do not try again: it would happen again.
    """

    def __init__(self, what: str, error: BaseException) -> None:
        place, trace = "", error.__traceback__
        while trace is not None:
            place, trace = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}", trace.tb_next
        said = f"{type(error).__name__}: {error}"
        message = f"the embedded AWS failed at {what} in {place}: {said}. This is a fault of it: report it."
        super().__init__("EngineFailure", message, status=501)
