"""Every part of an expression knows where it was written, however it was quoted, escaped or folded."""

from __future__ import annotations

import json

import pytest
from lark import Token

from strikeout.gate.expressions import Written, parse
from strikeout.gate.nodes import Mapping, Scalar
from strikeout.gate.read import read
from strikeout.ground.problems import Problem, Source

LINES = (
    'known(base) and remark == "it\'s \u4e2d\\"x\\" \\\\ y"',
    "and count(\u6295\u8bc9 where base in [1, -2, 72h] by right, complaint",
    "within 3 workdays inclusive) >= 3",
    "or 2014-11-04T09:30 < at + 2 months",
)
EXPRESSION = " ".join(LINES)


def in_lines(first: str, other: str, end: str = "") -> str:
    """The lines of the expression, the first of them after `first`, the others after `other`."""
    return first + f"\n{other}".join(LINES) + end


ESCAPED = json.dumps(EXPRESSION)
DOUBLED = EXPRESSION.replace("'", "''")
STYLES = {
    "plain": f"if: {EXPRESSION}",
    "plain in lines": in_lines("if: ", "  "),
    "plain in lines with a blank one": in_lines("if: ", "\n    "),
    "plain below": in_lines("if:\n  ", "  "),
    "single quotes": f"if: '{DOUBLED}'",
    "single quotes in lines": f"if: '{DOUBLED}'".replace(" and ", "\n  and ").replace(" or ", "  \n\n   or "),
    "single quotes in braces": f"{{if: '{DOUBLED}'}}",
    "double quotes": f"if: {json.dumps(EXPRESSION, ensure_ascii=False)}",
    "double quotes, all escaped": f"if: {ESCAPED}",
    "double quotes, letters escaped": "if: "
    + ESCAPED.replace("a", "\\x61").replace("r", "\\u0072").replace("o", "\\U0000006f"),
    "double quotes in lines": "if: " + ESCAPED.replace(" and ", "\n  and ").replace(" or ", " \\\n  or "),
    "double quotes with escaped blanks": "if: "
    + ESCAPED.replace(" and ", "\\n \\tand ").replace(" or ", "\\\n\n \\  or "),
    "a folded block": in_lines("if: >\n  ", "  ", "\n"),
    "a folded block with a comment": in_lines("if: >2-  # folded\n    ", "      ", "\n\n\n"),
    "a literal block": in_lines("if: |\n\n  ", "   ", "\n"),
    "a literal block that keeps its end": in_lines("if: |+\n  ", "\n  ", "\n\n"),
    "a literal block at the end": in_lines("if: |-\n   ", "   "),
}


def expression(text: str) -> Written:
    """The expression under `if`."""
    root, found = read(Source("example", text))
    assert found == []
    assert isinstance(root, Mapping)
    scalar = root.get("if")
    assert isinstance(scalar, Scalar)
    problems: list[Problem] = []
    written = parse(scalar, "expression", problems)
    assert problems == []
    assert written is not None
    return written


def plain(text: str) -> str:
    """What was written, without escapes, doubled quotes and the folds of lines."""
    for escape, character in ("\\x61", "a"), ("\\u0072", "r"), ("\\U0000006f", "o"), ("\\u4e2d", "\u4e2d"):
        text = text.replace(escape, character)
    for escape, character in ("\\u6295", "\u6295"), ("\\u8bc9", "\u8bc9"), ("\\n", " "), ("\\t", " "), ("\\\n", " "):
        text = text.replace(escape, character)
    return "".join(text.replace("\\ ", " ").replace("\\", "").replace("''", "'").split())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("style", STYLES)
def test_each_word_knows_its_place(style: str, end: str) -> None:
    written = expression(STYLES[style].replace("\n", end))
    tokens = list(written.tree.scan_values(lambda value: isinstance(value, Token)))
    assert len(tokens) > 20
    for token in tokens:
        assert plain(written.span(token).text) == plain(str(token))


@pytest.mark.parametrize("style", STYLES)
def test_each_part_begins_and_ends_with_its_words(style: str) -> None:
    written = expression(STYLES[style])
    text = written.scalar.text
    for tree in written.tree.iter_subtrees():
        if not tree.meta.empty:
            assert plain(written.span(tree).text) == plain(text[tree.meta.start_pos : tree.meta.end_pos])


def test_a_place_in_a_part_is_one_in_the_whole() -> None:
    text = """fields: {level: 'level  =  "it''s"'}"""
    root, _ = read(Source("example", text))
    assert isinstance(root, Mapping)
    fields = root.get("fields")
    assert isinstance(fields, Mapping)
    level = fields.get("level")
    assert isinstance(level, Scalar)
    start = level.text.index('"')
    part = level.part(start, len(level.text))
    assert part.text == '"it\'s"'
    assert part.span.text == "\"it''s\""
    assert part.within(4, 5).text == "s"
