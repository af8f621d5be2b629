"""The argument RULESET of commands: a shipped name or a path, which the shell completes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..reach.library import shipped_names

_Command = TypeVar("_Command", bound=Callable[..., Any])


def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The shipped names that begin so, else files."""
    found = [CompletionItem(name) for name in shipped_names() if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def ruleset_argument(command: _Command) -> _Command:
    """The argument RULESET."""
    return click.argument("ruleset", metavar="RULESET", shell_complete=complete)(command)
