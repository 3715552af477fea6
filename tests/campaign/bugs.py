"""Every seeded bug."""

from __future__ import annotations

from .bugs_clocks import CLOCK_BUGS
from .bugs_close import CLOSE_BUGS
from .bugs_lanes import LANE_BUGS
from .bugs_open import OPEN_BUGS
from .bugs_pages import PAGE_BUGS
from .bugs_prove import PROVE_BUGS
from .bugs_runbook import RUNBOOK_BUGS
from .bugs_sayings import SAYING_BUGS
from .bugs_templates import TEMPLATE_BUGS
from .bugs_terms import TERM_BUGS
from .bugs_told import TOLD_BUGS
from .bugs_volumes import VOLUME_BUGS
from .seeding import Bug

EVERY = (
    *PROVE_BUGS,
    *OPEN_BUGS,
    *CLOSE_BUGS,
    *PAGE_BUGS,
    *SAYING_BUGS,
    *TOLD_BUGS,
    *TEMPLATE_BUGS,
    *TERM_BUGS,
    *RUNBOOK_BUGS,
    *VOLUME_BUGS,
    *CLOCK_BUGS,
    *LANE_BUGS,
)
BUGS: dict[str, Bug] = {bug.name: bug for bug in EVERY}
