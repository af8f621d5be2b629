"""The route table: a row for each route, of which requests are answered and the OpenAPI document is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import of_health, of_logs, of_rulesets, of_subjects, types
from .routes import EVENTS, JSON, LINES, TEXT, Query, Route

_INSTANT: Mapping[str, Any] = {"type": "string", "examples": ["2015-01-05", "2015-01-05T09:30:00+08:00"]}
_LANGUAGE = {"type": "string", "enum": ["en", "zh"], "default": "en"}

AS_OF = Query("as_of", "The instant of the answer; without it, the log's clock, which never goes backwards.", _INSTANT)
KNOWN = Query(
    "known", "The instant of the knowledge of facts and rulesets; without it, all that the log has.", _INSTANT
)
LANG = Query("lang", "The language of the text.", _LANGUAGE)
INSTANTS = (AS_OF, KNOWN)

IDEMPOTENCY = Query("Idempotency-Key", "The key, where the body holds one thing.", {"type": "string", "maxLength": 200})
MATCH = Query("If-None-Match", "A tag from before: answered by 304 where it still holds.")
LAST_EVENT = Query("Last-Event-ID", "The id of the last event that was seen: the stream goes on behind it.")


def after(what: str, schema: Mapping[str, Any] | None = None) -> Query:
    """The parameter that begins a page behind something."""
    return Query("after", f"Only {what} behind this one.", schema or {"type": "string"})


def limit(most: int) -> Query:
    """The parameter that says how long a page is."""
    return Query("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": most})


READ_REFUSALS = ("no-such-log", "not-in-force", "rejected", "run")

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/logs/{log}/decide",
        "read",
        of_subjects.decide,
        "decide",
        "Decide",
        "What a subject's facts come to: its status, every conclusion, what is pending. The facts are those of the log,"
        " or given in the body; with `what_if`, also what would be otherwise.",
        types.Decision,
        types.DecideBody,
        refusals=(*READ_REFUSALS, "facts", "ruleset"),
        quick=of_subjects.decide_quickly,
    ),
    Route(
        "POST",
        "/v1/logs/{log}/facts",
        "append",
        of_logs.append,
        "write",
        "Append facts",
        "One fact, a JSON array, or JSON Lines; all are taken or none, and durable when this is answered. A key that"
        " the log has already, with the same content, is acknowledged again; with other content the batch is refused.",
        types.Receipts,
        types.NewFact | list[types.NewFact],
        (JSON, LINES),
        headers=(IDEMPOTENCY,),
        status=201,
        refusals=("no-such-log", "not-in-force", "conflict", "facts", "full"),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/facts",
        "read",
        of_logs.export,
        "slow",
        "Export",
        "The records of the log in their order, as JSON Lines: `records` with all that their hashes are made of, `rows`"
        " as facts that `strikeout run` reads.",
        LINES,
        query=(
            after("records", {"type": "integer", "minimum": 0}),
            limit(10_000),
            Query("format", "What a line is.", {"type": "string", "enum": ["records", "rows"], "default": "records"}),
        ),
        headers=(MATCH,),
        refusals=("no-such-log", "not-in-force"),
    ),
    Route("GET", "/v1/logs", "read", of_logs.list_logs, "slow", "List logs", "The logs of the database.", types.Logs),
    Route(
        "POST",
        "/v1/logs/{log}",
        "author",
        of_logs.create_log,
        "write",
        "Make a log",
        "A log of that name: small letters, digits and hyphens, 64 at most.",
        types.LogInfo,
        status=201,
        refusals=("exists",),
    ),
    Route(
        "GET",
        "/v1/logs/{log}",
        "read",
        of_logs.show_log,
        "slow",
        "Show a log",
        "Its last position and hash, and the ruleset in force.",
        types.LogInfo,
        headers=(MATCH,),
        refusals=("no-such-log",),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/subjects",
        "read",
        of_logs.subjects,
        "slow",
        "List subjects",
        "The subjects of which the log has facts, by code point.",
        types.Subjects,
        query=(after("subjects"), limit(1_000), *INSTANTS),
        headers=(MATCH,),
        refusals=("no-such-log", "not-in-force"),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/subjects/{subject}",
        "read",
        of_subjects.status,
        "decide",
        "Status",
        "How a subject stands. One of which there are no facts is in good standing.",
        types.Standing,
        query=INSTANTS,
        headers=(MATCH,),
        refusals=READ_REFUSALS,
    ),
    Route(
        "GET",
        "/v1/logs/{log}/subjects/{subject}/pending",
        "read",
        of_subjects.pending,
        "slow",
        "Pending",
        "What is scheduled, by instant, and what follows if nothing is done.",
        types.Pending,
        query=INSTANTS,
        headers=(MATCH,),
        refusals=READ_REFUSALS,
    ),
    Route(
        "GET",
        "/v1/logs/{log}/subjects/{subject}/journal",
        "read",
        of_subjects.journal,
        "slow",
        "Journal",
        "How the subject's conclusions came and went, by the instant at which each became known.",
        types.Journal,
        query=(after("entries", _INSTANT), limit(1_000), *INSTANTS),
        headers=(MATCH,),
        refusals=("no-such-log", "not-in-force"),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/subjects/{subject}/why",
        "read",
        of_subjects.why,
        "slow",
        "Why",
        "Why the subject has its status, or why a fact was concluded: rules, conditions with their values, facts"
        " counted and left out, down to what was given.",
        types.Explanation,
        query=(Query("fact", "`KIND` or `KIND@AT`; without it, what the status rests on."), LANG, *INSTANTS),
        headers=(MATCH,),
        refusals=(*READ_REFUSALS, "no-such-subject", "no-such-fact"),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/subjects/{subject}/why-not",
        "read",
        of_subjects.why_not,
        "slow",
        "Why not",
        "Why a kind was not derived: how far each rule got, and what was missing.",
        types.Explanation,
        query=(
            Query("kind", "The kind.", required=True),
            Query("at", "A time, or a date for that local day.", _INSTANT),
            LANG,
            *INSTANTS,
        ),
        headers=(MATCH,),
        refusals=(*READ_REFUSALS, "no-such-subject"),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/subjects/{subject}/remedies",
        "read",
        of_subjects.remedies_of,
        "slow",
        "Remedies",
        "The smallest sets of facts that would give the subject a status or undo a conclusion, and what would bring the"
        " next sanction.",
        types.Remedies,
        query=(
            Query("status", "The status wanted.", {"type": "string", "default": "good-standing"}),
            Query("undo", "Instead of a status, the conclusions to undo: `KIND` or `KIND@AT`."),
            Query("by", "When it must be reached.", _INSTANT),
            Query("most", "How many facts to add at most.", {"type": "integer", "minimum": 1, "maximum": 5}),
            LANG,
            *INSTANTS,
        ),
        headers=(MATCH,),
        refusals=(*READ_REFUSALS, "no-such-subject"),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/events",
        "read",
        of_health.nothing,
        "slow",
        "Events",
        "New entries of the journal as server-sent events `journal`, of one subject or of all; `data` is an `Event`,"
        " and `id` resumes behind it.",
        EVENTS,
        query=(Query("subject", "Only of this subject."),),
        headers=(LAST_EVENT,),
        refusals=("no-such-log", "clock"),
        streams=True,
    ),
    Route(
        "POST",
        "/v1/logs/{log}/activations",
        "author",
        of_logs.activate,
        "write",
        "Activate a ruleset",
        "Puts a ruleset in force from an instant on. It must take every fact that those before it take.",
        types.Activation,
        types.NewActivation,
        headers=(IDEMPOTENCY,),
        status=201,
        refusals=("no-such-log", "no-such-ruleset", "ruleset", "incompatible", "conflict", "full"),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/activations",
        "read",
        of_logs.activations,
        "slow",
        "List activations",
        "The rulesets in force and from when on, in the order in which they became known.",
        types.Activations,
        headers=(MATCH,),
        refusals=("no-such-log",),
    ),
    Route(
        "GET",
        "/v1/logs/{log}/bundle",
        "append",
        of_logs.show_bundle,
        "slow",
        "Show the ruleset that takes facts",
        "The newest ruleset of the log with every text that it is made of: with it a client checks facts before it"
        " sends them, as `strikeout push` does. Its SHA-256 sum is the ruleset's hash.",
        JSON,
        headers=(MATCH,),
        refusals=("no-such-log", "not-in-force"),
    ),
    Route(
        "GET",
        "/v1/rulesets",
        "read",
        of_rulesets.list_rulesets,
        "slow",
        "List rulesets",
        "The rulesets that can be activated by name.",
        types.Rulesets,
        headers=(MATCH,),
    ),
    Route(
        "GET",
        "/v1/rulesets/{name}",
        "read",
        of_rulesets.show_ruleset,
        "slow",
        "Show a ruleset",
        "A ruleset by its name, or the version of a log by its hash: its text, and as a readable document.",
        types.RulesetDocument,
        query=(LANG,),
        headers=(MATCH,),
        refusals=("no-such-ruleset", "ruleset"),
    ),
    Route(
        "POST",
        "/v1/rulesets/check",
        "author",
        of_rulesets.check_ruleset,
        "slow",
        "Check a ruleset",
        "Every problem of a text, each with its position and what was probably meant.",
        types.Checked,
        types.CheckBody,
    ),
    Route(
        "POST",
        "/v1/rulesets/diff",
        "read",
        of_rulesets.diff_rulesets,
        "slow",
        "Compare rulesets",
        "What changed from one ruleset to another, in the words of policy.",
        types.Diff,
        types.DiffBody,
        refusals=("no-such-ruleset", "ruleset"),
    ),
    Route(
        "GET",
        "/v1/openapi.json",
        "",
        of_health.openapi,
        "",
        "This document",
        "The OpenAPI document of the service.",
        "application/json",
        headers=(MATCH,),
    ),
    Route("GET", "/healthz", "", of_health.health, "", "Health", "Whether the service lives.", types.Health),
    Route(
        "GET",
        "/readyz",
        "",
        of_health.ready,
        "slow",
        "Readiness",
        "Whether the service can answer: it reaches the database, has room, and is not about to stop.",
        types.Readiness,
    ),
    Route("GET", "/metrics", "", of_health.metrics, "", "Metrics", "Counts and durations for Prometheus.", TEXT),
)
