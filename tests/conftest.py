"""How Hypothesis searches: the same cases each time, so that a red run is red again.

HYPOTHESIS_PROFILE chooses how many: `quick` is for the desk, `ci` for every submission, `long` for a search
at night, where chance is let in and the blob that a failure prints finds its case again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import postgresql_server
import pytest
from hypothesis import HealthCheck, settings

# A slow or busy machine makes no test fail, an example that runs away does.
settings.register_profile(
    "quick",
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=timedelta(seconds=10),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("ci", settings.get_profile("quick"), max_examples=150)
settings.register_profile("long", settings.get_profile("quick"), max_examples=5_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql_server.Server]:
    """A PostgreSQL server of the session's own."""
    missing = postgresql_server.missing()
    if missing and postgresql_server.NEEDED:
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    server = postgresql_server.Server()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each sort in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    server: postgresql_server.Server = request.getfixturevalue("postgres")
    return server.url()


@pytest.fixture(scope="session")
def user_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's cache folder of the session's own: what numba compiles, it compiles once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def numba_cache(user_cache: Path) -> Path:
    """The same, for tests that need numba."""
    pytest.importorskip("numba", reason="numba comes with the extra `fast`, which is not installed")
    return user_cache
