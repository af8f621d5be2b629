"""Who tries keys: what it costs the database, and that whoever has a key does not notice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the service needs the extra `service`, which is not installed")

from service_calls import Loop, Reply, asked

from strikeout.log import Database, Key, Keys, open_database
from strikeout.service.keys import LOOKS, LOOKS_AT_ONCE, REMEMBERED, SCOPES, Door, digest, new_key
from strikeout.service.problems import Refusal


class Counted:
    """The keys of a database, and how often they were looked up, singly and all together."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.looks = self.lists = 0

    def find(self, hash: bytes) -> Key | None:
        self.looks += 1
        return self._keys.find(hash)

    def valid(self) -> frozenset[bytes]:
        self.lists += 1
        return self._keys.valid()

    def list(self) -> Sequence[Key]:
        return self._keys.list()


class Entered:
    """A door at which somebody knocks, at an instant that the test sets."""

    def __init__(self, database: Database) -> None:
        self.keys, self.now = Counted(database.keys), 1_000.0
        self.door = Door(self.keys, lambda: self.now)  # type: ignore[arg-type]

    def knock(self, key: str) -> str:
        """The name of the holder, or the code of the refusal."""
        header = f"Bearer {key}"
        try:
            known, holder = self.door.known(header)
            holder = holder if known else self.door.enter(header)
        except Refusal as refusal:
            return refusal.code
        return holder.name if holder is not None else "open"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url) as opened:
        yield opened


@pytest.fixture
def entered(database: Database) -> Entered:
    return Entered(database)


def made(database: Database, name: str) -> str:
    """A key of a name."""
    key = new_key()
    database.keys.add(digest(key), SCOPES, name)
    return key


def test_keys_tried_in_vain_cost_so_many_looks_and_no_more(database: Database, entered: Entered) -> None:
    """Ten seconds of a thousand keys each; among them a client whose key is good, which is let in every time."""
    good = made(database, "good")
    codes: list[str] = []
    for _ in range(10):
        for number in range(1_000):
            codes.append(entered.knock(f"so_{number}"))
            if number % 100 == 50:
                assert entered.knock(good) == "good"
        entered.now += 1.0
    assert set(codes) == {"bad-key", "rate"}
    assert codes[:50] == ["bad-key"] * 50, "few mistakes are told as such"
    assert codes.count("bad-key") <= LOOKS_AT_ONCE + 10 * LOOKS
    assert entered.keys.looks <= LOOKS_AT_ONCE + 10 * LOOKS + 10 / REMEMBERED + 1
    assert 0 < entered.keys.lists <= 10 / REMEMBERED + 1


def test_a_key_is_let_in_for_the_first_time_while_others_are_tried(database: Database, entered: Entered) -> None:
    """Also one that was made just now: at the latest when the keys are read anew."""
    good = made(database, "good")
    while entered.knock("so_bad") != "rate":
        pass
    assert entered.knock(good) == "good"
    new = made(database, "new")
    assert entered.knock(new) in ("new", "rate")
    entered.now += REMEMBERED
    while entered.knock("so_bad") != "rate":
        pass
    assert entered.knock(new) == "new"
    entered.now += 1_000.0
    assert entered.knock("so_bad") == "bad-key", "who stops trying is told as before"


def test_a_key_that_is_revoked_meanwhile_is_let_in_no_more(database: Database, entered: Entered) -> None:
    good = made(database, "good")
    while entered.knock("so_bad") != "rate":
        pass
    assert entered.knock(good) == "good"
    database.keys.revoke("good")
    entered.now += REMEMBERED
    while entered.knock("so_bad") != "rate":
        pass
    assert entered.knock(good) in ("bad-key", "rate")


def test_who_has_no_key_is_told_without_a_look(database: Database, entered: Entered) -> None:
    made(database, "good")
    assert entered.knock("") == "no-key"
    before = entered.keys.looks
    with pytest.raises(Refusal, match="is missing"):
        entered.door.known("")
    assert entered.keys.looks == before


def test_over_http_they_are_told_to_wait(tmp_path: Path) -> None:
    """By many at once, while a client with a key asks: it is never refused."""
    loop = Loop()
    with open_database(str(tmp_path / "log.db")) as database, asked(database, loop) as ask:
        good = made(database, "good")
        replies: list[Reply] = []

        def flood(part: int) -> None:
            for number in range(100):
                replies.append(ask("GET", "/v1/logs", headers={"Authorization": f"Bearer so_{part}-{number}"}))

        floods = [threading.Thread(target=flood, args=(part,)) for part in range(4)]
        for thread in floods:
            thread.start()
        while any(thread.is_alive() for thread in floods):
            reply = ask("GET", "/v1/logs", headers={"Authorization": f"Bearer {good}"})
            assert reply.status == 200, reply
        refused = [reply for reply in replies if reply.status == 429]
        assert refused
        assert {reply.status for reply in replies} == {401, 429}
        assert {reply.json["code"] for reply in refused} == {"rate"}
        assert {reply.headers["retry-after"] for reply in refused} == {"1"}
    loop.close()


def test_what_the_database_finds_is_compared_once_more() -> None:
    """A database that gave the key of another hash, by a collation or a fault, lets nobody in."""

    class Store:
        stored = b"a" * 32

        def read(self) -> Store:
            return self

        def rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
            return [("name", "read", 1, None, self.stored)]

        def close(self) -> None:
            pass

    keys = Keys(Store(), lambda: 1)  # type: ignore[arg-type]
    found = keys.find(b"a" * 32)
    assert found is not None
    assert found.name == "name"
    assert keys.find(b"a" * 31 + b"b") is None
