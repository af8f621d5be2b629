"""The policy in polars.

Its expressions cannot say a window that does not slide, but an as-of join finds, for each act, the first one at least
72 hours later; a short loop follows these pointers for all keys at once. The rest is expressions.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.tally import KINDS, MODULUS, Tally

CAP, AGGRAVATED, LIMIT, CLOSING = 12, 3, 3, 48
SELLER = ["seller"]
KEY = ["seller", "complainant", "right"]


def load(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path)


def decide(facts: pl.DataFrame) -> pl.DataFrame:
    undone = (
        facts.filter(pl.col("kind") != "upheld").group_by("seller", "complaint").agg(pl.col("at").max().alias("undone"))
    )
    acts = (
        facts.filter(
            (pl.col("kind") == "upheld")
            & (pl.col("finding") == "counterfeit")
            & ~pl.col("special").fill_null(value=False)
        )
        .join(undone, on=["seller", "complaint"], how="left")
        .filter(pl.col("undone").is_null() | (pl.col("undone") < pl.col("at")))
        .select(
            *KEY,
            "complaint",
            "at",
            (pl.col("level") == "confirmed").fill_null(value=False).alias("confirmed"),
            pl.col("base").fill_null(0),
        )
        .sort("at", "complaint")
        .with_row_index("n")
    )
    violations, strikes = openers(acts, SELLER), openers(acts, KEY)
    information = pl.col("opens") & ~pl.col("confirmed")
    strike_closes = pl.col("strikes") & (pl.col("strike") >= LIMIT)
    room = pl.col("so_far").clip(upper_bound=CAP) - (pl.col("so_far") - pl.col("base")).clip(upper_bound=CAP)
    charged = (
        acts.with_columns(
            (pl.col("n").is_in(violations.implode()) | pl.col("confirmed")).alias("opens"),
            (pl.col("n").is_in(strikes.implode()) | pl.col("confirmed")).alias("strikes"),
        )
        .with_columns(
            pl.col("opens").cast(pl.Int64).cum_sum().over(SELLER).alias("violation"),
            pl.col("strikes").cast(pl.Int64).cum_sum().over(KEY).alias("strike"),
        )
        .with_columns(
            pl.when("confirmed")
            .then("violation")
            .otherwise(pl.when(information).then("violation").otherwise(None).forward_fill().over(SELLER))
            .alias("nth")
        )
        .with_columns(pl.col("base").cum_sum().over("seller", "nth", "confirmed").alias("so_far"))
        .with_columns(
            pl.when(strike_closes)
            .then(48)
            .when(pl.col("nth") >= AGGRAVATED)
            .then(pl.when("opens").then(24).otherwise(0))
            .when("confirmed")
            .then("base")
            .otherwise(room)
            .alias("amount")
        )
        .with_columns(
            (strike_closes | ((pl.col("amount") > 0) & (pl.col("amount").cum_sum().over(SELLER) >= CLOSING))).alias(
                "closes"
            )
        )
        .with_columns(pl.col("n").filter(pl.col("closes")).min().over(SELLER).alias("closed"))
        .filter(pl.col("closed").is_null() | (pl.col("n") <= pl.col("closed")))
    )
    found = [
        charged.filter(condition).select(
            "seller",
            pl.lit(kind).alias("kind"),
            "at",
            id_.alias("complaint"),
            "complainant",
            "right",
            amount.alias("amount"),
        )
        for kind, condition, id_, amount in (
            ("strike", pl.col("strikes"), pl.col("complaint"), pl.lit(0, pl.Int64)),
            ("violation", pl.col("opens"), pl.col("complaint"), pl.lit(0, pl.Int64)),
            ("points", pl.col("amount") > 0, pl.col("complaint"), pl.col("amount").cast(pl.Int64)),
            ("closure", pl.col("n") == pl.col("closed"), pl.lit(None, pl.String), pl.lit(0, pl.Int64)),
        )
    ]
    return pl.concat(found)


def openers(acts: pl.DataFrame, key: list[str]) -> pl.Series:
    """The acts of information level that open a window of their key, by their numbers."""
    instants = (
        acts.filter(~pl.col("confirmed"))
        .group_by(*key, "at")
        .agg(pl.col("n").min())
        .sort("at", "n")
        .with_row_index("place")
    )
    later = instants.select(*key, pl.col("at").alias("next_at"), pl.col("place").alias("next"))
    following = (
        instants.with_columns((pl.col("at") + pl.duration(hours=72)).alias("from"))
        .join_asof(later, left_on="from", right_on="next_at", by=key, strategy="forward", check_sortedness=False)
        .sort("place")["next"]
    )
    front = instants.group_by(key).agg(pl.col("place").min())["place"]
    found = [front]
    while len(front):
        front = following.gather(front).drop_nulls()
        found.append(front)
    return instants["n"].gather(pl.concat(found))


def tally(conclusions: pl.DataFrame) -> Tally:
    found: Tally = {kind: [0, 0, 0] for kind in KINDS}
    number = pl.coalesce("complaint", "seller").str.slice(1).cast(pl.Int64)
    second = pl.col("at").dt.epoch("s")
    rows = conclusions.select(
        "kind",
        "amount",
        # The products are beyond 64 bits in sum: in two halves.
        (second * number // 2**32).alias("high"),
        (second * number % 2**32).alias("low"),
    )
    for kind, count, amount, high, low in (
        rows.group_by("kind")
        .agg(pl.len(), pl.col("amount").sum(), pl.col("high").sum(), pl.col("low").sum())
        .iter_rows()
    ):
        found[kind] = [count, amount, (high * 2**32 + low) % MODULUS]
    return found
