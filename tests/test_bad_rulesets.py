"""Broken rulesets and what is said of them: `bad/NAME.yaml` beside its message, `NAME.txt`.

Each file has one mistake, which its name tells, and gets one problem; `# problems: 10` in its first line says that it
has ten. Files named `part-…` are what others include. `STRIKEOUT_ACCEPT=1 pytest tests/test_bad_rulesets.py` writes
the messages anew, for `git diff` to review.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

import strikeout
from strikeout.ground.problems import Problem, render

BAD = Path(__file__).parent / "bad"
GOOD = Path(__file__).parent / "good"
NAMES = sorted(path.stem for path in BAD.glob("*.yaml") if not path.stem.startswith("part-"))
PARTS = sorted(path for path in BAD.rglob("part-*.yaml"))
ACCEPT = os.environ.get("STRIKEOUT_ACCEPT") == "1"

CODES = {
    *("alias", "ambiguous", "anchor", "calendar", "circle", "clash", "comma", "constant", "disagree", "documents"),
    *("duplicate-key", "empty", "ends", "key", "ladder", "literal", "may-be-missing", "merge", "missing-field"),
    *("missing-key", "name", "never-fires", "not-text", "schedules-itself", "shape", "syntax", "tag", "too-deep"),
    *("too-large", "type", "unknown-field", "unknown-key", "unknown-kind", "unknown-member", "unknown-name"),
    *("unknown-type", "unused", "void", "where", "window", "yaml", "yaml-1.1"),
}
"""Codes can be searched for and so stay as they are; `too-many` and `unreadable` occur in other tests."""


@cache
def problems(name: str) -> tuple[Problem, ...]:
    """What is wrong with a file; its warnings where it can be used."""
    before = Path.cwd()
    os.chdir(BAD)
    try:
        return strikeout.load(f"{name}.yaml").warnings
    except strikeout.RulesetError as error:
        return error.problems
    finally:
        os.chdir(before)


@pytest.mark.parametrize("name", NAMES)
def test_the_message_is_as_accepted(name: str) -> None:
    golden = BAD / f"{name}.txt"
    message = render(problems(name)) + "\n"
    assert problems(name), "nothing is said of this ruleset"
    if ACCEPT:
        golden.write_text(message, encoding="utf-8", newline="")
    assert golden.exists(), "no message has been accepted yet: STRIKEOUT_ACCEPT=1"
    assert message == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_one_mistake_is_one_problem(name: str) -> None:
    first = (BAD / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
    said = re.fullmatch(r"# problems: (\d+)", first)
    found = [str(problem) for problem in problems(name)]
    assert len(found) == (int(said[1]) if said else 1), "\n".join(found)


@pytest.mark.parametrize("name", NAMES)
def test_only_warnings_let_a_ruleset_load(name: str) -> None:
    assert all(problem.warning == name.startswith("warning-") for problem in problems(name))


@pytest.mark.parametrize("name", NAMES)
def test_messages_keep_the_style(name: str) -> None:
    for problem in problems(name):
        for text in (problem.message, problem.hint, *(label for label, _ in problem.related)):
            words = re.sub(r"`+[^`]*`+", "``", text)
            assert not re.match(r"[A-Z](?!AML|\+)", words), f"lower case at the start: {text}"
            assert not words.endswith((".", "!")), f"no full stop: {text}"
            assert "\n" not in text
            assert not re.search(r"(?<!\w)'[^']+'|\"", words), f"the user's text in backticks: {text}"
            internal = r"\b(None|NoneType|str|int|dict|tuple|Token|Tree|\w+Error|\w+Exception|object at)\b|<\w"
            assert not re.search(internal, words), f"nothing of Python: {text}"
        assert problem.code in CODES
        for span in (problem.span, *(span for _, span in problem.related)):
            assert 0 <= span.start <= span.end <= len(span.source.text)
        assert problem.span.start < problem.span.end or problem.code in {"empty", "shape", "too-large", "yaml"}


def test_every_code_has_its_file() -> None:
    assert CODES - {problem.code for name in NAMES for problem in problems(name)} == set()


def test_every_message_has_its_file() -> None:
    assert sorted(path.stem for path in BAD.glob("*.txt")) == NAMES


def test_every_part_is_named() -> None:
    texts = [path.read_text(encoding="utf-8") for path in BAD.rglob("*.yaml")]
    for part in PARTS:
        assert any(re.search(rf": .*\b{part.stem}\b", text) for text in texts), part


@pytest.mark.parametrize("path", sorted(GOOD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_good_ruleset_loads(path: Path) -> None:
    try:
        ruleset = strikeout.load(path)
    except strikeout.RulesetError as error:
        pytest.fail(str(error))
    assert ruleset.warnings == (), render(ruleset.warnings)
