"""The log: facts and the rulesets in force, append-only, in SQLite or PostgreSQL, each chained to the one before.

A decision is a function of ruleset, facts and as-of; the log keeps the first two. `open_database` opens a database,
which holds logs by name; `database.py` and `log.py` say what can be done with them, `records.py` what stands in them.
"""

from __future__ import annotations

from .bundle import Bundle
from .database import Database, open_database
from .errors import (
    ActivationRefused,
    BadRecord,
    ChainBroken,
    ClockError,
    DatabaseUnavailable,
    KeyConflict,
    LogError,
    LogExists,
    LogFull,
    NoRuleset,
    ReadOnly,
    UnknownBundle,
    UnknownDatabase,
    UnknownLog,
)
from .keys import Key, Keys
from .log import Log
from .records import (
    ACTIVATION,
    FACT,
    Activated,
    Activation,
    Head,
    NewFact,
    Receipt,
    Record,
    Verified,
    canonical,
    utc,
)
from .rows import new_fact
from .snapshot import Snapshot
from .tip import machine_clock

__all__ = [
    "ACTIVATION",
    "FACT",
    "Activated",
    "Activation",
    "ActivationRefused",
    "BadRecord",
    "Bundle",
    "ChainBroken",
    "ClockError",
    "Database",
    "DatabaseUnavailable",
    "Head",
    "Key",
    "KeyConflict",
    "Keys",
    "Log",
    "LogError",
    "LogExists",
    "LogFull",
    "NewFact",
    "NoRuleset",
    "ReadOnly",
    "Receipt",
    "Record",
    "Snapshot",
    "UnknownBundle",
    "UnknownDatabase",
    "UnknownLog",
    "Verified",
    "canonical",
    "machine_clock",
    "new_fact",
    "open_database",
    "utc",
]
