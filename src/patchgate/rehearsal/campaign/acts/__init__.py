"""How injections are carried out on the embedded AWS, and undone.

Each act takes the scene and what the injection gives it, does its harm at once, and returns what undoes it (None:
nothing can). What an operator does goes through AWS's own API; what befalls machines, backups and agents is put into
the world. An act whose object is gone by then does nothing.
"""

from patchgate.rehearsal.campaign.acts import agents, backups, freezes, machines, stacks, windows
from patchgate.rehearsal.campaign.acts.scene import ACTS, Scene

__all__ = ["ACTS", "Scene", "agents", "backups", "freezes", "machines", "stacks", "windows"]
