"""The shipped rulesets with bytes, lines and words of them changed: they load, or a `RulesetError` says why not.

The changes come from a seed, so that what fails is found again; `STRIKEOUT_FUZZ=600` searches for ten minutes.
"""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import strikeout
from strikeout.ground.problems import Problem
from strikeout.reach.library import shipped, shipped_names

SECONDS = float(os.environ.get("STRIKEOUT_FUZZ", "15"))
SEED = int(os.environ.get("STRIKEOUT_FUZZ_SEED", "1"))
SLOWEST = 5.0

TEXTS = [
    source.text
    for what in ("ruleset", "vocabulary", "calendar")
    for name in shipped_names(what)
    if (source := shipped(what, name)) is not None
]
TEXTS += [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "good").glob("*.yaml"))]
WORDS = (
    *("when", "with", "let", "if", "then", "ladder", "void", "from", "until", "of", "steps", "value", "values"),
    *("facts", "enums", "rules", "parameters", "include", "extends", "vocabulary", "terminal", "fields", "input"),
    *("effect", "severity", "ends", "interval", "lasting", "optional", "integer", "time", "id", "= 3", "title"),
    *("and", "or", "not", "in", "not in", "if", "else", "where", "by", "within", "since", "this month", "inclusive"),
    *("count(", "sum(", "min(", "last(", "none(", "known(", "coalesce(", "day(", ")", "(", "[", "]", "{", "}"),
    *("==", "!=", "<=", "+", "-", "*", "//", "%", ",", ": ", "- ", "? ", "|", ">", "&a", "*a", "!!int", "<<", "#"),
    *("null", "~", "true", "yes", "72h", "3 workdays", "2 months", "2015-01-01", "0", "-1", "9" * 30, "1.5", "012"),
    *('"', "'", "\\", "\n", "\n\n", "\t", "\r", " ", "  ", "\0", "\x85", "\u2028", "\ufeff", "中", "\u0301", "---"),
)


def mutate(rng: random.Random, text: str) -> str | bytes:
    """A text with a few changes: of characters, of lines, of words; now and then of bytes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        way = rng.randrange(9)
        lines = text.split("\n")
        line = rng.randrange(len(lines))
        if way == 0:  # A character goes, or is another one.
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(("", chr(rng.randrange(0x250)), rng.choice(text or " "))) + text[at + 1 :]
        elif way == 1:  # A word comes in.
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(WORDS) + text[at:]
        elif way == 2:  # A word is another one, of the language or of the text.
            words = list(re.finditer(r"\w+", text))
            if words:
                found, other = rng.choice(words), rng.choice(words).group()
                text = text[: found.start()] + rng.choice((rng.choice(WORDS), other)) + text[found.end() :]
        elif way == 3:  # A line goes.
            text = "\n".join(lines[:line] + lines[line + 1 :])
        elif way == 4:  # A line stands twice, or elsewhere.
            lines.insert(rng.randrange(len(lines) + 1), lines[line] if rng.random() < 0.5 else lines.pop(line))
            text = "\n".join(lines)
        elif way == 5:  # A line moves to the side.
            lines[line] = lines[line][2:] if rng.random() < 0.5 else "  " + lines[line]
            text = "\n".join(lines)
        elif way == 6:  # The text ends early.
            text = text[: rng.randrange(len(text) + 1)]
        elif way == 7:  # A part of another text comes in.
            other = rng.choice(TEXTS)
            start = rng.randrange(len(other) + 1)
            at = rng.randrange(len(text) + 1)
            text = text[:at] + other[start : start + rng.randrange(200)] + text[at:]
        else:  # A part goes.
            at = rng.randrange(len(text) + 1)
            text = text[:at] + text[at + rng.randrange(40) :]
    if rng.random() < 0.05:
        content = bytearray(text.encode("utf-8", "surrogatepass"))
        if content:
            content[rng.randrange(len(content))] = rng.randrange(256)
        return bytes(content)
    return text


def problems(made: str | bytes, path: Path) -> tuple[Problem, ...] | None:
    """What is wrong with a ruleset, or None where it loads; all else is raised with the text."""
    try:
        if isinstance(made, bytes):
            path.write_bytes(made)
            strikeout.load(path)
        else:
            strikeout.load_text(made)
    except strikeout.RulesetError as error:
        return error.problems
    except Exception as error:
        error.add_note(f"of this ruleset:\n{made!r}")
        raise
    return None


def test_changed_rulesets_load_or_are_refused(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    ends = time.monotonic() + SECONDS
    loaded = refused = 0
    path = tmp_path / "changed.yaml"
    while time.monotonic() < ends:
        made = mutate(rng, rng.choice(TEXTS))
        start = time.process_time()
        found = problems(made, path)
        assert time.process_time() - start < SLOWEST, f"too slow: {made!r}"
        if found is None:
            loaded += 1
            continue
        refused += 1
        assert found, f"refused without a reason: {made!r}"
        for problem in found:
            assert 0 <= problem.span.start <= problem.span.end <= len(problem.span.source.text), repr(made)
    assert loaded > 10
    assert refused > 10
