"""The service listening: what it binds to, and how it ends."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from .. import log as logs
from ..ground.problems import RunError
from .app import Service
from .protocol import patient
from .records import Journal

GRACE = 30
"""Seconds that requests have to be finished in when the service is told to stop."""
IDLE = 30
"""Seconds after which a connection on which nothing is asked is closed."""
MOST_CONNECTIONS = 2_000
SWITCH = 0.0002
"""Seconds after which a thread lets another go on, so that a long answer does not hold up the short ones."""

COLLECTIONS = (20_000, 2, 1_000) if sys.version_info < (3, 14) else (20_000, 100)
"""When Python looks for cycles: seldom among what lives long, which is very much here and has none, and never among so
much at once that requests wait for it. From 3.14 on the second is how small a part of that is looked at each time."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("localhost")
    (True, True, False, True)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_host(host: str, keys: logs.Keys) -> None:
    """That a service without keys is not reached from elsewhere.

    Raises
    ------
    RunError
        Where it would be.
    """
    if not is_loopback(host) and not any(key.revoked_at is None for key in keys.list()):
        raise RunError(
            f"`{host}` is reached from other machines, and the database has no key: make one first, by"
            " `strikeout key new`"
        )


class Server(uvicorn.Server):
    """A server that ends streams before it waits for requests to be finished.

    Parameters
    ----------
    config : uvicorn.Config
        The configuration.
    service : Service
        The service.
    ready : callable
        Called once, when connections are accepted, with the address.
    """

    def __init__(self, config: uvicorn.Config, service: Service, ready: Callable[[str, int], None]) -> None:
        super().__init__(config)
        self._service, self._ready = service, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.should_exit:
            return
        for listening in self.servers:
            for found in listening.sockets:
                host, port = found.getsockname()[:2]
                self._ready(str(host), int(port))
                return

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that end the process as wishes to end, and do not raise them again behind that."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, end the streams, and finish what was begun."""
        self._service.stop()
        await super().shutdown(sockets)


def listening(service: Service, host: str, port: int, journal: Journal) -> Server:
    """A server that is ready to run.

    Parameters
    ----------
    service : Service
        The service.
    host : str
        The address; only that of this machine, where the database has no key.
    port : int
        The port; 0 is a free one.
    journal : Journal
        Where it is said that the service listens, and what is wrong with connections.

    Raises
    ------
    RunError
        Where a service without keys would be reached from elsewhere.
    """
    check_host(host, service.core.database.keys)
    config = uvicorn.Config(
        _application(service),
        host=host,
        port=port,
        http=patient(service.limits.body_seconds),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="on",
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
        limit_concurrency=MOST_CONNECTIONS,
        proxy_headers=False,
        ws="none",
    )

    def ready(address: str, number: int) -> None:
        journal.event("listening", address=address, port=number, database=service.core.database.url)

    told = logging.getLogger("uvicorn")
    told.handlers = [_Told(journal)]
    told.propagate = False
    return Server(config, service, ready)


def serve(service: Service, host: str, port: int, journal: Journal) -> None:
    """Listen until the process is told to stop.

    Raises
    ------
    RunError
        Where the address cannot be used.
    """
    server = listening(service, host, port, journal)
    sys.setswitchinterval(SWITCH)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    try:
        server.run()
    except SystemExit as error:
        raise RunError(f"cannot listen at `{host}` port {port}: is it in use?") from error
    finally:
        service.close()
        journal.event("stopped")
    if not server.started:
        raise RunError(f"cannot listen at `{host}` port {port}: is it in use?")


class _Told(logging.Handler):
    """What the server says, as lines of the journal."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Write what is a warning or worse; of an error its sort only, as its text may hold what a client sent."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            self._journal.event("server", level=record.levelname.lower(), message=str(record.msg)[:200])
        else:
            self._journal.trouble({"level": record.levelname.lower()}, error)


def _application(service: Service) -> Any:
    return service
