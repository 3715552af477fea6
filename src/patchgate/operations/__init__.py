"""Use cases, and the ports that they need: what patchgate does, told without saying how AWS is reached.

Nothing here imports the SDK; adapters in ``aws`` and fakes in tests play the ports.
"""
