"""Disks that cannot be written or are full, as they are: small file systems in memory, which only root can mount."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import postgresql_server
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("uvicorn", reason="the service needs the extra `service`, which is not installed")

from service_calls import Loop, Reply, asked, upheld

import strikeout
from strikeout.cli import commands
from strikeout.log import (
    FACT,
    Activation,
    Database,
    DatabaseUnavailable,
    LogError,
    NewFact,
    ReadOnly,
    Record,
    canonical,
    open_database,
)

Disk = Callable[[str], Path]


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Give a function that mounts a file system of a size."""
    with contextlib.ExitStack() as stack:

        def mount(size: str) -> Path:
            folder = Path(tempfile.mkdtemp(prefix="so-disk-"))
            stack.callback(folder.rmdir)
            folder.chmod(0o711)  # A database server is another user.
            command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
            if shutil.which("mount") is None or subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
                pytest.skip("no file system can be mounted here: it takes root")
            stack.callback(subprocess.check_call, ["umount", "--lazy", folder])
            return folder

        yield mount


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def fact(key: str, **more: str) -> NewFact:
    row = {"kind": "upheld", "at": "2015-01-05T00:00:00+08:00", "seller": "s", "complaint": key, **more}
    return NewFact(key, "s", canonical(row))


def filled(path: Path) -> str:
    """Make a database with a log of 41 records and two keys, and give its head."""
    with open_database(str(path)) as database:
        log = database.create("a")
        bundle = strikeout.bundle_of(strikeout.load("taobao-counterfeit"))
        log.append_activation(Activation(database.put_bundle(bundle), 0))
        more = {"complainant": "a", "right": "r", "finding": "counterfeit"}
        log.append([fact(f"k{number}", **more) for number in range(40)])
        database.keys.add(b"k" * 32, ["read"], "dashboard")
        head = log.head()
    return f"{head.position}:{head.hash}"


def strike(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, [*map(str, arguments)])


def test_what_only_reads_works_where_nothing_can_be_written(disk: Disk, tmp_path: Path) -> None:
    """Verify, export, facts, activations, backup and the list of keys; and the file stays as it is, alone."""
    folder = disk("8m")
    path = folder / "the log?.db"
    head = filled(path)
    wanted = {
        command: strike("log", command, "--db", path).stdout for command in ("verify", "export", "facts", "activations")
    }
    before = path.read_bytes()
    remount(folder, "ro")
    for command, said in wanted.items():
        found = strike("log", command, "--db", path)
        assert (found.exit_code, found.stdout) == (0, said), found.stderr
    assert f"head {head}" in wanted["verify"]
    assert len(wanted["facts"].splitlines()) == 40
    found = strike("log", "backup", "--db", path, tmp_path / "copy.db")
    assert f"head {head}" in found.stdout
    assert strike("log", "verify", "--db", tmp_path / "copy.db", "--head", head).exit_code == 0
    assert "dashboard" in strike("key", "list", "--db", path).stdout
    refused = strike("key", "revoke", "dashboard", "--db", path).exception
    assert isinstance(refused, ReadOnly)
    with open_database(str(path), create=False) as database:
        log = database.log("a")
        with pytest.raises(ReadOnly, match="can only be read from here"):
            log.append([fact("new")])
        assert log.clock() == log.head().known_at, "a clock that cannot go on stands still"
    assert [file.name for file in folder.iterdir()] == [path.name]
    assert path.read_bytes() == before


def left_open(path: Path, *beside: str) -> None:
    """Leave a database as one that was copied while it was written: its last batch is in the `-wal` only."""
    made = path.with_name("made.db")
    filled(made)
    with open_database(str(made)) as database:
        database.log("a").append([fact("last")])
        for suffix in ("", *beside):
            shutil.copy(f"{made}{suffix}", f"{path}{suffix}")
    made.unlink()


def test_a_wal_that_lies_there_is_read_as_well(disk: Disk) -> None:
    """What was committed is in it: with it the log is whole, without it one record would be missing."""
    folder = disk("8m")
    path = folder / "log.db"
    left_open(path, "-wal", "-shm")
    remount(folder, "ro")
    assert "42 records" in strike("log", "verify", "--db", path).stdout


@pytest.mark.parametrize("beside", ["-wal", "-shm"])
def test_a_wal_that_cannot_be_read_is_not_passed_over(disk: Disk, beside: str) -> None:
    folder = disk("8m")
    path = folder / "log.db"
    left_open(path, beside)
    remount(folder, "ro")
    with pytest.raises(DatabaseUnavailable, match="not whole without the `-wal` and `-shm`"):
        open_database(str(path), create=False)


def test_what_is_written_after_all_is_not_read_on(disk: Disk) -> None:
    """A file taken as one that never changes is read no more once somebody changes it."""
    folder = disk("8m")
    path = folder / "log.db"
    filled(path)
    remount(folder, "ro")
    with open_database(str(path), create=False) as database:
        log = database.log("a")
        assert log.verify().position == 41
        remount(folder, "rw")
        with open_database(str(path)) as other:
            other.log("a").append([fact("new")])
            with pytest.raises(DatabaseUnavailable, match="somebody writes it now"):
                log.verify()
        with pytest.raises(DatabaseUnavailable, match="somebody writes it now"):
            log.verify()


# Full disks.


def fill(folder: Path) -> Path:
    """Take all the room that a disk has left."""
    rest = folder / "rest"
    with rest.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return rest


def test_a_backup_to_a_full_disk_says_that_the_log_is_whole(disk: Disk, tmp_path: Path) -> None:
    path, folder = tmp_path / "log.db", disk("1m")
    head = filled(path)
    rest = fill(folder)
    target = folder / "backup.db"
    found = strike("log", "backup", "--db", path, target)
    assert isinstance(found.exception, LogError)
    said = f"the backup `{target}` cannot be written: there is no room left where it goes"
    assert str(found.exception) == f"{said}; the database itself is as it was"
    assert list(folder.iterdir()) == [rest], "no part of it is left"
    assert strike("log", "verify", "--db", path, "--head", head).exit_code == 0
    rest.unlink()
    assert f"head {head}" in strike("log", "backup", "--db", path, target).stdout


def test_a_backup_that_just_fits(disk: Disk, tmp_path: Path) -> None:
    path, folder = tmp_path / "log.db", disk("1m")
    head = filled(path)
    room = folder / "room"
    room.write_bytes(b"x" * (path.stat().st_size + 4096))
    rest = fill(folder)
    room.unlink()
    assert f"head {head}" in strike("log", "backup", "--db", path, folder / "backup.db").stdout
    assert sorted(folder.iterdir()) == [folder / "backup.db", rest]


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def small(request: pytest.FixtureRequest, disk: Disk) -> Iterator[tuple[str, Path]]:
    """Give the address of a database on a small disk, and that disk."""
    if request.param == "sqlite":
        folder = disk("2m")
        yield str(folder / "log.db"), folder
        return
    missing = postgresql_server.missing()
    if missing:
        pytest.skip(missing)
    folder = disk("4m")
    with contextlib.closing(postgresql_server.Server()) as server:
        yield server.place(folder), folder


def test_a_full_disk_loses_nothing(small: tuple[str, Path], loop: Loop) -> None:
    """Facts are appended until there is no room: 507, nothing of that batch is there, and decisions go on."""
    url, folder = small
    chance = random.Random(1)
    with open_database(url) as database, asked(database, loop) as ask:
        assert ask("POST", "/v1/logs/a").status == 201
        ruled = {"ruleset": "taobao-counterfeit", "from": "2014-01-01"}
        assert ask("POST", "/v1/logs/a/activations", ruled).status == 201
        acknowledged: dict[str, tuple[int, str]] = {}

        def append(number: int) -> Reply:
            names = [f"{number}-{place}-{chance.randbytes(900).hex()}" for place in range(20)]
            facts = [upheld("s", 0, "2015-01-05", complaint=name) for name in names]
            body = [{"key": f"k{number}-{place}", "fact": fact} for place, fact in enumerate(facts)]
            last.append(body)
            return ask("POST", "/v1/logs/a/facts", body)

        def keep(reply: Reply) -> None:
            assert reply.status == 201, reply
            for receipt in reply.json["receipts"]:
                acknowledged[receipt["key"]] = (receipt["position"], receipt["hash"])

        last: list[object] = []
        number = 0
        while (reply := append(number)).status == 201:
            keep(reply)
            number += 1
            assert number < 1_000, "the disk is not small"
        assert number > 5
        for refused in (reply, ask("POST", "/v1/logs/a/facts", last[-1])):
            assert (refused.status, refused.json["code"]) == (507, "full"), refused
            assert "nothing of this was appended" in refused.json["detail"]
        before = ask("POST", "/v1/logs/a/decide", {"subject": "s"})
        assert before.status == 200
        assert {(r.key, r.position, r.hash) for r in facts_of(database)} == {(k, *v) for k, v in acknowledged.items()}
        remount(folder, "size=64m")
        keep(ask("POST", "/v1/logs/a/facts", last[-1]))
        keep(append(number + 1))
        asking = {name: before.json[name] for name in ("subject", "as_of", "known")}
        assert ask("POST", "/v1/logs/a/decide", asking).body == before.body
        assert {(r.key, r.position, r.hash) for r in facts_of(database)} == {(k, *v) for k, v in acknowledged.items()}


def facts_of(database: Database) -> list[Record]:
    """The facts of a log, once its chain was verified."""
    log = database.log("a")
    log.verify()
    return [record for record in log.records() if record.kind == FACT]
