"""Kill the service at random moments while many use it, and look at what is left; 200 times by

    python tests/kill_service.py --kills 200 sqlite:///log.db postgresql

Clients append facts one by one and in batches, in every form that the service takes, and ask for decisions; what they
were answered they keep. In its next life the service gets again what it had not acknowledged, and is asked again what
it had decided. `postgresql` alone starts a server for the time of the test; every twentieth time it is stopped at once
as well, as if its power went.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import kill_log
import postgresql_server
from kill_log import LOG, SUBJECTS, batch
from service_calls import JSON, LINES, Process, Reached, Reply

import strikeout
from strikeout.log import FACT, NewFact, Record, new_fact, open_database
from strikeout.log.verify import Link
from strikeout.rows import Binder

WRITERS, DECIDERS = 3, 2
FACTS, DECIDE = f"/v1/logs/{LOG}/facts", f"/v1/logs/{LOG}/decide"
LOOKED = 20
"""After how many kills the whole log is looked at, and not only what is new of it."""
REPEATED = 200
"""How many decisions are asked for again at the end."""

Numbers = tuple[int, int, int]
Receipt = dict[str, Any]
"""A receipt without `duplicate`, which is the same however often the fact is sent."""


@dataclass
class Written:
    """What a client that appends was answered: the batches it sent, and the receipts of those acknowledged."""

    sent: list[Numbers] = field(default_factory=list)
    done: dict[Numbers, list[Receipt]] = field(default_factory=dict)
    resent: int = 0


@dataclass
class Seen:
    """What the service answered in its lives so far.

    `unsure` has the batches that were sent and not acknowledged, and whether each was found in the log.
    """

    ruleset: strikeout.Ruleset
    link: Link
    receipts: dict[str, Receipt] = field(default_factory=dict)
    unsure: dict[Numbers, bool] = field(default_factory=dict)
    decided: list[tuple[bytes, bytes]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    kills: int = 0
    batches: int = 0
    resent: int = 0
    kept: int = 0
    repeated: int = 0
    away: int = 0


class Connected:
    """A client on one connection, until the service is gone."""

    def __init__(self, service: Reached) -> None:
        self._connection = service.connection()

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Ask until there is an answer other than that the database is away.

        Raises
        ------
        OSError, HTTPException
            Where the service is gone.
        """
        while True:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            reply = Reply(answer.status, dict(answer.getheaders()), answer.read())
            if reply.status != 503:
                return reply
            time.sleep(0.02)

    def __enter__(self) -> Connected:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()


def request(numbers: Numbers) -> tuple[bytes, dict[str, str]]:
    """A batch as a body and its headers: in any of the forms, but always in the same."""
    rows = [{"key": fact.key, "fact": json.loads(fact.content)} for fact in batch(*numbers)]
    form = random.Random(f"form {numbers}").randrange(3)
    if len(rows) == 1 and form == 0:
        return json.dumps({"fact": rows[0]["fact"]}).encode(), {"Content-Type": JSON, "Idempotency-Key": rows[0]["key"]}
    if len(rows) == 1 and form == 1:
        return json.dumps(rows[0]).encode(), {"Content-Type": JSON}
    if form == 2:
        return "".join(f"{json.dumps(row)}\n" for row in rows).encode(), {"Content-Type": LINES}
    return json.dumps(rows).encode(), {"Content-Type": JSON}


def append(client: Connected, numbers: Numbers, before: bool | None) -> list[Receipt]:
    """Append a batch; its receipts, which all say whether it was there `before`, where that is known."""
    reply = client.post(FACTS, *request(numbers))
    assert reply.status in (200, 201), reply
    receipts: list[Receipt] = reply.json["receipts"]
    assert [receipt["key"] for receipt in receipts] == [fact.key for fact in batch(*numbers)]
    duplicate = {receipt.pop("duplicate") for receipt in receipts}
    assert len(duplicate) == 1, "a batch was taken in part"
    assert before is None or duplicate == {before}
    return receipts


def write(service: Reached, run: int, thread: int, unsure: Sequence[tuple[Numbers, bool]], fresh: int) -> Written:
    """Send again what is unsure, then what is new, until the service is gone."""
    found, chance = Written(), random.Random(f"again {run} {thread}")
    with contextlib.suppress(OSError, http.client.HTTPException), Connected(service) as client:
        for numbers, before in unsure:
            found.done[numbers] = append(client, numbers, before)
            found.resent += 1
        for numbers in ((run, thread, number) for number in range(fresh)):
            found.sent.append(numbers)
            found.done[numbers] = append(client, numbers, None)
            if chance.random() < 0.1:
                assert append(client, numbers, True) == found.done[numbers]
    return found


def decide(service: Reached, again: Sequence[tuple[bytes, bytes]], fresh: int) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Ask again for what was decided, then for what is new, until the service is gone."""
    repeated, found = 0, []
    headers = {"Content-Type": JSON}
    with contextlib.suppress(OSError, http.client.HTTPException), Connected(service) as client:
        for asked, answered in again:
            reply = client.post(DECIDE, asked, headers)
            assert reply.body == answered, f"a decision is another: {asked!r}, {answered!r}, {reply.body!r}"
            repeated += 1
        for number in range(fresh):
            subject = f"s{number % SUBJECTS}"
            reply = client.post(DECIDE, json.dumps({"subject": subject}).encode(), headers)
            assert reply.status == 200, reply
            instants = {name: reply.json[name] for name in ("as_of", "known")}
            found.append((json.dumps({"subject": subject, **instants}).encode(), reply.body))
    return repeated, found


@contextlib.contextmanager
def used(service: Reached, seen: Seen, chance: random.Random, fresh: int) -> Iterator[None]:
    """Let clients use a service until it is gone, or they have asked all that they are to; keep what they were told."""
    unsure = list(seen.unsure.items())
    last = seen.decided[-4:] + chance.sample(seen.decided, min(len(seen.decided), 8 if fresh else REPEATED))
    with ThreadPoolExecutor(WRITERS + DECIDERS) as pool:
        writing = [
            pool.submit(write, service, seen.kills, thread, unsure[thread::WRITERS], fresh) for thread in range(WRITERS)
        ]
        deciding = [pool.submit(decide, service, last[n::DECIDERS], fresh) for n in range(DECIDERS)]
        yield
    for written in (future.result() for future in writing):
        seen.batches += len(written.sent)
        seen.resent += written.resent
        seen.unsure |= dict.fromkeys(written.sent, False)
        for numbers, receipts in written.done.items():
            del seen.unsure[numbers]
            for receipt in receipts:
                assert seen.receipts.setdefault(receipt["key"], receipt) == receipt
    for repeated, found in (future.result() for future in deciding):
        seen.repeated += repeated
        seen.decided += found


def parent_of_services(url: str) -> None:
    """Run `strikeout serve` for each line that comes in, and say when it is dead; to fork is faster than to start."""
    import strikeout.service.server  # noqa: F401  (what the command will need)
    from strikeout.cli import main

    sys.argv = ["strikeout", "serve", "--db", url, "--port", "0"]
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            main()
        os.write(1, b"%d\n" % pid)
        os.waitpid(pid, 0)
        os.write(1, b"over\n")


class Nursery:
    """A program that makes services of a database, one at a time.

    Parameters
    ----------
    url : str
        The database.
    """

    def __init__(self, url: str) -> None:
        command = [sys.executable, __file__, "--parent", url]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        self._listening: queue.Queue[int] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stderr or ():
            if b'"listening"' in line:
                self._listening.put(json.loads(line)["port"])

    def line(self, said: bytes = b"") -> bytes:
        """Say something, and wait for what the program says."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the program has no pipes")
        if said:
            self._process.stdin.write(said)
            self._process.stdin.flush()
        return self._process.stdout.readline()

    @contextlib.contextmanager
    def service(self) -> Iterator[Killable]:
        """A service that listens, killed at the latest when it is used no more."""
        found = Killable(int(self.line(b"another\n")))
        try:
            found.port = self._listening.get(timeout=60)
            yield found
        finally:
            found.kill()
            if self.line() != b"over\n":
                raise RuntimeError("the service was not killed")

    def close(self) -> None:
        """End the program."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(30)
        self._reader.join(30)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


class Killable(Reached):
    """A service that can be killed."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def kill(self) -> None:
        """Kill it without a warning, unless that was done."""
        pid, self._pid = self._pid, 0
        if pid:
            os.kill(pid, signal.SIGKILL)


def kill(
    url: str, nursery: Nursery, seen: Seen, chance: random.Random, server: postgresql_server.Server | None
) -> None:
    """Start the service, kill it while it is used, and look.

    Raises
    ------
    AssertionError
        Where something acknowledged is missing, something is there twice or in half, or a decision is another.
    """
    with nursery.service() as service:
        # Most are killed at work; some before they could answer once, as the first answer takes them longest.
        if seen.kills % 5:
            assert service.ask("POST", DECIDE, {"subject": "s0"}).status == 200
        with used(service, seen, chance, fresh=1_000_000):
            try:
                time.sleep(chance.uniform(0.05, 0.6))
                if server is not None and seen.kills % kill_log.SERVER_KILLED == kill_log.SERVER_KILLED - 1:
                    server.stop("immediate")
                    server.start()
                    time.sleep(chance.uniform(0.05, 0.6))
                    seen.away += 1
            finally:
                service.kill()
    if server is not None:
        server.wait_until_alone(url)
    seen.kills += 1
    look(url, seen, whole=seen.kills % LOOKED == 0)


def look(url: str, seen: Seen, whole: bool) -> None:
    """Compare what is in the log with what the service has acknowledged: what is new of it, or the whole."""
    with open_database(url) as database:
        records = list(database.log(LOG).records(after=0 if whole else seen.link.position))
    link = Link(0, bytes(32), 0) if whole else seen.link
    for record in records:
        link.follow(record)
    seen.link = link
    facts = {record.key: record for record in records if record.kind == FACT}
    assert len(facts) == sum(record.kind == FACT for record in records), "a fact is there twice"
    if whole:
        assert seen.keys <= facts.keys(), "a fact is gone"
    else:
        assert not facts.keys() & seen.keys, "a fact is there twice"
    seen.keys |= facts.keys()
    zone = seen.ruleset.model.zone
    missing = [key for key in seen.receipts if key not in seen.keys]
    assert not missing, f"what was acknowledged is missing: {missing[:5]}"
    for key, record in facts.items():
        there = {"key": key, "position": record.position, "known_at": zone.format(record.known_at), "hash": record.hash}
        assert seen.receipts.get(key, there) == there, "what was acknowledged is otherwise"
    for numbers in seen.unsure:
        rows = batch(*numbers)
        number = sum(row.key in seen.keys for row in rows)
        assert number in (0, len(rows)), f"of a batch {number} facts of {len(rows)} are there"
        seen.kept += bool(number) and not seen.unsure[numbers]
        seen.unsure[numbers] = bool(number)
    sent(seen, facts)
    if whole:
        verify(url, seen)


def sent(seen: Seen, facts: dict[str, Record]) -> None:
    """That facts are in the log as they were sent."""
    binder = Binder(seen.ruleset.model)
    rows: dict[Numbers, dict[str, NewFact]] = {}
    for key, record in facts.items():
        run, thread, number, _ = map(int, key.split("-"))
        if (run, thread, number) not in rows:
            rows[run, thread, number] = {row.key: row for row in batch(run, thread, number)}
        row = rows[run, thread, number][key]
        assert record.content == new_fact(binder, json.loads(row.content), key).content, "a fact is not as it was sent"


def verify(url: str, seen: Seen) -> None:
    """What `strikeout log verify` says of the log, up to the last record that was seen."""
    head = f"{seen.link.position}:{seen.link.hash.hex()}"
    command = [sys.executable, "-m", "strikeout", "log", "verify", "--db", url, "--log", LOG, "--head", head]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"head {head}" in done.stdout


def many_kills(url: str, kills: int, seed: int, server: postgresql_server.Server | None) -> Seen:
    """Kill the service so many times on a database, and give what was seen."""
    begun, chance = kill_log.prepare(url), random.Random(seed)
    seen = Seen(begun.ruleset, begun.link)
    with contextlib.closing(Nursery(url)) as nursery:
        for _ in range(kills):
            kill(url, nursery, seen, chance, server)
    with Process(url) as service, used(service, seen, chance, fresh=0):
        pass
    assert not seen.unsure
    look(url, seen, whole=True)
    assert seen.keys == seen.receipts.keys()
    assert seen.link.position == 1 + len(seen.keys)
    return seen


def told(seen: Seen) -> str:
    """What was seen."""
    return (
        f"{seen.kills} kills of the service, {seen.away} of the server; {seen.batches} batches sent, "
        f"{len(seen.receipts)} facts acknowledged; {seen.resent} batches sent again, of which {seen.kept} had been "
        f"kept whole; {len(seen.decided)} decisions, {seen.repeated} of them asked for again"
    )


if __name__ == "__main__":
    kill_log.by_hand(
        "Kill the service while many use it, and look at what is left.", parent_of_services, many_kills, told
    )
