"""What is measured, section by section, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import end_to_end, kernels, service
from .peers import PEERS, Peer
from .runs import Measured, growth, measure, say
from .samples import sample_file
from .tables import ratio, rounded, table

ENGINES = ("rete", "compiled", "bare")
NAMES = {
    "rete": "engine `rete`",
    "compiled": "engine `compiled`",
    "bare": "durable_rules, bare",
    "handwritten": "hand-written Python",
}

UNDER_RETE = 3_000
"""Facts a second that the engine `rete` is to reach on sellers with twenty facts each."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `budget` is in seconds, `folder` is where the samples lie."""

    sizes: tuple[int, ...]
    peers: tuple[str, ...]
    engines: tuple[str, ...]
    keys: tuple[str, ...]
    sellers: tuple[int, ...]
    history: tuple[int, ...]
    journal: tuple[int, ...]
    budget: float
    repeat: int
    seed: int
    in_disorder: bool
    folder: Path
    parquet: tuple[int, ...]
    large: bool
    kernel: int
    served: int
    soak: float
    processes: int


def side_by_side(options: Options) -> Iterator[str]:
    """Every peer on the same files."""
    sizes = options.sizes
    heads = ["facts a second, of", *(f"{size:,} facts" for size in sizes)]
    heads += ["to the first", "growth", "peak MB", "loading s", "conclusions"]
    rows: list[list[str]] = []
    notes: list[str] = []
    first: dict[int, Measured] = {}
    judge: dict[int, object] = {}
    for peer in PEERS:
        if options.peers and peer.module not in options.peers:
            continue
        missing = peer.missing()
        if missing:
            rows.append([peer.name, *[""] * (len(heads) - 2), missing])
            continue
        found = dict(_peer(peer, options))
        good = {size: measured for size, measured in found.items() if not measured.failure}
        first = first or good
        if peer.policy == "whole":
            for size, measured in good.items():
                judge.setdefault(size, measured.figures["tally"])
        rows.append([peer.name, *_cells(peer, found, options, first, judge)])
        if peer.note:
            notes.append(f"{peer.name}: {peer.note}.")
    yield table(heads, rows)
    yield from notes


def _peer(peer: Peer, options: Options) -> Iterator[tuple[int, Measured]]:
    """A peer on each size, up to the first that it does not manage."""
    expected = 0.0
    for size in options.sizes:
        if size > peer.most or expected > options.budget:
            yield size, Measured(failure="left out" if size > peer.most else f"over {options.budget:g} s")
            return
        path = sample_file(options.folder, size, peer.form, options.seed, options.in_disorder)
        say(f"  {peer.name}: {size:,} facts")
        found = measure(
            4 * options.budget, options.repeat, "peer", module=peer.module, path=str(path.resolve()), facts=size
        )
        say(f"    {found.failure or f'{found.seconds:.2f} s'}")
        yield size, found
        if found.failure:
            return
        following = [larger for larger in options.sizes if larger > size]
        expected = (found.seconds + found.figures["load"]) * (following[0] / size if following else 0)


def _cells(
    peer: Peer, found: dict[int, Measured], options: Options, first: dict[int, Measured], judge: dict[int, object]
) -> list[str]:
    rates = []
    for size in options.sizes:
        measured = found.get(size)
        rates.append("" if measured is None else measured.failure or rounded(measured.rate))
    good = [(size, measured) for size, measured in found.items() if not measured.failure]
    if not good:
        return [*rates, "", "", "", "", ""]
    compared = [size for size, _ in good if size in first]
    times = ratio(found[compared[-1]].rate / first[compared[-1]].rate) if compared else ""
    exponent = f"{growth(good[-2][1], good[-1][1]):.2f}" if len(good) > 1 else ""
    last = good[-1][1]
    if peer.policy == "none":
        same = "–"
    elif peer.policy == "whole":
        same = "the same" if all(m.figures["tally"] == judge[size] for size, m in good) else "DIFFERENT"
    else:
        right = all(m.figures["tally"] == m.figures["expected"] for _, m in good)
        same = f"as {peer.policy} say" if right else "DIFFERENT"
    return [*rates, times, exponent, f"{last.figures['peak']:,}", f"{last.figures['load']:.2f}", same]


def many_sellers(options: Options) -> Iterator[str]:
    """Sellers with twenty facts each, in one process, nothing kept of those that are done."""
    heads = ["twenty facts each: facts a second, of"]
    heads += [f"{number:,} sellers" for number in options.sellers] + ["peak MB of each", f"at least {UNDER_RETE:,}"]
    rows = []
    asked = [(NAMES[engine], engine, "sellers") for engine in options.engines]
    asked += [
        (f"{name}, `strikeout run` on a file", engine, "command") for name, engine, _ in asked if engine != "bare"
    ]
    for name, engine, what in asked:
        say(f"  {name}")
        found = [
            measure(10 * options.budget, options.repeat, what, engine=engine, number=number, each=20)
            for number in options.sellers
        ]
        good = [m for m in found if not m.failure]
        reached = "yes" if good and min(m.rate for m in good) >= UNDER_RETE else "NO"
        rows.append(
            [
                name,
                *(m.failure or rounded(m.rate) for m in found),
                " · ".join(f"{m.figures['peak']:,}" for m in good),
                reached if engine != "bare" else "–",
            ]
        )
    yield table(heads, rows)


def one_seller(options: Options) -> Iterator[str]:
    """The history of one seller, under a policy that never closes."""
    heads = ["one seller: seconds for", *(f"{number:,} facts" for number in options.history)]
    heads += ["growth", "facts a second", "status ms", "peak MB"]
    rows = []
    for engine in options.engines:
        for keys in options.keys:
            name = f"{NAMES[engine]}, {keys}"
            say(f"  {name}")
            rows.append([name, *_grown(options, options.history, "history", engine=engine, keys=keys)])
    yield table(heads, rows)


def journals(options: Options) -> Iterator[str]:
    """The journal of one seller of whose complaints one in twenty is withdrawn."""
    heads = ["journal of one seller: seconds for", *(f"{number:,} facts" for number in options.journal)]
    heads += ["growth", "facts a second", "status ms", "peak MB"]
    rows = []
    for engine in options.engines:
        if engine == "bare":
            continue
        say(f"  {NAMES[engine]}")
        rows.append([NAMES[engine], *_grown(options, options.journal, "journal", engine=engine)])
    yield table(heads, rows)


def _grown(options: Options, sizes: tuple[int, ...], what: str, **asked: object) -> list[str]:
    found: list[Measured] = []
    for number in sizes:
        limit, repeat = (options.budget, 1) if asked["engine"] == "bare" else (4 * options.budget, options.repeat)
        found.append(measure(limit, repeat, what, number=number, **asked))
        say(f"    {number:,}: {found[-1].failure or f'{found[-1].seconds:.2f} s'}")
        if found[-1].failure:
            break
    cells = [m.failure or f"{m.seconds:.2f}" for m in found] + [""] * (len(sizes) - len(found))
    good = [m for m in found if not m.failure]
    if not good:
        return [*cells, "", "", "", ""]
    exponent = f"{growth(good[0], good[-1]):.2f}" if len(good) > 1 else ""
    last = good[-1].figures
    status = f"{last['status'] * 1000:.1f}" if "status" in last else ""
    return [*cells, exponent, rounded(good[-1].rate), status, f"{last['peak']:,}"]


def one_history(options: Options) -> Iterator[str]:
    """Twenty facts of one seller, one history at a time."""
    heads = ["one history of twenty facts, warm", "µs", "to the first"]
    rows = []
    first: Measured | None = None
    for engine in (*options.engines, "handwritten"):
        if engine == "bare":
            continue
        name = NAMES[engine]
        say(f"  {name}")
        found = measure(4 * options.budget, options.repeat, "latency", engine=engine, each=20)
        if found.failure:
            rows.append([name, found.failure, ""])
            continue
        first = first or found
        rows.append([name, rounded(found.seconds * 1e6), ratio(first.seconds / found.seconds)])
    yield table(heads, rows)


Section = Callable[[Options], Iterator[str]]

SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("peers", "Side by side, `taobao-counterfeit`", side_by_side),
    ("sellers", "Many sellers", many_sellers),
    ("history", "One seller with very many facts", one_seller),
    ("journal", "The journal", journals),
    ("latency", "One history at a time", one_history),
    ("parquet", "End to end from Parquet", end_to_end.section),
    ("kernels", "The kernel alone", kernels.section),
    ("service", "The service", service.section),
)
"""Name, heading, and what measures it and gives its paragraphs."""
