"""JSON Schemas (draft 2020-12) of rulesets, vocabularies, calendars and case files, for editors.

They are made from the key tables of the readers, and say what an editor can know: keys, shapes and fixed words. What
only `check` knows (names, types, circles) they leave to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..ground.problems import nearest
from .case_facts import BESIDE
from .case_files import CASE_FILE_KEYS, CASE_KEYS, EXPECT_KEYS
from .parse import KIND_KEYS, MOST_STEPS, PARAMETER_KEYS, RULE_KEYS, RULESET_KEYS, VOCABULARY_KEYS

Schema = dict[str, object]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

FIELD_KEYS = ("type", "title")
BRANCH_KEYS = ("if", "value")
LADDER_KEYS = ("of", "steps")
LANGUAGE_KEYS = ("zh", "en")
CALENDAR_KEYS = ("calendar", "title", "first", "last", "weekend_days", "holidays", "workdays")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

SCALAR: Schema = {"type": ["string", "integer", "number", "boolean"]}
EXPRESSION: Schema = {"type": ["string", "integer", "boolean"]}
TEXT: Schema = {"type": "string"}
TITLES: Schema = {"$ref": "#/$defs/titles"}


def closed(keys: Iterable[str], meanings: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    """An object with these keys and no others; every key has its meaning."""
    found: Schema = {
        "type": "object",
        "properties": {key: meanings[key] for key in keys},
        "additionalProperties": False,
    }
    if required:
        found["required"] = list(required)
    return found


def mapping(value: Schema, **more: object) -> Schema:
    """An object whose keys are names."""
    return {"type": ["object", "null"], "additionalProperties": value, **more}


def one_or_many(value: Schema) -> Schema:
    """A value, or a list of such."""
    return {"anyOf": [value, {"type": "array", "items": value}]}


def described(value: Schema, text: str) -> Schema:
    """A schema with the text that an editor shows."""
    return {**value, "description": text}


_WORDS: dict[str, Schema] = {
    "title": described(TITLES, "A title, in Chinese and English"),
    "note": described(TITLES, "What a reader should know, in Chinese and English"),
    "cite": described(one_or_many(SCALAR), "The clauses that this follows"),
    "version": described(SCALAR, "The version, such as the day from which the policy is in force"),
}

_KIND = closed(
    KIND_KEYS,
    {
        **_WORDS,
        "input": {"type": "boolean", "description": "Whether it may be given from outside; else it is only derived"},
        "effect": {"enum": ["interval", "lasting"], "description": "How it counts for the status of the account"},
        "severity": {"type": "integer", "description": "Its rank: the status is the highest that is active"},
        "ends": described(TEXT, "The kind that it ends, `KIND by FIELDS`"),
        "fields": described(
            mapping({"anyOf": [TEXT, closed(FIELD_KEYS, {"type": TEXT, "title": TITLES}, ["type"])]}),
            "Its fields with their types: `id`, `optional integer`, `level = information`",
        ),
    },
)

_DECLARED: dict[str, Schema] = {
    **_WORDS,
    "enums": described(
        mapping({"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}), "Words that a field may have"
    ),
    "facts": described(mapping({"$ref": "#/$defs/kind"}), "Kinds of fact"),
}

_RULE: Schema = {
    **closed(
        RULE_KEYS,
        {
            **_WORDS,
            "when": described(TEXT, "The kind of fact that triggers the rule; `a or b` for several"),
            "with": described(mapping(TEXT), "The newest fact of a kind with equal fields, under an alias"),
            "let": described(
                mapping(
                    {
                        "anyOf": [
                            EXPRESSION,
                            {
                                "type": "array",
                                "items": closed(BRANCH_KEYS, {"if": EXPRESSION, "value": EXPRESSION}, ["value"]),
                            },
                        ]
                    }
                ),
                "Named values: an expression, or branches of which the first that holds counts",
            ),
            "if": described(EXPRESSION, "The condition"),
            "then": described({"$ref": "#/$defs/then"}, "What is derived"),
            "ladder": described(
                closed(
                    LADDER_KEYS,
                    {
                        "of": described(EXPRESSION, "An integer"),
                        "steps": {
                            "type": "object",
                            "patternProperties": {"^-?[0-9]+$": {"$ref": "#/$defs/then"}},
                            "additionalProperties": False,
                            "minProperties": 1,
                            "maxProperties": MOST_STEPS,
                            "description": "Ascending thresholds, with what follows when one is newly reached",
                        },
                    },
                    LADDER_KEYS,
                ),
                "Instead of `then`: a table from threshold to what follows",
            ),
            "void": described(one_or_many(TEXT), "Instead of `then`: `KIND by FIELDS`, which no longer hold"),
            "from": described(SCALAR, "The first instant for which the rule holds"),
            "until": described(SCALAR, "The instant from which on it holds no longer"),
        },
        ["when"],
    ),
    "oneOf": [{"required": ["then"]}, {"required": ["ladder"]}, {"required": ["void"]}],
}

_DERIVATION: Schema = {
    "anyOf": [TEXT, mapping(mapping(EXPRESSION), type="object", minProperties=1, maxProperties=1)],
}

_PARAMETER: Schema = {
    "anyOf": [
        SCALAR,
        {
            **closed(
                PARAMETER_KEYS,
                {
                    **_WORDS,
                    "value": described(SCALAR, "A literal"),
                    "values": mapping(
                        SCALAR, type="object", minProperties=1, description="Literals, each in force from a date on"
                    ),
                },
            ),
            "oneOf": [{"required": ["value"]}, {"required": ["values"]}],
        },
    ]
}

_RULESET = closed(
    RULESET_KEYS,
    {
        **_DECLARED,
        "ruleset": described(TEXT, "The name of the ruleset"),
        "vocabulary": described(TEXT, "The vocabulary that declares the kinds of fact"),
        "subject": described(TEXT, "The field that names whom the rules judge"),
        "timezone": described(TEXT, "The time zone of local times, such as `Asia/Shanghai`"),
        "calendar": described(TEXT, "The calendar of working days"),
        "terminal": described(TEXT, "The kind after which no rule fires for the subject"),
        "extends": described(TEXT, "The ruleset of which this one is a variant"),
        "include": described(one_or_many(TEXT), "Rulesets that are part of this one"),
        "parameters": described(mapping(_PARAMETER), "Named values that a variant or a run may override"),
        "rules": described(
            mapping({"anyOf": [{"$ref": "#/$defs/rule"}, {"type": "null"}]}),
            "The rules; `null` removes one of the extended ruleset",
        ),
    },
    ["ruleset"],
)

_VOCABULARY = closed(
    VOCABULARY_KEYS, {**_DECLARED, "vocabulary": described(TEXT, "The name of the vocabulary")}, ["vocabulary"]
)

_DAYS: Schema = {"type": ["array", "null"], "items": TEXT}

_CALENDAR = closed(
    CALENDAR_KEYS,
    {
        "title": described(mapping(TEXT), "A title by language"),
        "calendar": described(TEXT, "The name of the calendar"),
        "first": described(TEXT, "The first day that it knows"),
        "last": described(TEXT, "The last day that it knows"),
        "weekend_days": {
            "type": ["array", "null"],
            "items": {"enum": list(WEEKDAYS)},
            "description": "Days not worked",
        },
        "holidays": described(_DAYS, "Days off: dates, and ranges `2015-02-18..2015-02-24`"),
        "workdays": described(_DAYS, "Weekend days that are worked"),
    },
    ["calendar", "first", "last"],
)

_BESIDE: dict[str, Schema] = {
    "at": described(SCALAR, "When it happened, local to the ruleset unless it has an offset"),
    "known_at": described(SCALAR, "When it became known, where that was later"),
    "seq": {"type": "integer", "description": "Its place among facts of one instant"},
}

_GIVEN: Schema = {
    "type": "object",
    "properties": {key: _BESIDE[key] for key in BESIDE},
    "additionalProperties": {"type": ["object", "null", "string", "integer"]},
    "minProperties": 1,
    "description": "The kind with its fields; `at`, `known_at`, `seq` and the subject's field stand beside it",
}

_EXPECTED: Schema = {
    "anyOf": [
        TEXT,
        {
            "type": "object",
            "properties": {"at": _BESIDE["at"]},
            "additionalProperties": {"type": ["object", "null", "string", "integer"]},
            "minProperties": 1,
        },
    ]
}

_NUMBERS = mapping({"type": ["integer", "string"]})

_EXPECT = closed(
    EXPECT_KEYS,
    {
        "as_of": described(SCALAR, "The instant of the run; without it, the latest of the facts"),
        "facts": described({"type": "array", "items": _EXPECTED}, "Each must have been derived, by a fact of its own"),
        "absent": described({"type": "array", "items": _EXPECTED}, "None of these may have been derived"),
        "count": described(_NUMBERS, "How many facts of a kind are derived, over all subjects"),
        "sum": described(_NUMBERS, "The sum of `KIND.FIELD` over all subjects"),
        "status": {
            "anyOf": [TEXT, mapping(TEXT)],
            "description": "The status of the case's subject, or of each by name",
        },
        "only": described({"type": "array", "items": TEXT}, "Of these kinds nothing but what `facts` lists"),
    },
)

_CASE = closed(
    CASE_KEYS,
    {
        **_WORDS,
        "subject": described(SCALAR, "The subject of facts that name none"),
        "facts": {"type": ["array", "null"], "items": {"$ref": "#/$defs/given"}, "description": "The facts given"},
        "set": described(mapping(SCALAR), "Parameters for this case"),
        "expect": described(one_or_many({"$ref": "#/$defs/expect"}), "What must hold; a list for several instants"),
    },
    ["facts", "expect"],
)

_CASES = closed(
    CASE_FILE_KEYS,
    {
        **_WORDS,
        "ruleset": described(TEXT, "The ruleset, found beside the case file, else the shipped one"),
        "cases": mapping({"$ref": "#/$defs/case"}, type="object", minProperties=1, description="Cases by name"),
    },
    ["ruleset", "cases"],
)

_DEFINITIONS: dict[str, Schema] = {
    "titles": {"anyOf": [TEXT, closed(LANGUAGE_KEYS, dict.fromkeys(LANGUAGE_KEYS, TEXT)), {"type": "null"}]},
    "kind": _KIND,
    "rule": _RULE,
    "then": one_or_many(_DERIVATION),
    "given": _GIVEN,
    "expect": _EXPECT,
    "case": _CASE,
}

SCHEMAS: dict[str, tuple[Schema, tuple[str, ...]]] = {
    "ruleset": (_RULESET, ("titles", "kind", "rule", "then")),
    "vocabulary": (_VOCABULARY, ("titles", "kind")),
    "calendar": (_CALENDAR, ()),
    "cases": (_CASES, ("titles", "given", "expect", "case")),
}
"""For each kind of file its schema and the definitions that it uses."""


def schema(what: str) -> Schema:
    """The JSON Schema of a kind of file.

    Parameters
    ----------
    what : str
        `ruleset`, `vocabulary`, `calendar` or `cases`.

    Returns
    -------
    dict
        The schema, as JSON has it.

    Raises
    ------
    ValueError
        Where there is no such kind of file.

    Examples
    --------
    >>> schema("vocabulary")["required"]
    ['vocabulary']
    """
    if what not in SCHEMAS:
        hint = nearest(what, SCHEMAS)
        raise ValueError(f"no schema of `{what}`" + (f"; {hint}" if hint else ""))
    body, names = SCHEMAS[what]
    title = {"cases": "Cases of a strikeout ruleset"}.get(what, f"A {what} of strikeout")
    return {"$schema": DRAFT, "title": title, **body, "$defs": {name: _DEFINITIONS[name] for name in names}}
