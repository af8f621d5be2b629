"""The schemas for editors: every shipped file fits, keys are those that the readers know, and others are refused."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from strikeout.gate.case_files import read_cases
from strikeout.gate.nodes import Mapping, Node, Scalar, Sequence
from strikeout.gate.parse import parse
from strikeout.gate.read import read
from strikeout.gate.schema import SCHEMAS, Schema, schema
from strikeout.ground.calendars import Calendar
from strikeout.ground.problems import RulesetError, Source
from strikeout.reach.library import Files, read_file

RULESETS = Path(__file__).resolve().parent.parent / "rulesets"


def sort_of(path: Path) -> str:
    folder = path.parent.name
    if path.name.endswith(".cases.yaml"):
        return "cases"
    return folder if folder in ("vocabulary", "calendar") else "ruleset"


FILES = [(sort_of(path), path) for path in sorted(RULESETS.rglob("*.yaml"))]


def plain(node: Node) -> Any:
    """Give a node as an editor sees it: YAML 1.2's integers, booleans and null, all else text."""
    if isinstance(node, Scalar):
        if node.quoted:
            return node.text
        if node.is_null:
            return None
        if node.text in ("true", "false"):
            return node.text == "true"
        return int(node.text) if re.fullmatch(r"-?\d+", node.text) else node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node]
    return {key.text: plain(value) for key, value in node}


TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
KNOWN = {
    *("$schema", "$defs", "$ref", "title", "description", "type", "enum", "required", "anyOf", "oneOf"),
    *("properties", "patternProperties", "additionalProperties", "minProperties", "maxProperties"),
    *("items", "minItems", "uniqueItems"),
}


def errors(value: Any, rule: Schema, root: Schema, path: str = "$") -> Iterator[str]:
    """Give what is wrong with a value; of JSON Schema what our schemas use."""
    part: Any = rule
    assert set(part) <= KNOWN, f"the check of this test does not know {set(part) - KNOWN}"
    if "$ref" in part:
        definitions: Any = root["$defs"]
        yield from errors(value, definitions[part["$ref"].removeprefix("#/$defs/")], root, path)
    types = part.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[name](value) for name in types):
        yield f"{path}: not {types}"
        return
    if "enum" in part and value not in part["enum"]:
        yield f"{path}: none of {part['enum']}"
    for key in ("anyOf", "oneOf"):
        if key in part:
            fitting = sum(not list(errors(value, branch, root, path)) for branch in part[key])
            if fitting == 0 or (key == "oneOf" and fitting > 1):
                yield f"{path}: {fitting} of {key} fit"
    if isinstance(value, dict):
        yield from (f"{path}: lacks {key}" for key in part.get("required", []) if key not in value)
        if not part.get("minProperties", 0) <= len(value) <= part.get("maxProperties", len(value)):
            yield f"{path}: {len(value)} keys"
        for key, inner in value.items():
            below = f"{path}.{key}"
            patterns = [p for p in part.get("patternProperties", {}) if re.search(p, key)]
            if key in part.get("properties", {}):
                yield from errors(inner, part["properties"][key], root, below)
            elif patterns:
                yield from errors(inner, part["patternProperties"][patterns[0]], root, below)
            elif part.get("additionalProperties") is False:
                yield f"{below}: unknown key"
            elif "additionalProperties" in part:
                yield from errors(inner, part["additionalProperties"], root, below)
    if isinstance(value, list):
        if len(value) < part.get("minItems", 0):
            yield f"{path}: too few items"
        if part.get("uniqueItems") and len({repr(item) for item in value}) < len(value):
            yield f"{path}: repeated items"
        for number, item in enumerate(value):
            yield from errors(item, part.get("items", {}), root, f"{path}[{number}]")


@functools.cache
def document_of(text: str) -> Any:
    root, _ = read(Source("t.yaml", text))
    return plain(root)


def wrong(what: str, text: str) -> list[str]:
    return list(errors(document_of(text), schema(what), schema(what)))


@pytest.mark.parametrize(("what", "path"), FILES, ids=[path.name for _, path in FILES])
def test_every_shipped_file_fits_its_schema(what: str, path: Path) -> None:
    assert wrong(what, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(("what", "path"), FILES, ids=[path.name for _, path in FILES])
def test_a_shipped_file_fits_no_other_schema(what: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [other for other in SCHEMAS if other != what and not wrong(other, text)] == []


def mappings(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the places of all mappings in a document."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from mappings(inner, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from mappings(item, (*path, number))


RULESET = """
ruleset: r
title: {en: a}
subject: seller
timezone: UTC
enums: {colour: [red, blue]}
facts:
  act: {input: true, title: {en: act}, fields: {id: id, colour: {type: colour, title: {en: its colour}}}}
  strike: {fields: {id: id}}
  closure: {effect: lasting, severity: 1, fields: {}}
parameters:
  limit: {value: 3, title: {en: limit}}
  other: {values: {2015-01-01: 1}}
rules:
  strike:
    when: act
    with: {other: strike by id}
    let: {many: [{if: count(strike) > limit, value: 1}, {value: 2}]}
    if: many > 1
    then: {strike: {id: id}}
  ladder:
    when: strike
    ladder: {of: count(strike), steps: {3: closure, 4: [{strike: {id: id}}]}}
"""

VOCABULARY = "vocabulary: v\nenums: {a: [b]}\nfacts: {act: {input: true, title: {en: x}, fields: {a: {type: a}}}}\n"

CALENDAR = "calendar: X\ntitle: {en: x}\nfirst: 2015-01-01\nlast: 2015-12-31\nholidays: [2015-01-01]\n"

CASES = """
ruleset: taobao-counterfeit
title: {en: a}
cases:
  one:
    title: {en: one}
    subject: s
    set: {strike_limit: 2}
    facts: [{at: 2015-01-05, withdrawal: {complaint: c1}}]
    expect: [{facts: [{strike: {complaint: c}}], count: {strike: 0}, sum: {points.amount: 0}, status: {s: closure}}]
"""


def reader_refuses(what: str, text: str) -> bool:
    """Give whether the reader of such a file says that a key is unknown, or no name of anything."""
    source = Source("t.yaml", text)
    if what == "calendar":
        document: Any = yaml.safe_load(text)
        try:
            Calendar.from_mapping(document)
        except ValueError as error:
            return "unknown key" in str(error)
        return False
    try:
        found = read_cases(source, Files()) if what == "cases" else parse(source, what)
        problems = getattr(found, "problems", ())
    except RulesetError as error:
        problems = error.problems
    return any(problem.code.startswith("unknown") or "`zzz`" in problem.message for problem in problems)


def with_key(value: Any, path: tuple[str | int, ...], key: str) -> str:
    """Give a document as JSON, which is YAML, with a key added at a place."""
    document: Any = yaml.safe_load(yaml.safe_dump(value))
    inner = document
    for step in path:
        inner = inner[step]
    inner[key] = "x"
    return str(yaml.safe_dump(document, allow_unicode=True))


EXAMPLES = {"ruleset": RULESET, "vocabulary": VOCABULARY, "calendar": CALENDAR, "cases": CASES}


def texts_only(value: Any) -> Any:
    """Give a document with dates as text, as our files have them."""
    if isinstance(value, dict):
        return {str(key): texts_only(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [texts_only(item) for item in value]
    return value if isinstance(value, bool | int) or value is None else str(value)


@pytest.mark.parametrize("what", EXAMPLES)
def test_the_examples_of_this_test_fit(what: str) -> None:
    assert wrong(what, EXAMPLES[what]) == []


PLACES = [(what, path) for what, text in EXAMPLES.items() for path in mappings(texts_only(yaml.safe_load(text)))]


@pytest.mark.parametrize(("what", "path"), PLACES, ids=[f"{what}{list(path)}" for what, path in PLACES])
def test_an_unknown_key_is_refused_by_schema_and_reader_alike(what: str, path: tuple[str | int, ...]) -> None:
    document = texts_only(yaml.safe_load(EXAMPLES[what]))
    text = with_key(document, path, "zzz")
    refused = any("zzz" in error or "fit" in error or "keys" in error for error in wrong(what, text))
    named = names_something(what, path)
    if not named:
        assert refused
        assert reader_refuses(what, text)


def names_something(what: str, path: tuple[str | int, ...]) -> bool:
    """Give whether the keys at a place are names that only `check` knows, or a kind beside `at`."""
    if what == "calendar":
        return path == ("title",)
    last = path[-1] if path else ""
    above = path[-2] if len(path) > 1 else ""
    if what == "cases":
        return last in ("cases", "set", "count", "sum", "status") or above == "facts" or "facts" in path
    declaring = last in ("enums", "facts", "parameters", "rules", "fields", "with", "let", "values", "steps")
    derived = above in ("then", "ladder", 4) or last == "then" or (last == 0 and "steps" in path)
    return declaring or (derived and last != "ladder") or "steps" in path


def properties(part: Any, root: Any) -> Iterator[dict[str, Any]]:
    """Give every closed object of a schema."""
    if isinstance(part, dict):
        if part.get("additionalProperties") is False and "properties" in part:
            yield part["properties"]
        for inner in part.values():
            yield from properties(inner, root)
    elif isinstance(part, list):
        for item in part:
            yield from properties(item, root)


@pytest.mark.parametrize("what", ["ruleset", "vocabulary", "cases"])
def test_a_reader_knows_the_keys_of_the_schema_and_no_others(what: str) -> None:
    """Where the readers refuse a key they list those that they know: one of the schema's lists."""
    listed: set[tuple[str, ...]] = set()
    document = texts_only(yaml.safe_load(EXAMPLES[what]))
    for path in mappings(document):
        text = with_key(document, path, "zzz")
        source = Source("t.yaml", text)
        try:
            problems = parse(source, what).problems if what != "cases" else []
            if what == "cases":
                read_cases(source, Files())
        except RulesetError as error:
            problems = list(error.problems)
        for problem in problems:
            if problem.code == "unknown-key" and problem.hint.startswith("known are "):
                listed.add(tuple(sorted(re.findall(r"`([^`]+)`", problem.hint))))
    assert listed
    assert listed == {tuple(sorted(keys)) for keys in properties(schema(what), schema(what))}


def test_the_calendar_reader_knows_the_keys_of_the_schema() -> None:
    document: Any = yaml.safe_load(CALENDAR)
    keys: Any = schema("calendar")["properties"]
    every = {"weekend_days": ["friday", "saturday"], "workdays": [], **document}
    assert set(every) == set(keys)
    Calendar.from_mapping(texts_only(every))


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("ruleset", "ruleset: a\nrules: {r: {when: a}}"),
        ("ruleset", "ruleset: a\nrules: {r: {when: a, then: b, void: c}}"),
        ("ruleset", "ruleset: a\nrules: {r: {when: a, then: {b: {}, c: {}}}}"),
        ("ruleset", "ruleset: a\nrules: {r: {when: a, ladder: {of: n, steps: {one: b}}}}"),
        ("ruleset", "ruleset: a\nparameters: {p: {value: 1, values: {2015-01-01: 2}}}"),
        ("ruleset", "ruleset: a\nfacts: {k: {effect: sometimes}}"),
        ("ruleset", "ruleset: a\nenums: {e: [a, a]}"),
        ("ruleset", "rules: {}"),
        ("vocabulary", "vocabulary: a\nrules: {}"),
        ("calendar", "calendar: a\nfirst: 2015-01-01\nlast: 2015-12-31\nweekend_days: [someday]"),
        ("cases", "ruleset: a\ncases: {}"),
        ("cases", "ruleset: a\ncases: {one: {facts: {}, expect: {}}}"),
        ("cases", "ruleset: a\ncases: {one: {facts: [], expect: {count: 3}}}"),
    ],
)
def test_wrong_shapes_are_refused(what: str, text: str) -> None:
    assert wrong(what, text) != []


def test_files_are_read_as_the_schema_reads_them() -> None:
    root, problems = read(read_file(RULESETS / "taobao-counterfeit.yaml", "x"))
    assert not problems
    assert isinstance(root, Mapping)


def test_there_is_no_schema_of_anything_else() -> None:
    with pytest.raises(ValueError, match="did you mean `ruleset`"):
        schema("rulesets")
