"""The tables of a log in SQLite, the triggers that keep it append-only, and the statements over them."""

from __future__ import annotations

import re

REFUSED = "the log is append-only"

TABLES = f"""
CREATE TABLE strikeout_log (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    tick INTEGER NOT NULL
) STRICT;
CREATE TABLE strikeout_bundle (
    hash BLOB NOT NULL PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE strikeout_record (
    log INTEGER NOT NULL,
    position INTEGER NOT NULL CHECK (position > 0),
    known_at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('fact', 'activation')),
    key TEXT NOT NULL,
    subject TEXT NOT NULL,
    content BLOB NOT NULL,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (log, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX strikeout_record_key ON strikeout_record (log, key, kind);
CREATE INDEX strikeout_record_subject ON strikeout_record (log, subject, position, known_at);
CREATE TABLE strikeout_key (
    name TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TRIGGER strikeout_record_update BEFORE UPDATE ON strikeout_record
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no record is updated'); END;
CREATE TRIGGER strikeout_record_delete BEFORE DELETE ON strikeout_record
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no record is deleted'); END;
CREATE TRIGGER strikeout_record_insert BEFORE INSERT ON strikeout_record
    WHEN EXISTS (SELECT 1 FROM strikeout_record WHERE log = NEW.log AND position >= NEW.position)
    OR EXISTS (SELECT 1 FROM strikeout_record WHERE log = NEW.log AND key = NEW.key AND kind = NEW.kind)
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no record is replaced'); END;
CREATE TRIGGER strikeout_bundle_update BEFORE UPDATE ON strikeout_bundle
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no ruleset is updated'); END;
CREATE TRIGGER strikeout_bundle_delete BEFORE DELETE ON strikeout_bundle
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no ruleset is deleted'); END;
CREATE TRIGGER strikeout_bundle_insert BEFORE INSERT ON strikeout_bundle
    WHEN EXISTS (SELECT 1 FROM strikeout_bundle WHERE hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no ruleset is replaced'); END;
CREATE TRIGGER strikeout_log_update BEFORE UPDATE ON strikeout_log
    WHEN NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.created_at <> OLD.created_at OR NEW.tick < OLD.tick
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: of a log only the clock goes on'); END;
CREATE TRIGGER strikeout_log_delete BEFORE DELETE ON strikeout_log
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no log is deleted'); END;
CREATE TRIGGER strikeout_log_insert BEFORE INSERT ON strikeout_log
    WHEN EXISTS (SELECT 1 FROM strikeout_log WHERE id = NEW.id OR name = NEW.name)
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no log is replaced'); END;
CREATE TRIGGER strikeout_key_update BEFORE UPDATE ON strikeout_key
    WHEN NEW.name <> OLD.name OR NEW.hash <> OLD.hash OR NEW.scopes <> OLD.scopes
    OR NEW.created_at <> OLD.created_at OR OLD.revoked_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: a key is revoked once, and not changed'); END;
CREATE TRIGGER strikeout_key_delete BEFORE DELETE ON strikeout_key
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no key is deleted'); END;
CREATE TRIGGER strikeout_key_insert BEFORE INSERT ON strikeout_key
    WHEN EXISTS (SELECT 1 FROM strikeout_key WHERE name = NEW.name OR hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, '{REFUSED}: no key is replaced'); END;
"""

MADE = frozenset(re.findall(r"^CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER) (\w+)", TABLES, re.MULTILINE))
"""The names of all that a database has, triggers that refuse changes among them."""

INSERT = "INSERT INTO strikeout_record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
# One statement, and one row of it: rows one by one cost more than what they hold.
GLANCE = """
SELECT tick,
    (SELECT position FROM strikeout_record WHERE log = ? ORDER BY position DESC LIMIT 1),
    (SELECT known_at FROM strikeout_record WHERE log = ? ORDER BY position DESC LIMIT 1),
    (SELECT max(position) FROM strikeout_record WHERE log = ? AND subject = ''),
    (SELECT group_concat('[' || position || ',' || known_at || ',' || content || ']') FROM (
        SELECT position, known_at,
            CASE WHEN length(content) > ? THEN 'null' ELSE CAST(content AS TEXT) END AS content
        FROM strikeout_record INDEXED BY strikeout_record_subject
        WHERE log = ? AND subject = ? AND position > ? ORDER BY position LIMIT ?
    ))
FROM strikeout_log WHERE id = ?
"""
# However little the planner knows of the table, each key is looked up in the index.
WITH_KEYS = """
SELECT r.key, r.subject, r.content, r.position, r.known_at, r.hash
FROM json_each(?) AS wanted CROSS JOIN strikeout_record AS r INDEXED BY strikeout_record_key
WHERE r.log = ? AND r.key = wanted.value AND r.kind = ?
"""
