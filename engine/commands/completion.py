"""`strikeout completion`: what makes the shell complete commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "strikeout"
VARIABLE = "_STRIKEOUT_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", metavar=f"[{'|'.join(SHELLS)}]", type=click.Choice(SHELLS), default="bash")
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    r"""Print the script that lets a shell complete commands, options and names of rulesets.

    \b
    bash: eval "$(strikeout completion bash)"      in ~/.bashrc
    zsh:  eval "$(strikeout completion zsh)"       in ~/.zshrc
    fish: strikeout completion fish | source       in ~/.config/fish/config.fish
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for `{shell}`", context)
    click.echo(made(context.find_root().command, {}, PROGRAM, VARIABLE).source())
