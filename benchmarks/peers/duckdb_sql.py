"""The policy in SQL, by DuckDB.

The windows that do not slide are found by recursion: from each act that opens one to the first act at least 72 hours
after it. All else is window functions; what comes after a closure is cut off at the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from benchmarks.tally import KINDS, MODULUS, Tally

CAP, FROM, LIMIT, CLOSING = 12, 3, 3, 48

ACTS = """
create or replace temp table acts as
select seller, complaint, complainant, "right", coalesce(level, 'information') = 'confirmed' as confirmed,
       coalesce(base, 0) as base, happened, row_number() over (partition by seller order by happened, complaint) as n
from facts as act
where kind = 'upheld' and finding = 'counterfeit' and not coalesce(special, false)
  and not exists (
    select 1 from facts as undone
    where undone.kind in ('withdrawal', 'reversal') and undone.seller = act.seller
      and undone.complaint = act.complaint and undone.happened >= act.happened)
"""

INSTANTS = """
create or replace temp table instants as
select {key}, happened, min(n) as n from acts
where not confirmed and happened >= {start} group by {key}, happened
"""

FOLLOWING = """
create or replace temp table following as
select {these}, this.n, next.n as next
from instants as this asof join instants as next
  on {equal} and this.happened + interval 72 hours <= next.happened
"""

OPENERS = """
create or replace temp table {name} as
with recursive openers as (
    select {key}, arg_min(n, happened) as n from instants group by {key}
    union all
    select {olds}, following.next as n
    from openers join following on {joined} and openers.n = following.n)
select seller, n from openers
union all
select seller, n from acts where confirmed and happened >= {start}
"""

POINTS = """
create or replace temp table charged as
with
  marked as (
    select acts.*, violations.n is not null as opens, strikes.n is not null as strikes
    from acts left join violations using (seller, n) left join strikes using (seller, n)),
  numbered as (
    select *,
      count(*) filter (opens) over so_far as violation,
      count(*) filter (strikes) over of_key as strike
    from marked
    window so_far as (partition by seller order by n rows unbounded preceding),
      of_key as (partition by seller, complainant, "right" order by n rows unbounded preceding)),
  placed as (
    select *, case when confirmed then violation
      else max(violation) filter (opens and not confirmed) over so_far end as nth
    from numbered window so_far as (partition by seller order by n rows unbounded preceding)),
  merged as (
    select *, sum(base) over (partition by seller, nth, confirmed order by n rows unbounded preceding) as points_so_far
    from placed),
  amounts as (
    select *, case
      when strikes and strike >= {limit} then 48
      when nth >= {aggravated} then case when opens then 24 else 0 end
      when confirmed then base
      else least({cap}, points_so_far) - least({cap}, points_so_far - base) end as amount
    from merged),
  totals as (
    select *, (strikes and strike >= {limit})
        or (amount > 0 and sum(amount) over (partition by seller order by n rows unbounded preceding) >= {closing})
      as closes
    from amounts)
select *, min(n) filter (closes) over (partition by seller) as closed from totals
"""

CONCLUSIONS = """
create or replace table conclusions as
with standing as (select * from charged where closed is null or n <= closed)
select seller, 'strike' as kind, happened, complaint, complainant, "right", 0 as amount from standing where strikes
union all
select seller, 'violation', happened, complaint, complainant, "right", 0 from standing where opens
union all
select seller, 'points', happened, complaint, complainant, "right", amount from standing where amount > 0
union all
select seller, 'closure', happened, null, null, null, 0 from standing where n = closed
"""


def load(path: Path) -> Any:
    connection = duckdb.connect()
    connection.execute('create table facts as select * rename ("at" as happened) from read_parquet(?)', [str(path)])
    return connection


def openers(connection: Any, name: str, keys: tuple[str, ...], start: str) -> None:
    """Make the table of the acts that open a window of their key."""
    columns = [f'"{key}"' for key in keys]
    parts = {
        "name": name,
        "key": ", ".join(columns),
        "these": ", ".join(f"this.{column}" for column in columns),
        "olds": ", ".join(f"openers.{column}" for column in columns),
        "equal": " and ".join(f"this.{column} = next.{column}" for column in columns),
        "joined": " and ".join(f"openers.{column} = following.{column}" for column in columns),
        "start": start,
    }
    for statement in (INSTANTS, FOLLOWING, OPENERS):
        connection.execute(statement.format(**parts))


def decide(connection: Any) -> Any:
    connection.execute(ACTS)
    openers(connection, "violations", ("seller",), "timestamp '0001-01-01'")
    openers(connection, "strikes", ("seller", "complainant", "right"), "timestamp '2015-01-01'")
    connection.execute(POINTS.format(limit=LIMIT, aggravated=FROM, cap=CAP, closing=CLOSING))
    connection.execute(CONCLUSIONS)
    return connection


def tally(connection: Any) -> Tally:
    found: Tally = {kind: [0, 0, 0] for kind in KINDS}
    rows = connection.execute(
        """
        select kind, count(*), sum(amount),
               sum(epoch(happened)::hugeint * substr(coalesce(complaint, seller), 2)::hugeint)
        from conclusions group by kind
        """
    ).fetchall()
    for kind, number, points, checksum in rows:
        found[kind] = [int(number), int(points), int(checksum) % MODULUS]
    return found
