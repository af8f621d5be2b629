"""What the service says of what went wrong: one refusal, with a stable code, as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ..ground.problems import FactError, Problem, RulesetError, StrikeoutError, shorten
from ..why.questions import NotThere
from . import types

CODES: dict[str, tuple[int, str]] = {
    "bad-request": (400, "the request cannot be read"),
    "bad-body": (400, "the body cannot be read"),
    "no-key": (401, "a key is needed"),
    "bad-key": (401, "the key is not known, or was revoked"),
    "scope": (403, "the key does not cover this"),
    "not-found": (404, "there is nothing here"),
    "no-such-log": (404, "there is no such log"),
    "no-such-ruleset": (404, "there is no such ruleset"),
    "no-such-subject": (404, "no fact names the subject"),
    "no-such-fact": (404, "the fact asked about does not stand"),
    "method": (405, "the method is not known here"),
    "too-slow": (408, "the body came too slowly"),
    "conflict": (409, "the key was used for another fact"),
    "exists": (409, "it is there already"),
    "not-in-force": (409, "no ruleset is in force"),
    "clock": (409, "the instant lies ahead of the clock of the log"),
    "too-large": (413, "the body is too large"),
    "media-type": (415, "the body is of another type"),
    "facts": (422, "facts cannot be used"),
    "invalid": (422, "the body does not fit"),
    "ruleset": (422, "the ruleset cannot be used"),
    "incompatible": (422, "the ruleset would refuse facts of the log"),
    "run": (422, "the question cannot be answered"),
    "rejected": (422, "the run of the subject was rejected"),
    "rate": (429, "the key is used too often"),
    "overloaded": (503, "there is too much to do"),
    "too-long": (503, "the answer takes too long"),
    "stopping": (503, "the service is about to stop"),
    "database": (503, "the database cannot be used"),
    "full": (507, "the database can take no more"),
    "unexpected": (500, "something went wrong here"),
}
"""Every code, with its HTTP status and title."""

TYPE = "urn:strikeout:problem:"
MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 100


class Refusal(Exception):
    """That a request is not done: why, by a code of `CODES`.

    Parameters
    ----------
    code : str
        A key of `CODES`.
    detail : str
        One sentence for a person, lower case, without a full stop.
    errors : sequence of Fault
        What is wrong, one by one.
    headers : mapping
        Headers of the answer, such as `Retry-After`.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        errors: Sequence[types.Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status, self.title = CODES[code]
        self.detail = detail or self.title
        self.errors = list(errors[:MOST_ERRORS])
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    def body(self, request: str) -> bytes:
        """The problem details, with the id of the request."""
        found = types.Problem(
            type=TYPE + self.code,
            title=self.title,
            status=self.status,
            detail=safe(self.detail),
            code=self.code,
            errors=self.errors,
            request=request,
        )
        return msgspec.json.encode(found)


def safe(text: str) -> str:
    """A text that UTF-8 can hold: halves of surrogate pairs are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def place(problem: Problem) -> types.Place:
    """A problem of a ruleset as the wire has it."""
    span = problem.span
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return types.Place(
        code=problem.code,
        message=safe(problem.message),
        severity="warning" if problem.warning else "error",
        file=safe(shorten(span.source.name, 300)),
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        hint=safe(problem.hint),
    )


def faults(problems: Iterable[Problem]) -> list[types.Fault]:
    """Problems of a ruleset as the errors of a problem, warnings left out."""
    found = []
    for problem in problems:
        if not problem.warning:
            at = place(problem)
            hint = at.hint or None
            found.append(
                types.Fault(detail=at.message, code=at.code, file=at.file, line=at.line, column=at.column, hint=hint)
            )
    return found


def refusal_of(error: StrikeoutError) -> Refusal:
    """What an error of the library means to a client."""
    if isinstance(error, RulesetError):
        found = faults(error.problems)
        number = f"{len(found)} problems" if len(found) != 1 else "1 problem"
        return Refusal("ruleset", f"the ruleset has {number}", found)
    if isinstance(error, NotThere):
        return Refusal("no-such-fact", str(error))
    if isinstance(error, FactError):
        return Refusal("facts", str(error))
    return Refusal("run", str(error))
