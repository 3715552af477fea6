"""The gate's own rules of leases, for those who read what it left: no second opinion of what a lease admits."""

from patchgate.gate.rules import cycle_key, is_live, parse_instant, read_leases

__all__ = ["cycle_key", "is_live", "parse_instant", "read_leases"]
