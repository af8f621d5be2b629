"""`python -m benchmarks`: run strikeout and its peers side by side on this machine, and print the tables."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import strikeout

from .peers import PEERS
from .runs import say
from .samples import KEYS
from .sections import ENGINES, SECTIONS, Options

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def whole(text: str) -> int:
    """A positive whole number, also as 1e5 or 10_000."""
    number = int(float(text.replace("_", "")))
    if number < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is no positive number")
    return number


def listed(text: str) -> tuple[int, ...]:
    """Ascending positive numbers, separated by commas."""
    return tuple(sorted({whole(part) for part in text.split(",")}))


def names(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """Names among those that are known, separated by commas."""

    def parse(text: str) -> tuple[str, ...]:
        found = tuple(part.strip() for part in text.split(","))
        wrong = [name for name in found if name not in known]
        if wrong:
            raise argparse.ArgumentTypeError(f"unknown `{wrong[0]}`; known are {', '.join(known)}")
        return found

    return parse


def parser() -> argparse.ArgumentParser:
    modules = tuple(peer.module for peer in PEERS)
    sections = tuple(name for name, _, _ in SECTIONS)
    made = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    made.add_argument("--only", type=names(sections), default=sections, help="sections: " + ", ".join(sections))
    made.add_argument("--peers", type=names(modules), default=(), help="peers: " + ", ".join(modules))
    made.add_argument("--engines", type=names(ENGINES), default=ENGINES, help="of the other sections, among these")
    made.add_argument(
        "--keys", type=names(KEYS), default=KEYS, help="how the facts of one seller lie: " + ", ".join(KEYS)
    )
    made.add_argument("--sizes", type=listed, default="1e4,1e5,1e6", help="facts of the files of `peers`, up to 1e8")
    made.add_argument("--sellers", type=listed, default="1000,10000,50000", help="how many sellers of twenty facts")
    made.add_argument("--history", type=listed, default="12500,25000,50000", help="how many facts of one seller")
    made.add_argument("--journal", type=listed, default="500,1000,2000", help="how many facts a journal is of")
    made.add_argument("--parquet", type=listed, default="1e4,1e5,1e6,1e7", help="facts of the files of `parquet`")
    made.add_argument("--large", action="store_true", help="and a file of 1e8 facts in `parquet`")
    made.add_argument("--kernel", type=whole, default="2e6", help="how many facts `kernels` has of each mix")
    made.add_argument("--served", type=whole, default="1e6", help="how many facts the log of `service` has")
    made.add_argument("--processes", type=int, default=1, help="how many of the service run on one database")
    made.add_argument("--soak", type=float, default=60, help="for how many seconds the memory of `service` is watched")
    made.add_argument("--budget", type=float, default=60, help="seconds after which a peer gets no larger file")
    made.add_argument("--repeat", type=whole, default=2, help="how often each is measured; the best counts")
    made.add_argument("--seed", type=int, default=0, help="which sample")
    made.add_argument("--shuffled", action="store_true", help="files in an order drawn by chance")
    made.add_argument("--folder", type=Path, help="where to keep the files, else they are temporary")
    made.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    return made


def machine() -> str:
    """The machine in a line."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        named = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB"
    today = datetime.datetime.now(datetime.UTC).date()
    # On a machine that does other work as well the rates are lower, and the ratios rougher.
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"{today}, strikeout {strikeout.__version__}, Python {platform.python_version()}, {platform.system()},"
        f" {os.cpu_count()} cores of {model}{memory}{load}"
    )


def main() -> None:
    asked = parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="strikeout-benchmarks-") as folder:
        options = Options(
            asked.sizes,
            asked.peers,
            asked.engines,
            asked.keys,
            asked.sellers,
            asked.history,
            asked.journal,
            asked.budget,
            asked.repeat,
            asked.seed,
            asked.shuffled,
            asked.folder or Path(folder),
            asked.parquet,
            asked.large,
            asked.kernel,
            asked.served,
            asked.soak,
            asked.processes,
        )
        paragraphs = [f"Measured {machine()}; the best of {asked.repeat}."]
        print(paragraphs[0], flush=True)
        for name, heading, section in SECTIONS:
            if name not in asked.only:
                continue
            say(f"{heading} …")
            paragraphs.append(f"### {heading}")
            print(f"\n{paragraphs[-1]}", flush=True)
            for paragraph in section(options):
                paragraphs.append(paragraph)
                print(f"\n{paragraph}", flush=True)
    if asked.write:
        put("\n\n".join(paragraphs))


def put(text: str) -> None:
    """Put the tables in the place of the last ones."""
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{README} has no place for the tables: {BEGIN} … {END}")
    README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
