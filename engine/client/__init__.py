"""Clients of the service: append facts, ask for decisions and their reasons, follow the journal.

It needs the extra `client`, and nothing of what the service itself needs.

Examples
--------
>>> from strikeout.client import content_key
>>> content_key({"kind": "withdrawal", "at": "2015-01-05", "seller": "xiaoming", "complaint": "c1"})[:16]
'sha256:4cbb49616'
"""

from __future__ import annotations

from .clients import AsyncClient, Client
from .errors import (
    BadRequest,
    ClientError,
    Conflict,
    KeyRefused,
    NotFound,
    RateLimited,
    ScopeMissing,
    ServiceError,
    ServiceFault,
    ServiceUnreachable,
    TooLarge,
    Unavailable,
    UnexpectedAnswer,
    Unprocessable,
)
from .keys import content_key
from .retries import Retries
from .watch import JournalEvent

__all__ = [
    "AsyncClient",
    "BadRequest",
    "Client",
    "ClientError",
    "Conflict",
    "JournalEvent",
    "KeyRefused",
    "NotFound",
    "RateLimited",
    "Retries",
    "ScopeMissing",
    "ServiceError",
    "ServiceFault",
    "ServiceUnreachable",
    "TooLarge",
    "Unavailable",
    "UnexpectedAnswer",
    "Unprocessable",
    "content_key",
]
