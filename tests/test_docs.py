"""What prose says exists, and its examples run: the README and docs/.

Checked are the targets of `make`, the commands and options of `strikeout`, its extras, paths into our
folders, links, names of Python, and fenced blocks: `python` is run (prompts and output as in a docstring), `console`
where it says `$ strikeout …`. Blocks with a file's name, such as ```yaml fair.yaml, are files that stand beside these
commands, and `fair.yaml+` is added to that file; a ruleset is checked as it grows. Where output stands below a command
it is compared; `STRIKEOUT_ACCEPT=1` writes what there is now, and `git diff` shows what changed.
"""

from __future__ import annotations

import configparser
import doctest
import importlib
import os
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import strikeout
from strikeout.functions import AGGREGATES, FUNCTIONS, OPERATORS
from strikeout.gate.case_files import CASE_FILE_KEYS, CASE_KEYS, EXPECT_KEYS
from strikeout.gate.parse import KIND_KEYS, PARAMETER_KEYS, RULE_KEYS, RULESET_KEYS, VOCABULARY_KEYS
from strikeout.gate.schema import CALENDAR_KEYS
from strikeout.ground.problems import RulesetError, StrikeoutError, render
from strikeout.ground.values import Period
from strikeout.model import (
    Aggregate,
    Choice,
    Expression,
    Literal,
    Logic,
    Operation,
    Since,
    This,
    Within,
    rule_expressions,
    walk,
)

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)(?: [^\n]*)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"^```(\w*)(?: ([\w./-]+\+?))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ strikeout (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
FOLDERS = "engine|graphs|rulesets|tests|typings|tools|docs|notebooks|benchmarks|.ci"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code(page: Path) -> list[str]:
    """Give what the page sets in code: spans, and the lines of fenced blocks."""
    text = page.read_text(encoding="utf-8")
    blocks = [line for _, block in FENCE.findall(text) for line in block.splitlines()]
    return [*re.findall(r"`([^`\n]+)`", FENCE.sub("", text)), *blocks]


def command_line() -> click.Group:
    """Give the group of commands that `strikeout` is."""
    group = importlib.import_module("strikeout.cli").commands
    assert isinstance(group, click.Group)
    return group


@pages
def test_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {m for line in code(page) for m in re.findall(r"^(?:\$ )?make (?:[A-Z]+=\S+ )*(\w+)", line)}
    assert named <= targets


@pages
def test_commands_and_options_exist(page: Path) -> None:
    wrong = []
    for line in code(page):
        found = re.match(r"(?:\$ )?(?:python3? -m )?strikeout(?=\s|$)(.*)", line)
        if not found:
            continue
        command: click.Command = command_line()
        rest = found[1]
        while isinstance(command, click.Group) and (named := re.match(r" +([a-z][\w-]*)(?=\s|$)(.*)", rest)):
            inner = command.get_command(click.Context(command), named[1])
            if inner is None:
                wrong.append(f"{line}: no command `{named[1]}`")
                break
            command, rest = inner, named[2]
        context = click.Context(command)
        known = {option for p in command.get_params(context) for option in (*p.opts, *p.secondary_opts)}
        wrong += [f"{line}: no option `{o}`" for o in re.findall(r"(?<=[\s\[])--?[a-z][\w-]*", rest) if o not in known]
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


MODULES = {f"strikeout.{path.stem}" for folder in ("engine", ".") for path in (ROOT / folder).glob("[!.]*")}
"""The names of modules and packages."""


@pages
def test_names_of_python_exist(page: Path) -> None:
    of = {
        "strikeout": strikeout,
        "outcome": strikeout.Outcome,
        "ruleset": strikeout.Ruleset,
        "outcome.facts": strikeout.Conclusions,
    }
    lines = re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text(encoding="utf-8")))
    gone = []
    for line in lines:
        for owner, name in re.findall(r"\b(outcome\.facts|strikeout|outcome|ruleset)\.([a-z_]\w*)\b(?!/)", line):
            if f"{owner}.{name}" in (*of, *MODULES) or name in ("db", "yaml"):
                continue
            attributes = {
                field for cls in getattr(of[owner], "__mro__", ()) for field in getattr(cls, "__annotations__", ())
            }
            if not hasattr(of[owner], name) and name not in attributes | {"summary", "as_of", "model"}:
                gone.append(f"{owner}.{name}")
    assert not gone


def language(page: Path) -> str:
    """Give the language of a page."""
    return "zh" if page.name.endswith(".zh.md") else "en"


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for the files of a page, in which those of the repository can be named too."""
    for name in ("docs", "rulesets"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keep(folder: Path, name: str, block: str) -> None:
    """Write a block that is a file, and check the ruleset that it makes."""
    path = folder / name.removesuffix("+")
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") + "\n" if name.endswith("+") else ""
    path.write_text(before + block, encoding="utf-8")
    if path.suffix == ".yaml" and path.parent == folder and ".cases" not in path.suffixes:
        try:
            strikeout.load(str(path))
        except RulesetError:
            assert path.name.startswith("wrong"), name


def run_console(folder: Path, page: Path, block: str, wrong: list[str]) -> str:
    """Run the commands of a block and compare what they print; the block as it should be."""
    locale = "zh_CN.UTF-8" if language(page) == "zh" else "C.UTF-8"
    found = block
    for line, expected in COMMAND.findall(block):
        result = CliRunner(env={"COLUMNS": "100", "LC_ALL": locale}).invoke(command_line(), shlex.split(line))
        said = result.output
        if isinstance(result.exception, RulesetError):
            said += render(result.exception.problems) + "\n"
        elif isinstance(result.exception, StrikeoutError):
            said += f"strikeout: {result.exception}\n"
        elif result.exception and not isinstance(result.exception, SystemExit):
            wrong.append(f"$ strikeout {line}: {result.exception!r}")
        said = "\n".join(part.rstrip() for part in said.strip("\n").splitlines())
        if not expected.strip():
            if result.exit_code:
                wrong.append(f"$ strikeout {line}\n{said}")
        elif said != expected.strip("\n"):
            wrong.append(f"$ strikeout {line}\n{said}")
            found = found.replace(f"$ strikeout {line}\n{expected}", f"$ strikeout {line}\n{said}\n\n", 1)
    return re.sub(r"\n+$", "\n", found)


@pages
def test_examples_run(page: Path, workshop: Path) -> None:
    text = accepted = page.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    wrong: list[str] = []
    for number, (kind, name, block) in enumerate(NAMED.findall(text), 1):
        if name:
            keep(workshop, name, block)
        elif kind == "yaml" and block.startswith("ruleset:"):
            strikeout.load_text(block)
        elif kind == "console":
            accepted = accepted.replace(block, run_console(workshop, page, block, wrong), 1)
        elif kind == "python" and ">>>" in block:
            test = parser.get_doctest(block, names, f"{page.name}, block {number}", str(page), 0)
            wrong += [f"block {number} fails; see what was printed"] * runner.run(test, clear_globs=False).failed
            names.update(test.globs)
        elif kind == "python":
            exec(compile(block, f"{page.name}, block {number}", "exec"), names)
    if os.environ.get("STRIKEOUT_ACCEPT") and accepted != text:
        page.write_text(accepted, encoding="utf-8")
    assert not wrong, "\n".join(wrong)


def blocks(page: Path, *kinds: str) -> list[tuple[str, str, str]]:
    """Give the fenced blocks of a page, of some languages; of console the commands alone."""
    found = NAMED.findall(page.read_text(encoding="utf-8"))
    return [
        (kind, name, "\n".join(re.findall(r"^\$ .*", block, re.MULTILINE)) if kind == "console" else block)
        for kind, name, block in found
        if kind in kinds
    ]


TWINS = [page for page in PAGES if page.name.endswith(".zh.md")]


@pytest.mark.parametrize("page", TWINS, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_in_chinese_keep_step(page: Path) -> None:
    twin = page.with_name(page.name.replace(".zh.md", ".md"))
    here, there = page.read_text(encoding="utf-8"), twin.read_text(encoding="utf-8")
    kinds = ("sh", "console", "python", "yaml", "csv")
    assert blocks(page, *kinds) == blocks(twin, *kinds), f"{twin.name} has other files or commands"

    def levels(text: str) -> list[int]:
        return [len(marks) for marks in re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)]

    def rows(text: str) -> list[list[str]]:
        """The code that rows of tables begin with."""
        cells = re.findall(r"^\| (`.*?`) +\|", FENCE.sub("", text), re.MULTILINE)
        return [re.findall(r"`[^`]+`", cell) for cell in cells]

    assert levels(here) == levels(there), f"{twin.name} has other headings"
    assert rows(here) == rows(there), f"{twin.name} has other rows"


def test_generated_pages_are_current() -> None:
    for path, text in runpy.run_path(str(ROOT / "tools" / "docs.py"))["pages"]().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path}: run `make docs`"


def test_the_guide_has_every_construct(workshop: Path) -> None:
    """Every key, type, operator, function, aggregate and window of the language is in an example that runs."""
    for kind, name, block in NAMED.findall((ROOT / "docs" / "guide.md").read_text(encoding="utf-8")):
        if name and kind == "yaml":
            keep(workshop, name, block)
    files = [
        path for path in workshop.rglob("*.yaml") if not path.name.startswith("wrong") and "docs" not in path.parts
    ]
    files = [path for path in files if "rulesets" not in path.parts]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    keys = {*RULESET_KEYS, *VOCABULARY_KEYS, *RULE_KEYS, *KIND_KEYS, *PARAMETER_KEYS, *CALENDAR_KEYS}
    keys |= {*CASE_FILE_KEYS, *CASE_KEYS, *EXPECT_KEYS, "known_at"}
    assert {key for key in keys if not re.search(rf"(?:^|[\s{{,]){key}:", text)} == set()

    found: set[str] = set()
    for path in files:
        if path.parent == workshop and ".cases" not in path.name:
            model = strikeout.load(str(path)).model
            found |= {str(field.type) for kind in model.kinds for field in kind.fields if not field.type.is_enum}
            for rule in (*model.rules, *model.void_rules):
                for expression in rule_expressions(rule):
                    for node in walk(expression):
                        found |= set(construct(node))
    wanted = {row.name for row in (*OPERATORS, *FUNCTIONS)} | {f"{row.name}()" for row in AGGREGATES}
    wanted |= {"and", "or", "not", "if", "where", "by", "since", "this day", "this month", "this year"}
    wanted |= {"within duration", "within dates", "within months", "inclusive", "workdays", "enum"}
    wanted |= {"id", "text", "integer", "boolean", "time", "duration"}
    assert wanted - found == set()


def construct(node: Expression) -> Iterator[str]:
    """Give the constructs that an expression is, by name."""
    match node:
        case Operation(operator=name) | Logic(operator=name):
            yield name
        case Choice():
            yield "if"
        case Literal(value=Period(unit=period)):
            yield period
        case Literal(type=type_):
            yield "enum" if type_.is_enum else type_.name
        case Aggregate(function=name, selection=selection, window=window):
            yield f"{name}()"
            yield from ("where",) if selection.where is not None else ()
            yield from ("by",) if selection.by else ()
            match window:
                case Since():
                    yield "since"
                case This(unit=unit):
                    yield f"this {unit}"
                case Within(length=length, inclusive=inclusive):
                    yield f"within {length.type.name}"
                    yield from ("inclusive",) if inclusive else ()
