"""A sample of many millions of facts in columns: the same marketplace as `strikeout sample`, not the same facts.

Only where numpy and pyarrow are installed; about ten times as fast.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from strikeout.reach import sample

BLOCK = 1_000_000
ROW = np.dtype(
    [
        ("second", "i4"),
        ("kind", "i1"),
        ("seller", "i4"),
        ("complaint", "i4"),
        ("complainant", "i4"),
        ("right", "i1"),
        ("traits", "i4"),
        ("filed", "i1"),
    ]
)
SCHEMA = pa.schema(
    [
        (
            name,
            {"at": pa.timestamp("us"), "special": pa.bool_(), "base": pa.int64(), "filed_at": pa.date32()}.get(
                name, pa.string()
            ),
        )
        for name in sample.COLUMNS
    ]
)
START = (sample.FIRST_DAY - type(sample.FIRST_DAY)(1970, 1, 1)).days


def write(path: Path, facts: int, seed: int, in_disorder: bool = False) -> None:
    """Write a sample as Parquet."""
    given = blocks(facts, seed)
    with pa.parquet.ParquetWriter(path, SCHEMA) as writer:
        for block in disordered(given, facts, seed) if in_disorder else given:
            writer.write_table(table(block))


def as_csv(source: Path, path: Path) -> None:
    """Write the facts of a Parquet file as CSV."""
    options = pa.csv.WriteOptions(quoting_style="needed")
    schema = SCHEMA.set(1, pa.field("at", pa.string()))
    with pa.csv.CSVWriter(path, schema, write_options=options) as writer:
        for batch in pa.parquet.ParquetFile(source).iter_batches():
            texts = pc.strftime(batch["at"].cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S")
            columns = [texts if name == "at" else batch[name] for name in sample.COLUMNS]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def blocks(facts: int, seed: int) -> Iterator[Any]:
    """The facts in order of time, about a million at a time."""
    chance = np.random.default_rng(seed)
    sellers = max(1, facts // 4)
    scale, octaves = sample.few_sellers(facts, sellers)
    few = ((1 << octaves) - 1) * scale
    complainants = max(3, (facts // 50).bit_length())
    gap = sample.DAYS * sample.DAY * (1 + 2 * sample.REPEATED) * (1 + sample.WITHDRAWN + sample.REVERSED) / facts
    later = np.zeros(0, ROW)
    undone = np.zeros(0, ROW)
    made = complaints = fresh = 0
    while made < facts:
        new = np.zeros(BLOCK, ROW)
        new["second"] = gap * (fresh + np.arange(BLOCK) + chance.random(BLOCK))
        fresh += BLOCK
        end = int(gap * fresh)
        many = chance.random(BLOCK) < sample.FROM_FEW
        new["seller"] = np.where(
            many,
            rank(chance.random(BLOCK) * octaves, scale) - scale,
            few + (chance.random(BLOCK) * (sellers - few)).astype("i4"),
        )
        usual = chance.random(BLOCK) < sample.BY_THE_USUAL
        mixed = (new["seller"].astype("u8") * 0x9E3779B1 & 0xFFFFFFFF) / 0x1_0000_0000
        new["complainant"] = rank(np.where(usual, mixed, chance.random(BLOCK)) * complainants)
        new["right"] = np.where(usual, 1, rank(chance.random(BLOCK) * sample.RIGHTS))
        times = np.where(chance.random(BLOCK) < sample.REPEATED, 1 + (chance.random(BLOCK) * 3).astype("i4"), 0)
        more = np.repeat(new, times)
        more["second"] += 1 + (chance.random(len(more)) * 3 * sample.DAY).astype("i4")
        acts = np.concatenate([later, new, more])
        now = acts["second"] < end
        later, acts = acts[~now], acts[now]
        acts = acts[np.argsort(acts["second"], kind="stable")]
        acts["complaint"] = complaints + 1 + np.arange(len(acts))
        complaints += len(acts)
        acts["traits"] = (chance.random(len(acts)) * len(sample.TRAITS)).astype("i4")
        acts["filed"] = 1 + (chance.random(len(acts)) * 6).astype("i1")
        fate = chance.random(len(acts))
        for kind, low, high, days in (
            (1, 0.0, sample.WITHDRAWN, 30),
            (2, sample.WITHDRAWN, sample.WITHDRAWN + sample.REVERSED, 60),
        ):
            these = acts[(fate >= low) & (fate < high)]
            these["kind"] = kind
            these["second"] += 1 + (chance.random(len(these)) * days * sample.DAY).astype("i4")
            undone = np.concatenate([undone, these])
        now = undone["second"] < end
        block = np.concatenate([acts, undone[now]])
        undone = undone[~now]
        block = block[np.argsort(block["second"], kind="stable")][: facts - made]
        made += len(block)
        yield block


def rank(numbers: Any, scale: int = 1) -> Any:
    """The ranks of numbers of octaves; see `sample.rank`."""
    octaves = numbers.astype("i4")
    return ((scale * 2.0**octaves) * (1 + numbers - octaves)).astype("i4")


def disordered(given: Iterator[Any], facts: int, seed: int) -> Iterator[Any]:
    """The facts in an order drawn by chance; they wait in a temporary file for each future block."""
    chance = np.random.default_rng([seed, 1])
    with tempfile.TemporaryDirectory() as folder:
        heaps = [Path(folder, str(number)) for number in range(math.ceil(facts / BLOCK))]
        for block in given:
            places = chance.integers(0, len(heaps), len(block))
            for number, heap in enumerate(heaps):
                with heap.open("ab") as file:
                    file.write(block[places == number].tobytes())
        for heap in heaps:
            yield chance.permutation(np.fromfile(heap, ROW))


def table(block: Any) -> Any:
    """A block as a table with the columns of a sample."""
    kinds = np.asarray(block["kind"])
    undone = pa.array(kinds > 0)
    traits = np.asarray(block["traits"])
    texts = list(zip(*sample.TRAITS, strict=True))
    days = block["second"] // sample.DAY + START

    def ids(prefix: str, numbers: Any) -> Any:
        return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")

    def chosen(values: list[Any], kind: Any) -> Any:
        return pa.array(values, kind).take(pa.array(traits))

    columns = {
        "kind": pa.array(sample.KINDS).take(pa.array(kinds)),
        "at": pa.array((block["second"].astype("i8") + START * sample.DAY) * 1_000_000).cast(pa.timestamp("us")),
        "seller": ids("s", block["seller"]),
        "complaint": ids("c", block["complaint"]),
        "complainant": ids("p", block["complainant"]),
        "right": pc.binary_join_element_wise(ids("p", block["complainant"]), ids("r", block["right"]), "-"),
        "finding": chosen(list(texts[0]), pa.string()),
        "level": chosen([text or None for text in texts[1]], pa.string()),
        "special": chosen([text == "true" if text else None for text in texts[2]], pa.bool_()),
        "base": chosen([int(text) if text else None for text in texts[3]], pa.int64()),
        "filed_at": pa.array((days - block["filed"]).astype("i4")).cast(pa.date32()),
    }
    for name in sample.COLUMNS[4:]:
        columns[name] = pc.if_else(undone, pa.scalar(None, columns[name].type), columns[name])
    return pa.table([columns[name] for name in sample.COLUMNS], schema=SCHEMA)
