"""The gate: the code that runs inside AWS and decides who may be patched.

Plain files: ``rules`` is pure and needs the standard library only; ``open_window``, ``close_window`` and ``prove`` are
thin scripts around it that need boto3. The templates embed them: a bundle is a script whose one import of the rules is
replaced by exactly those rules that it names, with what they need, without docstrings and comments (a template has
50,000 bytes). Nothing here ever imports the rest of patchgate, swallows an error and goes on, or patches anything.
"""
