"""`strikeout key`: the keys that let clients of the service in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..ground.zones import Zone
from .serve import DATABASE

if TYPE_CHECKING:
    from ..log import Key

SCOPES = ("append", "read", "author")

_database_option = click.option(
    "--db",
    "url",
    default=DATABASE,
    show_default=True,
    envvar="STRIKEOUT_DB",
    show_envvar=True,
    metavar="URL",
    help="The database.",
)


@click.group("key")
def key_command() -> None:
    """Make, list and revoke the keys of the service.

    A key covers scopes: `append` facts, `read` decisions and all else, `author` logs and which rulesets are in force.
    """


@key_command.command("new")
@_database_option
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="What it covers; several are."
)
@click.option("--name", required=True, help="Who has it.")
def new_key_command(url: str, scopes: tuple[str, ...], name: str) -> None:
    """Make a key and print it, once: only its hash is kept."""
    from ..log import open_database
    from ..service.keys import digest, new_key

    with open_database(url) as database:
        key = new_key()
        database.keys.add(digest(key), tuple(dict.fromkeys(scopes)), name)
    click.echo(key)


@key_command.command("list")
@_database_option
def list_keys_command(url: str) -> None:
    """List the keys: name, scopes, when each was made, and when it was revoked."""
    from ..log import open_database

    with open_database(url, create=False) as database:
        for key in database.keys.list():
            click.echo(_line(key))


@key_command.command("revoke")
@_database_option
@click.argument("name")
def revoke_key_command(url: str, name: str) -> None:
    """Revoke the key of NAME; services notice within two seconds."""
    from ..log import open_database

    with open_database(url, create=False) as database:
        click.echo(_line(database.keys.revoke(name)))


def _line(key: Key) -> str:
    zone = Zone.load("UTC")
    revoked = f"  revoked {zone.format(key.revoked_at)}" if key.revoked_at is not None else ""
    return f"{key.name}  {','.join(key.scopes)}  {zone.format(key.created_at)}{revoked}"
