"""What every command shares: the two consoles, the language of a person, errors that end a command, options."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console

from ..facts import Titles
from ..ground.problems import Problem, render

DONE, FAILED, WRONG, REJECTED = 0, 1, 2, 3
"""Exit codes: done; a check or case failed; wrong use or unreadable input; done with rejected rows or subjects."""

LANGUAGES = ("zh", "en")

PLAIN_WIDTH = 100
NARROW, WIDE = 60, 140

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Terminal(Console):
    """A console. Whoever read its output may have had enough of it: rich would call that a failure."""

    def on_broken_pipe(self) -> None:
        """Hand it on to `main`, which ends the program quietly."""
        raise BrokenPipeError


def out() -> Console:
    """The console for output; colours only where it is a terminal."""
    return Terminal(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """The console for everything else."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())


def text_width() -> int:
    """How many columns a text may have: as many as the terminal within reason, 100 where there is none."""
    if not sys.stdout.isatty():
        return PLAIN_WIDTH
    return min(max(shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns, NARROW), WIDE)


def fail(message: str, code: int = WRONG) -> NoReturn:
    """End the command with a message on standard error."""
    click.echo(f"strikeout: {message}", err=True)
    raise SystemExit(code)


def show_problems(problems: tuple[Problem, ...]) -> None:
    """Print problems on standard error, errors in red and warnings in yellow on a terminal."""
    text = render(problems)
    if sys.stderr.isatty():
        lines = []
        for line in text.split("\n"):
            if ": error: " in line:
                line = click.style(line, fg="red", bold=True)
            elif ": warning: " in line:
                line = click.style(line, fg="yellow", bold=True)
            lines.append(line)
        text = "\n".join(lines)
    click.echo(text, err=True)


def default_language() -> str:
    """The language of the environment: `zh` where its locale is Chinese, else `en`."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def pick(titles: Titles | Mapping[str, str], language: str, otherwise: str = "") -> str:
    """The text in a language, else in the other, else what is given."""
    found = dict(titles)
    return found.get(language) or next(iter(found.values()), otherwise)


def language_option(command: _Command) -> _Command:
    """The option `--lang`."""
    return click.option(
        "--lang",
        "language",
        type=click.Choice(LANGUAGES),
        default=default_language,
        show_default="by the locale",
        help="Language of titles and headings.",
    )(command)


def parse_settings(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """The parameters given as `--set PARAM=VALUE`."""
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"`{text}` is not of the form PARAM=VALUE", context, option)
        found[name.strip()] = value.strip()
    return found


def set_option(command: _Command) -> _Command:
    """The option `--set PARAM=VALUE`, which may be repeated."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="PARAM=VALUE",
        callback=parse_settings,
        help="Override a parameter of the ruleset; may be repeated.",
    )(command)
