"""No service at all: the log and the decisions within one's own process.

    python embed_library.py complaints.db

For one program on one machine that decides by itself. Several processes may do this with one database at a time; what
they do not share is the HTTP service's keys, limits and metrics.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import strikeout
from strikeout.log import Activation, Database, Log, UnknownLog, new_fact, open_database
from strikeout.rows import Binder

LOG = "taobao"


@dataclass(frozen=True)
class Answer:
    """A decision, and what repeats it to the byte: the ruleset's hash, the instant, the log's last position."""

    status: str
    conclusions: list[dict[str, str | int | bool]]
    ruleset: str
    as_of: int
    position: int


def opened(database: Database, ruleset: strikeout.Ruleset) -> Log:
    """The log, made at the first time, with the ruleset in force from the beginning of time."""
    try:
        return database.log(LOG)
    except UnknownLog:
        log = database.create(LOG)
        log.append_activation(Activation(database.put_bundle(strikeout.bundle_of(ruleset)), from_=0))
        return log


def report(log: Log, ruleset: strikeout.Ruleset, fact: dict[str, object], key: str) -> bool:
    """Append a fact; whether it is new. It is on the disk when this returns."""
    (receipt,) = log.append([new_fact(Binder(ruleset.model), fact, key)])
    return not receipt.duplicate


def decide(database: Database, log: Log, seller: str) -> Answer:
    """Decide on a seller by the facts and the ruleset that the log has, as of the log's clock."""
    with log.snapshot() as snapshot:
        activated = snapshot.in_force()
        ruleset = strikeout.load_bundle(database.bundle(activated.bundle))
        rows = [record.row() for record in snapshot.facts(seller)]
        outcome = ruleset.run(rows, as_of=snapshot.as_of, engine="compiled")
        conclusions = [fact.as_dict() for fact in outcome.facts]
        return Answer(outcome.status(seller), conclusions, activated.bundle, snapshot.as_of, snapshot.position)


def main() -> None:
    ruleset = strikeout.load("taobao-counterfeit")
    with open_database(sys.argv[1]) as database:
        log = opened(database, ruleset)
        for number, day in enumerate(["2015-01-05", "2015-01-15", "2015-02-21"], 1):
            fact = {
                "kind": "upheld",
                "at": day,
                "seller": "xiaoming",
                "complaint": f"c{number}",
                "complainant": "阿红",
                "right": "红了个红",
                "finding": "counterfeit",
                "base": 2,
            }
            report(log, ruleset, fact, key=f"upheld-c{number}")
        print(decide(database, log, "xiaoming").status)


if __name__ == "__main__":
    main()
