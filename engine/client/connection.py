"""How a service is reached: its address, the key, what httpx is to send, and what its failures mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..ground.problems import RunError, shorten
from .calls import Lost, Request
from .errors import ClientError
from .retries import Retries

if TYPE_CHECKING:
    import httpx

TIMEOUT = 30.0
"""Seconds in which an answer must begin, and go on."""
CONNECTING = 5.0
"""Seconds in which a connection must be made: where nobody is, some networks never say so."""
ERRNO = re.compile(r"^\[Errno -?\d+\] ")
"""What a message of the system begins with that says nothing to a person."""


def load_httpx() -> Any:
    """The module httpx.

    Raises
    ------
    RunError
        Where it is not installed; the message names the extra that brings it.
    """
    try:
        import httpx
    except ImportError:
        raise RunError("the client needs httpx: `pip install 'strikeout[client]'`") from None
    return httpx


class Connection:
    """What both clients are made of: the address, the key, and how often and how long they try."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
    ) -> None:
        self.url = _address(url)
        self.retries = retries or Retries()
        self.timeout = timeout
        self._headers = {} if key is None else {"Authorization": f"Bearer {_bare(key)}"}

    def __repr__(self) -> str:
        return f"<client of {self.url}>"

    def arguments(self, request: Request[Any]) -> dict[str, Any]:
        """What httpx is to send."""
        headers = dict(self._headers)
        if request.body is not None:
            headers["Content-Type"] = request.media_type
        if request.key is not None:
            headers["Idempotency-Key"] = request.key
        return {
            "method": request.method,
            "url": self.url + request.path,
            "params": list(request.query),
            "content": request.body,
            "headers": headers,
            "timeout": load_httpx().Timeout(self.timeout, connect=self._connecting),
        }

    @property
    def _connecting(self) -> float:
        return min(CONNECTING, self.timeout)

    def lost(self, error: httpx.RequestError) -> Lost:
        """What a failure of httpx means: no answer came, and perhaps nothing was sent."""
        httpx = load_httpx()
        unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        if isinstance(error, httpx.ConnectTimeout):
            reason = f"no connection within {self._connecting:g} s"
        elif isinstance(error, httpx.TimeoutException):
            reason = f"none within {self.timeout:g} s"
        else:
            reason = ERRNO.sub("", str(error)) or "the connection broke"
        return Lost(reason[:1].lower() + reason[1:], sent=not unsent)


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ClientError(f"`{shorten(url, 100)}` is no address of a service; expected one as `http://127.0.0.1:8080`")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ClientError("the address of a service has no user, password, query or fragment; the key is given apart")
    return url.rstrip("/")


def _bare(key: str) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable() and key and " " not in key):
        raise ClientError("the key is no key of a service: expected one word of ASCII characters")
    return key
