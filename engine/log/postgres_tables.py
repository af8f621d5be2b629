"""The tables of a log in PostgreSQL, the triggers that keep it append-only, and the statements over them."""

from __future__ import annotations

import re

TABLES = """
CREATE TABLE strikeout_schema (version integer NOT NULL);
CREATE TABLE strikeout_log (
    id bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    tick bigint NOT NULL
);
CREATE TABLE strikeout_bundle (
    hash bytea PRIMARY KEY,
    content bytea NOT NULL
);
CREATE TABLE strikeout_record (
    log bigint NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    known_at bigint NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('fact', 'activation')),
    key text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    content bytea NOT NULL,
    previous bytea NOT NULL CHECK (length(previous) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (log, position)
);
CREATE UNIQUE INDEX strikeout_record_key ON strikeout_record (log, key, kind);
CREATE INDEX strikeout_record_subject ON strikeout_record (log, subject, position, known_at);
CREATE TABLE strikeout_key (
    name text COLLATE "C" PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    scopes text NOT NULL,
    created_at bigint NOT NULL,
    revoked_at bigint
);

CREATE FUNCTION strikeout_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: nothing of % is changed or removed', TG_TABLE_NAME;
END $$;
CREATE FUNCTION strikeout_log_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.created_at <> OLD.created_at OR NEW.tick < OLD.tick THEN
        RAISE EXCEPTION 'the log is append-only: of a log only the clock goes on';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION strikeout_key_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name <> OLD.name OR NEW.hash <> OLD.hash OR NEW.scopes <> OLD.scopes
        OR NEW.created_at <> OLD.created_at OR OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'the log is append-only: a key is revoked once, and not changed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER strikeout_record_change BEFORE UPDATE OR DELETE ON strikeout_record
    FOR EACH ROW EXECUTE FUNCTION strikeout_refuse();
CREATE TRIGGER strikeout_record_truncate BEFORE TRUNCATE ON strikeout_record
    FOR EACH STATEMENT EXECUTE FUNCTION strikeout_refuse();
CREATE TRIGGER strikeout_bundle_change BEFORE UPDATE OR DELETE ON strikeout_bundle
    FOR EACH ROW EXECUTE FUNCTION strikeout_refuse();
CREATE TRIGGER strikeout_bundle_truncate BEFORE TRUNCATE ON strikeout_bundle
    FOR EACH STATEMENT EXECUTE FUNCTION strikeout_refuse();
CREATE TRIGGER strikeout_log_update BEFORE UPDATE ON strikeout_log
    FOR EACH ROW EXECUTE FUNCTION strikeout_log_goes_on();
CREATE TRIGGER strikeout_log_change BEFORE DELETE ON strikeout_log
    FOR EACH ROW EXECUTE FUNCTION strikeout_refuse();
CREATE TRIGGER strikeout_log_truncate BEFORE TRUNCATE ON strikeout_log
    FOR EACH STATEMENT EXECUTE FUNCTION strikeout_refuse();
CREATE TRIGGER strikeout_key_update BEFORE UPDATE ON strikeout_key
    FOR EACH ROW EXECUTE FUNCTION strikeout_key_revoked();
CREATE TRIGGER strikeout_key_change BEFORE DELETE ON strikeout_key
    FOR EACH ROW EXECUTE FUNCTION strikeout_refuse();
CREATE TRIGGER strikeout_key_truncate BEFORE TRUNCATE ON strikeout_key
    FOR EACH STATEMENT EXECUTE FUNCTION strikeout_refuse();
"""

MADE = frozenset(re.findall(r"^CREATE TRIGGER (\w+)", TABLES, re.MULTILINE))
"""The names of the triggers that refuse changes."""
TRIGGERS = """
SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND tgrelid IN (
    to_regclass('strikeout_log'), to_regclass('strikeout_bundle'), to_regclass('strikeout_record'),
    to_regclass('strikeout_key'))
"""

INSERT = """
INSERT INTO strikeout_record (log, position, known_at, kind, key, subject, content, previous, hash)
SELECT %s, * FROM unnest(
    %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[], %s::bytea[])
"""
# However little the planner knows of the table, each key is looked up in the index.
WITH_KEYS = """
SELECT r.key, r.subject, r.content, r.position, r.known_at, r.hash
FROM unnest(%s::text[]) AS wanted (key) CROSS JOIN LATERAL (
    SELECT * FROM strikeout_record WHERE log = %s AND key = wanted.key AND kind = %s OFFSET 0
) AS r
"""
