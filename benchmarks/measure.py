"""One measurement, in a process of its own: `python -m benchmarks.measure '{"what": …}'` prints its figures as JSON.

Peak memory is that of the whole process, libraries and facts included.
"""

from __future__ import annotations

import csv
import gc
import importlib
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import end_to_end, kernels

Figures = dict[str, Any]

PATIENCE = 1.0
"""Seconds within which what is quick is done again, to take the best."""


def peak_megabytes() -> int:
    """The most memory that this process has held; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024
    try:
        import resource
    except ImportError:
        return 0
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found // (1024 * 1024 if sys.platform == "darwin" else 1024)


def clocked(function: Callable[[], Any]) -> tuple[float, Any]:
    """How long a call takes, in seconds, and its answer."""
    start = time.perf_counter()
    answer = function()
    return time.perf_counter() - start, answer


def peer(module: str, path: str, facts: int) -> Figures:
    """A peer on a file: to load it, to decide, and in numbers what was concluded."""
    this = importlib.import_module(f"benchmarks.peers.{module}")
    load, loaded = clocked(lambda: this.load(Path(path)))
    if hasattr(this, "WARM"):
        this.decide(loaded)
    gc.collect()
    first, decided = clocked(lambda: this.decide(loaded))
    peak = peak_megabytes()
    figures = {"facts": getattr(this, "facts_of", lambda _: facts)(loaded), "load": load, "first": first, "peak": peak}
    figures["tally"] = this.tally(decided)
    if hasattr(this, "expected"):
        figures["expected"] = this.expected(loaded)
    best, spent = first, first
    while spent < PATIENCE and not hasattr(this, "ONCE"):
        del decided
        seconds, decided = clocked(lambda: this.decide(loaded))
        best, spent = min(best, seconds), spent + seconds
    return {**figures, "decide": best}


def sellers(engine: str, number: int, each: int) -> Figures:
    """Sellers with the same number of facts, one after the other; nothing is kept of those that are done."""
    from benchmarks.samples import even

    if engine == "bare":
        return bare(itertools.chain.from_iterable(facts for _, facts in even(number, each)))
    import strikeout
    from strikeout.facts import merge_duplicates
    from strikeout.machine.timeline import run_subject
    from strikeout.rows import Binder

    ruleset = strikeout.load("taobao-counterfeit")
    program, binder = ruleset.program(engine), Binder(ruleset.model)
    as_of = ruleset.model.zone.parse("2017-06-01")
    seconds, derived, facts, half = 0.0, 0, 0, 0
    for place, (name, rows) in enumerate(even(number, each)):
        start = time.perf_counter()
        run = run_subject(program, name, merge_duplicates(binder.fact(row) for row in rows), as_of)
        derived += len(run.conclusions)
        seconds += time.perf_counter() - start
        facts += len(rows)
        if place == number // 2:
            half = peak_megabytes()
    return {"facts": facts, "decide": seconds, "peak": peak_megabytes(), "half": half, "derived": derived}


def command(engine: str, number: int, each: int) -> Figures:
    """The same sellers by `strikeout run`, from a file in order of time to a file of conclusions."""
    from benchmarks.samples import even
    from strikeout.cli import commands
    from strikeout.reach.sample import COLUMNS

    with tempfile.TemporaryDirectory(prefix="strikeout-benchmarks-") as folder:
        given, made = Path(folder, "facts.csv"), Path(folder, "conclusions.jsonl")
        facts = 0
        with given.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            for _, rows in even(number, each):
                table.writerows(rows)
                facts += len(rows)
        arguments = ["run", "taobao-counterfeit", str(given), "--engine", engine, "-o", str(made)]
        start = time.perf_counter()
        try:
            commands(arguments, standalone_mode=False)
        except SystemExit as end:
            if end.code:
                raise
        seconds = time.perf_counter() - start
        with made.open("rb") as file:
            derived = sum(1 for _ in file)
    return {"facts": facts, "decide": seconds, "peak": peak_megabytes(), "derived": derived}


def history(engine: str, number: int, keys: str) -> Figures:
    """The history of one seller under a policy that never closes, so that every fact is looked at to the end."""
    from benchmarks.samples import single

    rows = single(number, keys)
    if engine == "bare":
        return bare(iter(rows))
    import strikeout
    from strikeout.facts import merge_duplicates
    from strikeout.machine.timeline import run_subject
    from strikeout.rows import Binder
    from strikeout.speech import outcome

    ruleset = strikeout.load("taobao-counterfeit").with_parameters({"strike_limit": 10**9, "closing_points": 10**9})
    program, binder = ruleset.program(engine), Binder(ruleset.model)
    bind, facts = clocked(lambda: merge_duplicates(binder.fact(row) for row in rows))
    as_of = facts[-1].at
    decide, run = clocked(lambda: run_subject(program, "s1", facts, as_of))
    peak = peak_megabytes()
    status, _ = clocked(lambda: outcome.status(ruleset.model, run))
    figures = {"facts": len(facts), "bind": bind, "decide": decide, "status": status, "peak": peak}
    return {**figures, "derived": len(run.conclusions)}


def journal(engine: str, number: int) -> Figures:
    """The journal of one seller of whose complaints one in twenty is withdrawn."""
    import strikeout
    from benchmarks.samples import single

    outcome = strikeout.load("taobao-counterfeit").run(single(number, "realistic"), engine=engine)
    seconds, lines = clocked(lambda: outcome.journal("s1"))
    return {"facts": number, "decide": seconds, "derived": len(lines), "peak": peak_megabytes()}


def latency(engine: str, each: int) -> Figures:
    """One history at a time, warm: microseconds for each, from facts to conclusions."""
    from benchmarks.samples import even

    histories = [rows for _, rows in even(300, each)]
    if engine == "handwritten":
        from benchmarks.peers.handwritten import complaint_of, decide_seller

        acts = [[complaint_of({**EMPTY, **{k: str(v) for k, v in row.items()}}) for row in rows] for rows in histories]
        jobs: list[Callable[[], Any]] = [
            lambda these=these: list(decide_seller(these[0].seller, these))  # type: ignore[misc]
            for these in acts
        ]
    else:
        import strikeout
        from strikeout.facts import merge_duplicates
        from strikeout.machine.timeline import run_subject
        from strikeout.rows import Binder

        ruleset = strikeout.load("taobao-counterfeit")
        program, binder = ruleset.program(engine), Binder(ruleset.model)
        facts = [[binder.fact(row) for row in rows] for rows in histories]
        as_of = ruleset.model.zone.parse("2017-06-01")
        jobs = [
            lambda these=these: run_subject(program, these[0].subject, merge_duplicates(these), as_of)  # type: ignore[misc]
            for these in facts
        ]
    times = sorted(clocked(job)[0] for _ in range(3) for job in jobs)[: 2 * len(jobs)]
    median = times[len(times) // 2]
    return {"facts": each, "decide": median, "peak": peak_megabytes()}


EMPTY = dict.fromkeys(("complainant", "right", "finding", "level", "special", "base"), "")


def bare(rows: Iterator[dict[str, object]]) -> Figures:
    """durable_rules, bare: complaints go in one by one, a session a seller."""
    from durable.lang import post

    from benchmarks.peers import durable_bare
    from benchmarks.peers.handwritten import complaint_of

    acts = [complaint_of({**EMPTY, **{k: str(v) for k, v in row.items()}}) for row in rows]
    closed = durable_bare.make("bare")
    events = [durable_bare.event(number, act) for number, act in enumerate(acts) if act.kind == "upheld"]

    def all_of_them() -> None:
        for event in events:
            post("bare", event)

    try:
        seconds, _ = clocked(all_of_them)
    except MemoryError:
        # What is left of the library would kill the process when it ends.
        print("takes 1,024 sellers at most", file=sys.stderr, flush=True)
        os._exit(1)
    return {"facts": len(events), "decide": seconds, "peak": peak_megabytes(), "derived": len(closed)}


MEASUREMENTS: dict[str, Callable[..., Figures]] = {
    "peer": peer,
    "sellers": sellers,
    "command": command,
    "history": history,
    "journal": journal,
    "latency": latency,
    **end_to_end.MEASUREMENTS,
    **kernels.MEASUREMENTS,
}


def main() -> None:
    asked = json.loads(sys.argv[1])
    found = MEASUREMENTS[asked.pop("what")](**asked)
    found.setdefault("peak", peak_megabytes())
    print(json.dumps(found), flush=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
