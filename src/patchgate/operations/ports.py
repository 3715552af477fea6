"""What use cases need of the world, as roles. The room ``aws`` plays them on AWS; tests play them with fakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from patchgate.errors import PatchgateError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class StackResult:
    """A stack as it stands: CloudFormation's status word, its outputs, and how many resources it has."""

    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    resource_count: int = 0


class StackFailedError(PatchgateError):
    """A stack did not reach the state that was asked for.

    ``resource`` is the logical id of the first resource that failed, "" when the stack as a whole was refused.
    """

    def __init__(
        self, account: str, region: str, stack: str, *, reason: str, remedy: str, status: str = "", resource: str = ""
    ) -> None:
        what = f"stack {stack} in {account}/{region}" + (f" is {status}" if status else "")
        super().__init__(f"{what}: {resource}: {reason}" if resource else f"{what}: {reason}", remedy=remedy)
        self.stack = stack
        self.status = status
        self.resource = resource
        self.reason = reason


class StackControl(Protocol):
    """Creates, changes, deletes and describes CloudFormation stacks; each call waits for the end of what it began."""

    def create_or_update(
        self,
        account: str,
        region: str,
        name: str,
        template_body: str,
        parameters: Mapping[str, str],
        capabilities: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
    ) -> StackResult:
        """Bring the stack to this template and these parameters; one without changes stays as it is.

        Parameters that are not given take the template's default. Raises StackFailedError.
        """

    def delete(self, account: str, region: str, name: str) -> None:
        """Delete the stack; one that is not there is fine. Raises StackFailedError."""

    def describe(self, account: str, region: str, name: str) -> StackResult | None:
        """The stack as it stands, None when there is none of that name. Raises StackFailedError when refused."""
