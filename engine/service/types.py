"""What goes over the wire: the body of every request and answer of the service, as msgspec types.

The OpenAPI document is made of these types and of the route table, and clients decode answers with them. Times are
ISO 8601 texts with the offset of the ruleset's time zone, durations ISO 8601 seconds, facts as the command line writes
them. An answer may gain members; whoever reads one passes over those that it does not know.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Scalar = str | int | float | bool | None
"""What a cell of a fact may be; whether it fits its field is checked by the ruleset (no field takes a fraction)."""

Row = Annotated[dict[str, Scalar], Meta(description="A fact: `kind`, `at`, the subject's field, the kind's fields")]
Record = dict[str, str | int | bool]
Json = dict[str, Any]

Instant = Annotated[str, Meta(description="ISO 8601; without an offset local to the ruleset; a date is its 00:00")]
Key = Annotated[str, Meta(min_length=1, max_length=200, description="The idempotency key of one fact")]
Text = Annotated[str, Meta(description="The text of a ruleset, in YAML")]
Language = Annotated[str, Meta(pattern="^(en|zh)$")]


class Input(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a client sends: members that nobody knows are refused, so that a misspelt one is not passed over."""


class Output(Struct, kw_only=True):
    """What the service sends."""


# Facts.


class NewFact(Input, kw_only=True):
    """A fact to append, under the key by which it is taken once only.

    `fact` has no `known_at`: the log sets it. `key` may be missing where the header `Idempotency-Key` gives it.
    """

    fact: Row
    key: Key | None = None


class Receipt(Output, kw_only=True):
    """That a fact is in the log: its position and hash there, since when it is known, and whether it was before."""

    key: str
    position: int
    known_at: str
    hash: str
    duplicate: bool


class Receipts(Output, kw_only=True):
    """What became of the facts appended, in the order in which they were sent."""

    receipts: list[Receipt]


class LoggedFact(Output, kw_only=True):
    """A line of the log as exported: all that its hash is made of, `known_at` in microseconds since 1970 UTC.

    `kind` is `fact` or `activation`; `content` is a fact's row without its `known_at`.
    """

    position: int
    known_at: int
    kind: str
    key: str
    subject: str
    content: Json
    previous: str
    hash: str


# Logs and rulesets.


class RulesetRef(Output, kw_only=True):
    """Which ruleset: its name and version, and the hash of its text and of all texts that it is made of."""

    name: str
    version: str
    hash: str


class LogInfo(Output, kw_only=True):
    """A log: its name, its last position with its hash and instant, and the ruleset in force at its clock."""

    name: str
    position: int
    hash: str
    known_at: str | None = None
    ruleset: RulesetRef | None = None


class Logs(Output, kw_only=True):
    """The logs of the database."""

    logs: list[str]


class Activation(Output, kw_only=True):
    """That a ruleset is in force from an instant on, since when this is known, and its position in the log."""

    ruleset: RulesetRef
    from_: str = msgspec.field(name="from")
    known_at: str
    position: int


class Activations(Output, kw_only=True):
    """The activations of a log, in the order in which they became known."""

    activations: list[Activation]


class NewActivation(Input, kw_only=True):
    """A ruleset to be in force from an instant on: its name, or its text; parameters may be overridden.

    Without `from` it is in force from the moment at which it becomes known.
    """

    ruleset: str | None = None
    text: Text | None = None
    from_: Instant | None = msgspec.field(name="from", default=None)
    set: dict[str, str | int | bool] = {}


class Place(Output, kw_only=True):
    """A problem of a ruleset where it stands; lines and columns count from 1."""

    code: str
    message: str
    severity: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    hint: str = ""


class RulesetInfo(Output, kw_only=True):
    """A ruleset that can be activated by its name; `problems` counts the errors of one that cannot be used."""

    name: str
    title: str
    version: str
    hash: str
    problems: int = 0


class Rulesets(Output, kw_only=True):
    """The rulesets of the service: those of its folder, and those that ship."""

    rulesets: list[RulesetInfo]


class RulesetDocument(Output, kw_only=True):
    """A ruleset: its text, as a readable document in Markdown, and what `check` warns of."""

    name: str
    title: str
    version: str
    hash: str
    subject: str
    timezone: str
    text: str
    document: str
    warnings: list[Place]


class CheckBody(Input, kw_only=True):
    """The text of a ruleset to check; names in it are found among the service's rulesets."""

    text: Text
    name: Annotated[str, Meta(min_length=1, max_length=200)] = "ruleset.yaml"


class Checked(Output, kw_only=True):
    """Whether a ruleset can be used, and all its problems, sorted by place."""

    ok: bool
    problems: list[Place]


class DiffBody(Input, kw_only=True):
    """Two rulesets to compare: each by its name, by the hash of a version that a log has, or as text."""

    before: str
    after: str
    lang: Language = "en"


class Diff(Output, kw_only=True):
    """What changed between two rulesets, as `strikeout diff` says it: as data, and in words."""

    difference: Json
    text: str


# Decisions.


class WhatIf(Input, kw_only=True):
    """What to suppose: facts added, facts removed (all with these values), parameters set."""

    add: list[Row] = []
    remove: list[Row] = []
    set: dict[str, str | int | bool] = {}


class DecideBody(Input, kw_only=True):
    """What to decide: a subject of the log, or facts given here, which are not kept.

    `as_of` is the instant of the decision; without it, the log's clock, which never goes backwards. `known` is the
    instant of the knowledge of facts and rulesets; without it, all that the log has.
    """

    subject: str | None = None
    facts: list[Row] | None = None
    as_of: Instant | None = None
    known: Instant | None = None
    what_if: WhatIf | None = None


class Counts(Output, kw_only=True):
    """What became of the facts: given = used + duplicates + voided + later + unknown.

    Facts of the log that became known after the decision's instant, or after `known`, are not among those given.
    `later` are those that happen after it, and of inline facts those that become known after it; `unknown` those that
    the ruleset in force does not know: facts of kinds that a later version brought.
    """

    given: int
    used: int
    duplicates: int
    voided: int
    later: int
    unknown: int = 0


class About(Output, kw_only=True):
    """What an answer is about: enough to ask for it again, to the byte.

    `position` is the last one of the log that the answer has read.
    """

    subject: str
    as_of: str
    known: str
    position: int
    ruleset: RulesetRef


class Decision(About, kw_only=True):
    """A decision: the status and since when, every conclusion, what is pending, and what became of the facts.

    Each of `facts` has the bytes that `strikeout run --format jsonl` prints. `what_if` is what would be otherwise.
    """

    status: str
    since: str | None = None
    facts: list[Record]
    pending: list[Record]
    counts: Counts
    what_if: Json | UnsetType = UNSET


class Standing(About, kw_only=True):
    """How a subject stands: its status, counts of conclusions by kind, sums of their integers, what is pending."""

    status: str
    since: str | None = None
    counts: dict[str, int]
    sums: dict[str, int]
    pending: list[Record]


class Pending(About, kw_only=True):
    """What is scheduled for a subject, by instant, with what follows if nothing is done."""

    pending: list[Json]


class JournalLine(Output, kw_only=True):
    """A change of a subject's conclusions: when it became known, `+` or `-`, and the conclusion."""

    at: str
    sign: str
    fact: Record


class Journal(About, kw_only=True):
    """The journal of a subject, oldest first; the link `next` leads on, always at the end of an instant."""

    journal: list[JournalLine]


class Event(Output, kw_only=True):
    """What an event of the stream holds: a change of a subject's conclusions."""

    subject: str
    at: str
    sign: str
    fact: Record
    ruleset: RulesetRef


class Explanation(About, kw_only=True):
    """Why a subject has its status or a fact was concluded, or why a kind was not: as data, and in words."""

    explanation: Json
    text: str


class Remedies(About, kw_only=True):
    """What would give a subject a status, and what would bring it the next sanction: as data, and in words."""

    remedies: Json
    text: str


class Subjects(Output, kw_only=True):
    """Subjects of a log, by code point; the link `next` leads on."""

    subjects: list[str]


# Health and problems.


class Health(Output, kw_only=True):
    """Whether the service lives, and its version."""

    status: str
    version: str


class Readiness(Output, kw_only=True):
    """Whether the service can answer: the database is reached and there is room in the queues."""

    status: str
    checks: dict[str, str]


class Fault(Output, kw_only=True, omit_defaults=True):
    """One of several things that are wrong: at which fact (from 0) or place of the body, or where in a ruleset."""

    detail: str
    index: int | None = None
    pointer: str | None = None
    code: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None


class Problem(Output, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457). `code` is stable; `type` is it as a URI; `detail` is for a person."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Fault] = []
    request: str = ""
