"""The embedded AWS over HTTP, for the tools of other people: requests of AWS clients, and its own control endpoints.

host = CloudHost(settings, worlds)
with host, EmulatorServer.bind("127.0.0.1", 4566, host) as server:
    server.serve_forever()
"""

from __future__ import annotations

from patchgate.emulator.server.host import Beginning, CloudHost, HostSettings, Settled, WorldSource
from patchgate.emulator.server.listener import EmulatorServer

__all__ = ["Beginning", "CloudHost", "EmulatorServer", "HostSettings", "Settled", "WorldSource"]
