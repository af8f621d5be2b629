"""What a service refuses, as exceptions that carry its problem details (RFC 9457)."""

from __future__ import annotations

import msgspec

from ..ground.problems import StrikeoutError, shorten
from ..service.types import Fault, Problem

MOST_SHOWN = 20
"""How many of the things that are wrong a message lists."""


class ClientError(StrikeoutError):
    """The base of every error of the client."""


class ServiceUnreachable(ClientError):
    """No answer came, however often it was asked for: the connection failed or broke, or the time was up."""


class UnexpectedAnswer(ClientError):
    """An answer that no service of this kind gives; a proxy between may have given it."""


class ServiceError(ClientError):
    """A request that the service refused.

    Attributes
    ----------
    problem : strikeout.service.types.Problem
        What the service says of it; its `code` is stable, its `errors` say what is wrong in detail.
    retry_after : float or None
        After how many seconds to ask again, where the service said so.
    """

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        self.problem = problem
        self.retry_after = retry_after
        super().__init__(_told(problem))

    @property
    def status(self) -> int:
        """The status code of HTTP."""
        return self.problem.status


class BadRequest(ServiceError):
    """400 and its like: the request is not well formed."""


class KeyRefused(ServiceError):
    """401: no key, or one that the service does not know or has revoked."""


class ScopeMissing(ServiceError):
    """403: the key lacks the scope that the request needs."""


class NotFound(ServiceError):
    """404: there is no such log, subject, ruleset or record."""


class Conflict(ServiceError):
    """409: what is there already says otherwise, such as another fact under the same idempotency key."""


class TooLarge(ServiceError):
    """413: the body is larger than the service takes; send fewer facts at once."""


class Unprocessable(ServiceError):
    """422: facts or a ruleset that cannot be used; `problem.errors` says which and why."""


class RateLimited(ServiceError):
    """429: more requests than the key may make."""


class Unavailable(ServiceError):
    """503 and its like: the service cannot answer now, as when its database is away."""


class ServiceFault(ServiceError):
    """500: the service failed; what it had not acknowledged may or may not be done."""


_CLASSES: tuple[tuple[int, type[ServiceError]], ...] = (
    (401, KeyRefused),
    (403, ScopeMissing),
    (404, NotFound),
    (409, Conflict),
    (412, Conflict),
    (413, TooLarge),
    (422, Unprocessable),
    (429, RateLimited),
    (502, Unavailable),
    (503, Unavailable),
    (504, Unavailable),
    (507, Unavailable),
)


def refusal(status: int, body: bytes, retry_after: float | None = None) -> ServiceError:
    """The exception for an answer that is no success.

    Parameters
    ----------
    status : int
        The status code.
    body : bytes
        The body: problem details, or whatever a proxy sent.
    retry_after : float, optional
        After how many seconds to ask again.

    Examples
    --------
    >>> error = refusal(502, b"<html>no gateway</html>")
    >>> type(error).__name__, str(error)
    ('Unavailable', 'the service refused the request (502): <html>no gateway</html>')
    """
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = shorten(body[:500].decode(errors="replace"), 200)
        problem = Problem(type="about:blank", title="", status=status, detail=said, code="")
    problem.status = status
    otherwise: type[ServiceError] = ServiceFault if status >= 500 else BadRequest
    return dict(_CLASSES).get(status, otherwise)(problem, retry_after)


def _told(problem: Problem) -> str:
    said = problem.detail or problem.title
    first = f"the service refused the request ({problem.status}){': ' if said else ''}{said}"
    more = len(problem.errors) - MOST_SHOWN
    return "\n".join(
        [first, *map(_fault, problem.errors[:MOST_SHOWN]), *([f"… and {more:,} more"] if more > 0 else [])]
    )


def _fault(fault: Fault) -> str:
    place = ""
    if fault.line is not None:
        place = f"{fault.file or 'ruleset'}:{fault.line}:{fault.column or 1}: "
    elif fault.index is not None:
        place = f"fact {fault.index + 1:,}: "
    return place + fault.detail
