"""How injections are carried out on the embedded AWS, and undone.

Each act takes the scene and what the injection gives it, does its harm at once, and says so: its ``Harm`` has what
undoes it, and, where it only decides how something will fare, how to tell that it did. What an operator does goes
through AWS's own API; what befalls machines, backups and agents is put into the world. An act that finds nothing to
change, because its object is gone or is that way already, returns None.
"""

from patchgate.rehearsal.campaign.acts import agents, backups, evidence, freezes, machines, stacks, windows
from patchgate.rehearsal.campaign.acts.scene import ACTS, Harm, Scene

__all__ = ["ACTS", "Harm", "Scene", "agents", "backups", "evidence", "freezes", "machines", "stacks", "windows"]
