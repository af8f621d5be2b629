"""The service under load: appends and decisions over HTTP, with the client on the same machine.

What the client takes of the machine is missing to the service; how long a decision keeps a core busy is told as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from strikeout.reach.sample import COLUMNS, rows

from .load import Connection, Figures, at_rate, in_turn
from .runs import say
from .tables import rounded, table

if TYPE_CHECKING:
    from .sections import Options

LOG = "sample"
RULESET = "taobao-counterfeit"
BATCH = 1_000
CONNECTIONS = 16
SINGLE, COLD, WARM, DECIDED = 2_000, 2_000, 20_000, 20_000
"""How many facts come one by one; how many decisions are asked for at first, how many then, and how many are timed."""
MORE = 100_000
"""How many facts, at most, come after those of the log, and later than those."""
AT_HALF = 10.0
"""For how many seconds decisions come at half the rate."""

FACTS, DECIDE = f"/v1/logs/{LOG}/facts", f"/v1/logs/{LOG}/decide"
LINES = "application/x-ndjson"

LEAST = {"batches": 2_000.0, "single": 500.0, "decided": 1_500.0}
MOST_P99 = 25.0
"""What is to be reached: a second, and milliseconds at half the rate."""


@contextlib.contextmanager
def service(database: Path, number: int, *options: str) -> Iterator[tuple[int, int]]:
    """A service in a process of its own, one of several on a database: its port and the process's id."""
    command = [sys.executable, "-m", "strikeout", "serve", "--db", str(database), "--port", "0", *options]
    log = database.with_suffix(f".{number}.jsonl")
    with log.open("w") as told, subprocess.Popen(command, stderr=told) as process:
        try:
            yield _port(log, process), process.pid
        finally:
            process.terminate()
            process.wait(60)


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    for _ in range(600):
        time.sleep(0.05)
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                return int(json.loads(line)["port"])
        if process.poll() is not None:
            break
    raise RuntimeError(f"the service did not begin: {log.read_text()[-500:]}")


def resident(processes: Sequence[int]) -> int:
    """The memory of processes, in megabytes."""
    found = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text()) for process in processes]
    return sum(int(each[1]) // 1024 for each in found if each)


def spent(processes: Sequence[int]) -> float:
    """The seconds for which processes have kept a core busy."""
    fields = [Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split() for process in processes]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def facts(number: int, seed: int) -> Iterator[bytes]:
    """A sample as lines that the service takes."""
    for place, row in enumerate(rows(number, seed)):
        cells = {name: cell for name, cell in zip(COLUMNS, row, strict=True) if cell}
        yield json.dumps({"key": f"k{place}", "fact": cells}).encode()


def sellers(number: int, seed: int) -> list[str]:
    """The sellers of a sample, each as often as facts name it: whoever has many is asked about often."""
    place = COLUMNS.index("seller")
    return [row[place] for row in islice(rows(number + MORE, seed), number)]


def post(port: int, path: str, value: object = None) -> None:
    """Send something once."""

    async def once() -> tuple[int, bytes]:
        connection = Connection(port)
        try:
            return await connection.post(path, json.dumps(value).encode())
        finally:
            connection.close()

    status, body = asyncio.run(once())
    if status >= 300:
        raise RuntimeError(body.decode())


def _together(lines: Iterator[bytes], number: int) -> Iterator[bytes]:
    while batch := list(islice(lines, number)):
        yield b"\n".join(batch)


def section(options: Options) -> Iterator[str]:
    """What the service reaches on a log with the skew of a marketplace."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        yield f"Left out: {' and '.join(missing)} of the extra `service` is not installed."
        return
    number, seed = options.served, options.seed
    asked_for = min(DECIDED, 10 * number)
    chance = random.Random(seed)
    whom = sellers(number, seed)

    def ask() -> bytes:
        return json.dumps({"subject": chance.choice(whom)}).encode()

    def load(what: str, figures: Figures, each: int = 1) -> Figures:
        say(f"  {what}: {figures.rate * each:,.0f} a second, p99 {figures.percentile(0.99):.1f} ms")
        return figures

    with (
        tempfile.TemporaryDirectory(prefix="strikeout-service-") as folder,
        contextlib.ExitStack() as stack,
    ):
        database = Path(folder) / "log.db"
        begun = [stack.enter_context(service(database, n, "--rate", "0")) for n in range(options.processes)]
        ports, processes = [port for port, _ in begun], [process for _, process in begun]
        port = ports[0]
        post(port, f"/v1/logs/{LOG}")
        post(port, f"/v1/logs/{LOG}/activations", {"ruleset": RULESET, "from": "2015-01-01"})
        more = facts(number + MORE, seed)
        batches = _together(islice(more, number), BATCH)
        batched = load("appended in batches", asyncio.run(in_turn(batches, FACTS, LINES, ports, 2)), BATCH)
        single = load(
            "one by one", asyncio.run(in_turn(islice(more, min(SINGLE, number)), FACTS, "", ports, CONNECTIONS))
        )
        cold = load(
            "decided at first",
            asyncio.run(in_turn((ask() for _ in range(min(COLD, number))), DECIDE, "", ports, CONNECTIONS)),
        )
        asyncio.run(in_turn((ask() for _ in range(min(WARM, number))), DECIDE, "", ports, CONNECTIONS))
        busy = spent(processes)
        decided = load(
            "decided", asyncio.run(in_turn((ask() for _ in range(asked_for)), DECIDE, "", ports, CONNECTIONS))
        )
        busy = (spent(processes) - busy) / asked_for
        half = load(
            "at half", asyncio.run(at_rate(ask, DECIDE, ports, LEAST["decided"] / 2, min(AT_HALF, options.soak)))
        )
        memory, mixed = asyncio.run(_soak(ask, more, ports, processes, options.soak, LEAST["decided"] / 3))
        load("decisions while facts come", mixed)
    yield table(
        [f"{options.processes} of the service, SQLite, a log of", f"{number:,} facts", "to be reached"],
        [
            ["facts appended a second, in batches of a thousand", rounded(batched.rate * BATCH), "2,000"],
            [f"facts appended a second, one by one over {CONNECTIONS} connections", rounded(single.rate), "500"],
            [f"decisions a second over {CONNECTIONS} connections", rounded(decided.rate), "1,500"],
            ["the same of the first decisions, with nothing in memory", rounded(cold.rate), ""],
            ["a decision keeps a core busy for, µs", rounded(busy * 1e6), ""],
            ["at 750 a second: p50 ms", f"{half.percentile(0.5):.1f}", ""],
            ["at 750 a second: p99 ms", f"{half.percentile(0.99):.1f}", f"under {MOST_P99:g}"],
            ["at 500 a second, while facts come: p99 ms", f"{mixed.percentile(0.99):.1f}", ""],
            [f"memory over {options.soak:g} s, MB", " ".join(map(str, memory)), "steady"],
            ["refused", str(sum(f.refused for f in (batched, single, cold, decided, half, mixed))), "0"],
        ],
    )


async def _soak(
    ask: Callable[[], bytes],
    more: Iterator[bytes],
    ports: Sequence[int],
    processes: Sequence[int],
    seconds: float,
    rate: float,
) -> tuple[list[int], Figures]:
    """Decisions, and facts one by one, for a while: the memory of the service in megabytes, now and then."""
    memory = [resident(processes)]

    async def appending() -> None:
        connection = Connection(ports[0])
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            await connection.post(FACTS, next(more))
            await asyncio.sleep(0.02)
        connection.close()

    async def watching() -> None:
        for _ in range(10):
            await asyncio.sleep(seconds / 10)
            memory.append(resident(processes))

    figures, _, _ = await asyncio.gather(at_rate(ask, DECIDE, ports, rate, seconds), appending(), watching())
    return memory, figures
