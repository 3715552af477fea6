"""Templates that others wrote, as terrains: what a team patches with today, under the same faults and the same judge.

reading   a directory of templates as stacks, and its lanes as shapes
tasks     which tasks of maintenance windows end in an install
lanes     the lanes of what was deployed: one for each window that installs, and for each of its kinds of machines
deployed  what was deployed, asked as an operator asks
due       when something is due around an instant
roles     who opens a lane's windows and who closes them
ground    a lane as a terrain: its functions, its backups, when its cycles fall due
limits    which acts can do nothing there, and why
unemulated  what they ask of AWS and the embedded one does not implement
"""

from patchgate.rehearsal.campaign.foreign.ground import break_foreign_ground
from patchgate.rehearsal.campaign.foreign.reading import read_foreign_shapes

__all__ = ["break_foreign_ground", "read_foreign_shapes"]
