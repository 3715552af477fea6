"""``patchgate completion``: the script that teaches a shell to complete patchgate's commands and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of SHELL, for its start-up file.

    \b
    bash  patchgate completion bash > ~/.local/share/bash-completion/completions/patchgate
    zsh   patchgate completion zsh > "${fpath[1]}/_patchgate"
    fish  patchgate completion fish > ~/.config/fish/completions/patchgate.fish
    """
    from click.shell_completion import get_completion_class

    from patchgate.cli.root import patchgate

    kind = get_completion_class(shell)
    if kind is None:
        raise click.BadParameter(f"click knows no completion for {shell}")
    # Not source(): for bash it runs the bash that it finds, only to learn its version.
    script = kind(patchgate, {}, "patchgate", "_PATCHGATE_COMPLETE")
    click.echo(script.source_template % script.source_vars())
