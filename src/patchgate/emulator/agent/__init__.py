"""The SSM agent: what runs on a machine when a command document reaches it.

Scripts are not run: the agent understands a documented subset of sh and PowerShell (``shell``, ``powershell``) and
fails a step that says anything else, with the line in its error output.
"""
