"""The command line: one group; each command lies in a module of its own, `command_NAME`."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from . import __version__
from .commands.backtest import backtest_command
from .commands.check import check_command
from .commands.completion import completion_command
from .commands.deadlines import deadlines_command
from .commands.diff import diff_command
from .commands.explain import explain_command
from .commands.graph import graph_command
from .commands.key import key_command
from .commands.list import list_command
from .commands.log import log_command
from .commands.new import new_command
from .commands.push import push_command
from .commands.remedies import remedies_command
from .commands.run import run_command
from .commands.sample import sample_command
from .commands.schema import schema_command
from .commands.serve import serve_command
from .commands.show import show_command
from .commands.status import status_command
from .commands.terminal import WRONG, show_problems
from .commands.test import test_command
from .commands.whatif import whatif_command
from .ground.problems import RulesetError, StrikeoutError
from .reach.writing import ENOUGH


class Commands(click.Group):
    """The group. Whoever read the output may have had enough of it: click would call that a failure."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command that was asked for, and write what is held back of its output."""
        try:
            try:
                return super().invoke(context)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(ENOUGH) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="strikeout")
def commands() -> None:
    """Platform policies as rules: check them, test them, run them over facts, and see why."""


for _command in (
    backtest_command,
    check_command,
    completion_command,
    deadlines_command,
    diff_command,
    explain_command,
    graph_command,
    key_command,
    list_command,
    log_command,
    new_command,
    push_command,
    remedies_command,
    run_command,
    sample_command,
    schema_command,
    serve_command,
    show_command,
    status_command,
    test_command,
    whatif_command,
):
    commands.add_command(_command)


def main() -> None:
    """Run the command line; a user's mistake is a message and an exit code, never a traceback."""
    try:
        commands(standalone_mode=False, prog_name="strikeout")
    except click.exceptions.Abort:
        click.echo("strikeout: stopped", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = WRONG
    except click.exceptions.Exit as error:
        code = error.exit_code
    except RulesetError as error:
        show_problems(error.problems)
        code = WRONG
    except StrikeoutError as error:
        click.echo(f"strikeout: {error}", err=True)
        code = WRONG
    else:
        code = 0
    sys.exit(code)
