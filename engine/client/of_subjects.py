"""Requests about subjects: decisions, how they stand, and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..service import types
from .asking import Fact, Instant, get, instant, paged, part_of, path_of, post, query_of, whole
from .calls import Page, Request
from .keys import json_row


def decide(
    log: str,
    subject: str | None = None,
    *,
    facts: Iterable[Fact] | None = None,
    as_of: Instant | None = None,
    known: Instant | None = None,
    add: Iterable[Fact] = (),
    remove: Iterable[Fact] = (),
    set: Mapping[str, str | int | bool] | None = None,
) -> Request[types.Decision]:
    """Decide on a subject: its status, every conclusion, what is pending, as of an instant.

    Parameters
    ----------
    log : str
        The log.
    subject : str, optional
        The subject; may be left out where `facts` are given and name one only.
    facts : iterable of mapping, optional
        Facts to decide on in place of those of the log; they are not kept.
    as_of : str or datetime, optional
        The instant of the decision; else the log's clock.
    known : str or datetime, optional
        The instant of the knowledge of facts and rulesets; else all that the log has.
    add, remove : iterable of mapping
        What if: facts that came, and facts that went (all with these values).
    set : mapping, optional
        What if: parameters that were others.

    Returns
    -------
    Decision
        The decision, and with what to ask for it again.
    """
    what_if = {
        "add": [json_row(row) for row in add],
        "remove": [json_row(row) for row in remove],
        "set": dict(set or {}),
    }
    body = {
        "subject": subject,
        "facts": None if facts is None else [json_row(row) for row in facts],
        "as_of": instant(as_of),
        "known": instant(known),
        "what_if": {name: value for name, value in what_if.items() if value} or None,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    return post(whole(types.Decision), sent, "logs", log, "decide")


def status(
    log: str, subject: str, as_of: Instant | None = None, known: Instant | None = None
) -> Request[types.Standing]:
    """How a subject stands, with counts and sums of its conclusions and what is pending."""
    return get(whole(types.Standing), "logs", log, "subjects", subject, as_of=as_of, known=known)


def pending(
    log: str, subject: str, as_of: Instant | None = None, known: Instant | None = None
) -> Request[types.Pending]:
    """What is scheduled for a subject, by instant, and what follows if nothing is done."""
    return get(whole(types.Pending), "logs", log, "subjects", subject, "pending", as_of=as_of, known=known)


def journal(
    log: str,
    subject: str,
    as_of: Instant | None = None,
    known: Instant | None = None,
    *,
    after: Instant | None = None,
) -> Request[Page[types.JournalLine]]:
    """The journal of a subject, line after line, oldest first, `after` an instant (semantics 8)."""
    path = path_of("logs", log, "subjects", subject, "journal")
    query = query_of(after=after, as_of=as_of, known=known)
    return paged(path, query, part_of(types.Journal, lambda found: found.journal))


def why(
    log: str,
    subject: str,
    fact: str | None = None,
    *,
    as_of: Instant | None = None,
    known: Instant | None = None,
    lang: str | None = None,
) -> Request[types.Explanation]:
    """The tree of reasons of a conclusion.

    Parameters
    ----------
    log, subject : str
        The log and the subject.
    fact : str, optional
        `KIND` or `KIND@AT`; else what gives the subject its status.
    as_of, known : str or datetime, optional
        As for `decide`.
    lang : str, optional
        The language of the text, `zh` or `en`.
    """
    answer = whole(types.Explanation)
    return get(answer, "logs", log, "subjects", subject, "why", fact=fact, as_of=as_of, known=known, lang=lang)


def why_not(
    log: str,
    subject: str,
    kind: str,
    at: Instant | None = None,
    *,
    as_of: Instant | None = None,
    known: Instant | None = None,
    lang: str | None = None,
) -> Request[types.Explanation]:
    """What is missing for a conclusion of a kind, at an instant or at all."""
    answer = whole(types.Explanation)
    return get(
        answer, "logs", log, "subjects", subject, "why-not", kind=kind, at=at, as_of=as_of, known=known, lang=lang
    )


def remedies(
    log: str,
    subject: str,
    status: str | None = None,
    *,
    undo: str | None = None,
    by: Instant | None = None,
    most: int | None = None,
    as_of: Instant | None = None,
    known: Instant | None = None,
    lang: str | None = None,
) -> Request[types.Remedies]:
    """What would give a subject a status, and what would bring it the next sanction.

    Parameters
    ----------
    log, subject : str
        The log and the subject.
    status : str, optional
        The status wanted; else good standing.
    undo : str, optional
        In its place, the conclusions to undo: `KIND` or `KIND@AT`.
    by : str or datetime, optional
        When it must be reached.
    most : int, optional
        How many facts to add at most.
    as_of, known : str or datetime, optional
        As for `decide`.
    lang : str, optional
        The language of the text, `zh` or `en`.
    """
    query = query_of(status=status, undo=undo, by=by, most=most, as_of=as_of, known=known, lang=lang)
    path = path_of("logs", log, "subjects", subject, "remedies")
    return Request("GET", path, whole(types.Remedies), query)


def subjects(
    log: str,
    after: str | None = None,
    limit: int | None = None,
    *,
    as_of: Instant | None = None,
    known: Instant | None = None,
) -> Request[Page[str]]:
    """The subjects of a log, by code point, so many asked for at once."""
    return paged(
        path_of("logs", log, "subjects"),
        query_of(after=after, limit=limit, as_of=as_of, known=known),
        part_of(types.Subjects, lambda found: found.subjects),
    )


def events(log: str, subject: str | None = None) -> Request[None]:
    """The stream of new entries of the journal, of a subject or of all."""
    return get(lambda reply: None, "logs", log, "events", subject=subject)
