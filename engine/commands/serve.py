"""`strikeout serve`: the service over HTTP."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..ground.problems import RunError

if TYPE_CHECKING:
    from ..service.limits import Limits

DATABASE = "strikeout.db"


@click.command("serve")
@click.option(
    "--db",
    "url",
    default=DATABASE,
    show_default=True,
    envvar="STRIKEOUT_DB",
    show_envvar=True,
    metavar="URL",
    help="The database of logs: a path, sqlite:///PATH or postgresql://…",
)
@click.option(
    "--rulesets",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder of rulesets that can be activated, beside those that ship.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address; any but this machine's needs a key.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 is a free one."
)
@click.option(
    "--rate", type=click.FloatRange(0), metavar="N", help="Requests a second of one key; 0 is as many as come."
)
@click.option("--max-body", type=click.IntRange(1_000), metavar="BYTES", help="How large a body may be.")
@click.option("--timeout", type=click.FloatRange(0.1), metavar="SECONDS", help="How long an answer may take.")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Threads that decide.")
@click.option("--cache", type=click.IntRange(0), metavar="FACTS", help="Facts kept in memory, bound and in order.")
def serve_command(
    url: str,
    rulesets: Path | None,
    host: str,
    port: int,
    rate: float | None,
    max_body: int | None,
    timeout: float | None,
    workers: int | None,
    cache: int | None,
) -> None:
    """Take facts, decide, and account for decisions over HTTP.

    GET /v1/openapi.json describes it. Each request is a line of JSON on standard error. It ends on SIGTERM or SIGINT,
    once the requests that it has are answered.
    """
    try:
        from ..service.app import Service
        from ..service.records import Journal
        from ..service.server import serve
    except ModuleNotFoundError as error:
        raise RunError(f"the service needs the extra `service`: pip install 'strikeout[service]' ({error})") from None
    from ..log import open_database

    limits = _limits(rate, max_body, timeout, workers, cache)
    journal = Journal(sys.stderr, aside=True)
    try:
        with open_database(url) as database:
            serve(Service(database, rulesets, limits, journal), host, port, journal)
    finally:
        journal.close()


def _limits(
    rate: float | None, max_body: int | None, timeout: float | None, workers: int | None, cache: int | None
) -> Limits:
    from ..service.limits import Limits

    asked = {
        "rate": rate,
        "burst": None if rate is None else 2 * rate,
        "body": max_body,
        "seconds": timeout,
        "workers": workers,
        "cached_facts": cache,
    }
    return dataclasses.replace(Limits(), **{name: value for name, value in asked.items() if value is not None})  # type: ignore[arg-type]
