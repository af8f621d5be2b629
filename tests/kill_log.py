"""Kill programs that append to a log, at random moments, and look at what is left; 200 times by

    python tests/kill_log.py --kills 200 sqlite:///log.db postgresql

A child appends with several threads, facts one by one and in batches, and says what it sends, what was acknowledged and
which instants the log's clock gave. `postgresql` alone starts a server for the time of the test; every twentieth time
it is the server that is stopped at once, as if its power went.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import postgresql_server

import strikeout
from strikeout.log import Activation, DatabaseUnavailable, Log, NewFact, Receipt, canonical, open_database
from strikeout.log.verify import Link

RULESET = "taobao-counterfeit"
LOG = "killed"
THREADS = 3
SUBJECTS = 25
SIZES = (1, 1, 1, 5, 60)
SERVER_KILLED = 20
"""How often it is the server that is killed: every so many times."""


def batch(run: int, thread: int, number: int) -> list[NewFact]:
    """The facts of a batch: the same for the same numbers."""
    chance = random.Random(f"{run} {thread} {number}")
    found = []
    for place in range(chance.choice(SIZES)):
        subject = f"s{chance.randrange(SUBJECTS)}"
        name = f"{run}-{thread}-{number}-{place}"
        row = {
            "kind": "upheld",
            "at": f"2015-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T00:00:00+08:00",
            "seller": subject,
            "complaint": name,
            "complainant": f"a{chance.randrange(4)}",
            "right": f"r{chance.randrange(3)}",
            "finding": "counterfeit",
        }
        found.append(NewFact(name, subject, canonical(row)))
    return found


def say(*words: object) -> None:
    """Write a line to standard output at once, not mixed with those of other threads."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def child(url: str, run: int) -> None:
    """Append until killed."""
    database = open_database(url)
    log = database.log(LOG)

    def work(thread: int) -> None:
        for number in range(1_000_000):
            rows = batch(run, thread, number)
            say("sent", run, thread, number)
            receipts = log.append(rows)
            first, last = receipts[0], receipts[-1]
            say("done", run, thread, number, first.position, last.position, last.known_at, last.hash)
            if number % 5 == thread:
                with log.snapshot() as snapshot:
                    say("told", snapshot.as_of, snapshot.position)

    def until_the_server_is_gone(thread: int) -> None:
        with contextlib.suppress(DatabaseUnavailable):
            work(thread)

    for thread in range(THREADS):
        threading.Thread(target=until_the_server_is_gone, args=(thread,), daemon=True).start()
    time.sleep(60)


def parent_of_children(url: str) -> None:
    """Make a child for each number that comes in, and say when it is dead. To fork is faster than to start anew."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            child(url, int(line))
            os._exit(0)
        say("child", pid)
        os.waitpid(pid, 0)
        say("over")


@dataclass
class Seen:
    """What children said so far, and what was decided."""

    ruleset: strikeout.Ruleset
    link: Link
    keys: set[str] = field(default_factory=set)
    kills: int = 0
    batches: int = 0
    facts: int = 0
    resent: int = 0
    kept: int = 0
    told: dict[int, int] = field(default_factory=dict)
    decided: dict[tuple[int, str], str] = field(default_factory=dict)


def decide(ruleset: strikeout.Ruleset, log: Log, as_of: int, subject: str) -> str:
    """What is decided of a subject as of an instant, as text."""
    with log.snapshot(as_of, as_of) as snapshot:
        rows = [record.row() for record in snapshot.facts(subject)]
    if not rows:
        return "nothing"
    outcome = ruleset.run(rows, as_of=as_of, engine="compiled")
    return f"{outcome.status(subject)} {[dict(fact) for fact in outcome.facts]}"


class Nursery:
    """A program that makes children which append to a log.

    Parameters
    ----------
    url : str
        The database.
    """

    def __init__(self, url: str) -> None:
        command = [sys.executable, __file__, "--parent", url]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lines_of(self, run: int, while_it_runs: Callable[[], object]) -> list[list[str]]:
        """What a child says until it is killed, which is after something was done."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the program has no pipes")
        process.stdin.write(f"{run}\n")
        process.stdin.flush()
        found: list[list[str]] = []
        killer: threading.Thread | None = None
        pid = 0
        for line in process.stdout:
            words = line.split()
            if words[0] == "over":
                break
            if words[0] == "child":
                pid = int(words[1])
            else:
                found.append(words)
            # Most are killed at work, some while they begin.
            if killer is None and (words[0] == "sent" or run % 5 == 0):
                killer = threading.Thread(target=_kill_after, args=(while_it_runs, pid))
                killer.start()
        else:
            raise RuntimeError("the children could not be made")
        if killer is not None:
            killer.join()
        return found

    def close(self) -> None:
        """End the program."""
        self._process.communicate()


def _kill_after(done: Callable[[], object], pid: int) -> None:
    try:
        done()
    finally:
        os.kill(pid, signal.SIGKILL)


def kill(
    url: str, nursery: Nursery, seen: Seen, chance: random.Random, server: postgresql_server.Server | None
) -> None:
    """Start a child, kill it, and look.

    Raises
    ------
    AssertionError
        Where something acknowledged is missing, something is there twice or in half, or a decision is another.
    """
    run, wait = seen.kills, chance.choice((0.05, 0.2, 0.6)) * chance.random()

    def meanwhile() -> None:
        time.sleep(wait)
        if server is not None and run % SERVER_KILLED == SERVER_KILLED - 1:
            server.stop("immediate")
            server.start()

    words = nursery.lines_of(run, meanwhile)
    sent = [tuple(map(int, line[1:4])) for line in words if line[0] == "sent"]
    done = {tuple(map(int, line[1:4])): line[4:] for line in words if line[0] == "done"}
    told = {int(line[1]): int(line[2]) for line in words if line[0] == "told"}
    if server is not None:
        server.wait_until_alone(url)
    with open_database(url) as database:
        look(database.log(LOG), seen, sent, done, told, chance)
    seen.kills += 1


def look(
    log: Log,
    seen: Seen,
    sent: list[tuple[int, ...]],
    done: dict[tuple[int, ...], list[str]],
    told: dict[int, int],
    chance: random.Random,
) -> None:
    """Compare what is in the log with what a child said."""
    if seen.kills % 10 == 0:
        log.verify()
    # What was verified before is not read again; the next record says the hash of the last that was.
    records = list(log.records(after=seen.link.position))
    for record in records:
        seen.link.follow(record)
    by_key = {record.key: record for record in records}
    assert len(by_key) == len(records), "a fact is there twice"
    assert not by_key.keys() & seen.keys, "a fact is there twice"
    seen.keys |= by_key.keys()
    for numbers in sent:
        rows = batch(*numbers)
        found = [by_key[row.key] for row in rows if row.key in by_key]
        assert len(found) in (0, len(rows)), f"of a batch {len(found)} facts of {len(rows)} are there"
        assert [record.content for record in found] == [row.content for row in rows[: len(found)]]
        seen.batches += 1
        if numbers in done:
            assert found, "what was acknowledged is missing"
            first, last, known_at, hash = done[numbers]
            positions = [record.position for record in found]
            assert positions == list(range(int(first), int(last) + 1))
            assert {record.known_at for record in found} == {int(known_at)}
            assert found[-1].hash == hash
        else:
            receipts: list[Receipt] = log.append(rows)
            assert {receipt.duplicate for receipt in receipts} == {bool(found)}
            seen.resent += 1
            seen.kept += bool(found)
    for record in log.records(after=seen.link.position):
        seen.link.follow(record)
        seen.keys.add(record.key)
    seen.facts = len(seen.keys)
    seen.told.update(told)
    for as_of, position in list(seen.told.items())[-200:]:
        with log.snapshot(as_of, as_of) as snapshot:
            assert snapshot.position == position, "something became known as of an instant that had been told before"
    for (as_of, subject), before in seen.decided.items():
        assert decide(seen.ruleset, log, as_of, subject) == before, "a decision is another"
    if told:
        asked = (max(told), f"s{chance.randrange(SUBJECTS)}")
        seen.decided[asked] = decide(seen.ruleset, log, *asked)
        for old in list(seen.decided)[:-12]:
            del seen.decided[old]


def prepare(url: str) -> Seen:
    """Make the log, with a ruleset in force that is taken from it again."""
    with open_database(url) as database:
        log = database.create(LOG)
        bundle = database.put_bundle(strikeout.bundle_of(strikeout.load(RULESET)))
        activated = log.append_activation(Activation(bundle, 0))
        ruleset = strikeout.load_bundle(log.rulesets.stored(bundle))
        return Seen(ruleset, Link(1, bytes.fromhex(activated.hash), activated.known_at))


def many_kills(url: str, kills: int, seed: int, server: postgresql_server.Server | None) -> Seen:
    """Kill so many children on a database, and give what was seen."""
    seen, chance = prepare(url), random.Random(seed)
    with contextlib.closing(Nursery(url)) as nursery:
        for _ in range(kills):
            kill(url, nursery, seen, chance, server)
    with open_database(url) as database:
        noted = (seen.link.position, seen.link.hash.hex())
        verified = database.log(LOG).verify(head=noted)
        assert verified.position == 1 + seen.facts
    return seen


def by_hand(
    description: str,
    parent: Callable[[str], None],
    kills: Callable[[str, int, int, postgresql_server.Server | None], Any],
    told: Callable[[Any], str],
) -> None:
    """Kill as the command line says, and tell what was seen; or be the parent of what is killed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20150101)
    parser.add_argument("--parent", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("urls", nargs="+", metavar="URL")
    given = parser.parse_args()
    if given.parent:
        parent(given.urls[0])
        return
    for url in given.urls:
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            server = None
            if url == "postgresql":
                server = postgresql_server.Server()
                stack.callback(server.close)
            seen = kills(server.url() if server else url, given.kills, given.seed, server)
        print(f"{url}: {told(seen)}; all is as acknowledged; {time.monotonic() - started:.0f} s", flush=True)


def told(seen: Seen) -> str:
    """What was seen."""
    return (
        f"{seen.kills} kills, {seen.batches} batches sent, {seen.resent} of them not acknowledged, of which "
        f"{seen.kept} were kept whole; {seen.facts} facts, {len(seen.told)} instants told"
    )


if __name__ == "__main__":
    by_hand("Kill programs that append to a log, and look at what is left.", parent_of_children, many_kills, told)
