"""The facts that are measured on: files of a whole marketplace, and histories of one seller."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from strikeout.commands.sample import write_csv, write_parquet
from strikeout.reach.sample import rows, shuffled

START = datetime(2015, 1, 1)
DAY = 86_400
BULK = 3_000_000
"""From how many facts on the columns are made many at a time, where numpy and pyarrow are installed."""

Fact = dict[str, object]


def sample_file(folder: Path, facts: int, form: str, seed: int = 0, in_disorder: bool = False) -> Path:
    """A file of so many facts, made unless it is there: `csv`, which every peer reads, or `parquet`.

    The two forms of a sample hold the same facts in the same order.
    """
    path = folder / f"facts-{facts}-{seed}{'-shuffled' if in_disorder else ''}.{form}"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".part")
    if facts >= BULK and form == "csv":
        from .bulk import as_csv

        as_csv(sample_file(folder, facts, "parquet", seed, in_disorder), made)
    elif facts >= BULK:
        from .bulk import write

        write(made, facts, seed, in_disorder)
    else:
        given = rows(facts, seed)
        given = shuffled(given, facts, seed) if in_disorder else given
        with made.open("wb") as file:
            (write_parquet if form == "parquet" else write_csv)(file, given)
    made.replace(path)
    return path


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def even(sellers: int, each: int, seed: int = 0) -> Iterator[tuple[str, list[Fact]]]:
    """Seller after seller with the same number of facts: complaints over two years, now and then one withdrawn."""
    chance = random.Random(seed)
    for seller in range(sellers):
        name = f"s{seller}"
        seconds = sorted(chance.randrange(730 * DAY) for _ in range(each))
        facts: list[Fact] = []
        for number, second in enumerate(seconds):
            at = (START + timedelta(seconds=second)).isoformat()
            if number and chance.random() < 0.05:
                facts.append({"kind": "withdrawal", "at": at, "seller": name, "complaint": f"c{number - 1}"})
                continue
            complainant = int(chance.random() * 4)
            facts.append(
                upheld(name, at, number, complainant, int(chance.random() * 3), "confirmed" if second % 7 == 0 else "")
            )
        yield name, facts


KEYS = ("realistic", "one key", "one window", "one instant", "all count")
"""How the complaints about one seller lie; all but the first are there to find what grows faster than the facts."""


def single(facts: int, keys: str, seed: int = 0) -> list[Fact]:
    """The history of one seller.

    `realistic`: many complainants over two years, one in twenty withdrawn. `one key`: one complainant and right. `one
    window`: within 72 hours. `one instant`: all at once. `all count`: every complaint counts by itself.
    """
    chance = random.Random(seed)
    span = {"one window": 70 * 3600, "one instant": 0}.get(keys, 730 * DAY)
    found: list[Fact] = []
    for number in itertools.count():
        if len(found) >= facts:
            return found
        at = (START + timedelta(seconds=span * len(found) // facts)).isoformat()
        if keys == "realistic" and number > 3 and chance.random() < 0.05:
            found.append({"kind": "withdrawal", "at": at, "seller": "s1", "complaint": f"c{number - 3}"})
            continue
        complainant, right = (int(chance.random() * 40), int(chance.random() * 5)) if keys == "realistic" else (0, 0)
        level = "confirmed" if keys == "all count" else ""
        found.append(upheld("s1", at, number, complainant, right, level))
    return found


def upheld(seller: str, at: str, number: int, complainant: int, right: int, level: str) -> Fact:
    """An upheld complaint about a counterfeit."""
    return {
        "kind": "upheld",
        "at": at,
        "seller": seller,
        "complaint": f"c{number}",
        "complainant": f"p{complainant}",
        "right": f"p{complainant}-r{right}",
        "finding": "counterfeit",
        "level": level,
        "base": 2,
    }
