"""A PostgreSQL server for tests: a cluster of its own in a temporary folder, reached by a Unix socket only."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

NEEDED = os.environ.get("STRIKEOUT_NEED_POSTGRES") == "1"
"""Where set, tests that need PostgreSQL fail where it is missing, instead of being skipped."""

SETTINGS = """
listen_addresses = ''
fsync = on
synchronous_commit = on
max_connections = 150
shared_buffers = 64MB
log_min_messages = fatal
autovacuum = off
"""


def programs() -> Path | None:
    """The folder of the server's programs: of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def missing() -> str:
    """Why there can be no server here; nothing where there can."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    return "" if programs() is not None else "PostgreSQL is not installed"


class Server:
    """A server that runs until it is stopped. PostgreSQL refuses to run as root; another user has to be there then."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed")
        self._bin = found
        self._folder = Path(tempfile.mkdtemp(prefix="so-pg-"))
        self._as: dict[str, Any] = {"cwd": self._folder}
        if os.getuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._numbers = itertools.count()
        try:
            self._run("initdb", "--no-sync", "-U", "strikeout", "--auth=trust", "--encoding=UTF8", "--locale=C")
            with (self._folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
                settings.write(f"{SETTINGS}unix_socket_directories = '{self._folder}'\n")
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), "-D", str(self._folder / "data"), *arguments]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120, **self._as)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')[-2_000:]}")

    def start(self) -> None:
        """Start the server."""
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self._folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast` ends all connections, `immediate` is as if the power went."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode)

    def url(self) -> str:
        """The address of a schema that nothing has used."""
        import psycopg

        schema = f"s{next(self._numbers)}"
        base = f"postgresql://strikeout@/postgres?host={quote(str(self._folder), safe='')}"
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        return f"{base}&options=-csearch_path%3D{schema}"

    def place(self, folder: Path) -> str:
        """The address of such a schema whose tables lie in a folder of the machine."""
        import psycopg

        os.chown(folder, self._as.get("user", -1), -1)
        url, name = self.url(), f"t{next(self._numbers)}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        return f"{url}%20-cdefault_tablespace%3D{name}"

    def wait_until_alone(self, url: str) -> None:
        """Wait until no other program is connected: what one that was killed had sent may still be committed."""
        import psycopg

        others = "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        with psycopg.connect(url, autocommit=True) as connection:
            started = time.monotonic()
            while connection.execute(others).fetchone():
                if time.monotonic() - started > 30:
                    raise RuntimeError("other programs stay connected to the server")
                time.sleep(0.005)

    def close(self) -> None:
        """Stop the server, and remove all that it wrote."""
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
