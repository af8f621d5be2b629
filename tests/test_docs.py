"""What prose says exists, and its examples run: the README and docs/.

Checked are the targets of `make`, the commands and options of `strikeout`, its extras, paths into our
folders, links, and fenced blocks: `python` is run (prompts and output as in a docstring), `console` where
it says `$ strikeout …`.
"""

from __future__ import annotations

import configparser
import doctest
import importlib
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FOLDERS = "engine|graphs|rulesets|tests|typings|tools|docs|notebooks|benchmarks|.ci"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def code(page: Path) -> list[str]:
    """Give what the page sets in code: spans, and the lines of fenced blocks."""
    text = page.read_text(encoding="utf-8")
    blocks = [line for _, block in FENCE.findall(text) for line in block.splitlines()]
    return [*re.findall(r"`([^`\n]+)`", FENCE.sub("", text)), *blocks]


def command_line() -> click.Group:
    """Give the group of commands that `strikeout` is."""
    cli = importlib.import_module("strikeout.cli")
    return next(value for value in vars(cli).values() if isinstance(value, click.Group))


@pages
def test_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {m for line in code(page) for m in re.findall(r"^(?:\$ )?make (?:[A-Z]+=\S+ )*(\w+)", line)}
    assert named <= targets


@pages
def test_commands_and_options_exist(page: Path) -> None:
    group = command_line()
    context = click.Context(group)
    wrong = []
    for line in code(page):
        found = re.match(r"(?:\$ )?(?:python3? -m )?strikeout(?: +([a-z][\w-]*))?(?=\s|$)(.*)", line)
        if not found:
            continue
        command = group.get_command(context, found[1]) if found[1] else group
        if command is None:
            wrong.append(f"{line}: no command `{found[1]}`")
            continue
        known = {option for p in command.get_params(context) for option in (*p.opts, *p.secondary_opts)}
        wrong += [
            f"{line}: no option `{o}`" for o in re.findall(r"(?<=[\s\[])--?[a-z][\w-]*", found[2]) if o not in known
        ]
    assert not wrong, "\n".join(wrong)


@pages
def test_extras_exist(page: Path) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    named = {
        e.strip() for line in code(page) for m in re.findall(r"strikeout\[([\w, -]+)\]", line) for e in m.split(",")
    }
    assert named <= set(setup["options.extras_require"])


@pages
def test_paths_and_links_exist(page: Path) -> None:
    pattern = re.compile(rf"(?:^|(?<=[\s(\"']))(?:{FOLDERS})/[\w./*-]*")
    named = {m.rstrip(".") for line in code(page) for m in pattern.findall(line)}
    gone = sorted(name for name in named if not any(ROOT.glob(name.rstrip("/"))))
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", FENCE.sub("", page.read_text(encoding="utf-8")))
    gone += sorted(link for link in links if not (page.parent / link).exists())
    assert not gone


@pages
def test_python_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for number, block in enumerate(
        b for language, b in FENCE.findall(page.read_text(encoding="utf-8")) if language == "python"
    ):
        if ">>>" in block:
            test = parser.get_doctest(block, names, f"{page.name}, block {number + 1}", str(page), 0)
            assert runner.run(test, clear_globs=False).failed == 0
            names.update(test.globs)
        else:
            exec(compile(block, str(page), "exec"), names)


@pages
def test_console_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    group = command_line()
    for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
        if language != "console":
            continue
        for line, expected in re.findall(r"^\$ strikeout (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            result = CliRunner(env={"COLUMNS": "100"}).invoke(group, shlex.split(line))
            crashed = result.exception and not isinstance(result.exception, SystemExit)
            assert not crashed, f"$ strikeout {line}: {result.exception!r}"
            assert expected.strip() or result.exit_code == 0, f"$ strikeout {line}\n{result.output}"
            said = "\n".join(part.rstrip() for part in result.output.splitlines())
            assert not expected.strip() or said.strip() == expected.strip(), f"$ strikeout {line}\n{result.output}"
