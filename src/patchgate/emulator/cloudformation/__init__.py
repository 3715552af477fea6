"""CloudFormation of the embedded AWS: strict where AWS is strict, synchronous where AWS takes minutes.

An operation runs to its end within the call that starts it; virtual time stands still meanwhile, and the stack is in
its final state when the call returns. Events show the statuses in between.
"""

from __future__ import annotations

from patchgate.emulator.cloudformation.api import CloudFormation

__all__ = ["CloudFormation"]
