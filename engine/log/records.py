"""What a log holds: records, each chained by hash to the one before.

A record's canonical text is one line of JSON, and its hash is the SHA-256 of that line in UTF-8, so that anybody can
check a chain with nothing but an export and a SHA-256 tool::

    {"position":1,"known_at":1421000000000000,"kind":"fact","key":"k1","subject":"s1","content":{…},"previous":"00…"}

An exported line is the same with `,"hash":"…"` before the last brace.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ..ground.problems import quoted
from ..ground.values import INSTANT_MAX, INSTANT_MIN
from .errors import BadRecord, LogError

FACT = "fact"
ACTIVATION = "activation"

START = bytes(32)
"""What stands for the hash before the first record."""

MOST_KEY = 200
MOST_CONTENT = 1_000_000
"""The longest key, in characters, and the longest content, in bytes."""
MOST_SUBJECT = 500

Row = dict[str, "str | int | bool"]

_quote = json.encoder.encode_basestring
_decode = msgspec.json.Decoder().decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def canonical(row: Mapping[str, object]) -> bytes:
    r"""A JSON object as a record holds it: UTF-8, keys sorted, no spaces.

    Parameters
    ----------
    row : mapping
        Texts, integers, booleans, and lists and mappings of them.

    Raises
    ------
    BadRecord
        Where it holds what is no such thing, such as half of a surrogate pair.

    Examples
    --------
    >>> canonical({"seller": "小明", "kind": "reversal", "base": 2})
    b'{"base":2,"kind":"reversal","seller":"\xe5\xb0\x8f\xe6\x98\x8e"}'
    """
    try:
        return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRecord(f"the content cannot be written as JSON: {str(error).lower()[:100]}") from None


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact to append, under the key by which it is taken once only.

    `content` is the row in canonical JSON (`canonical`), which has `kind`, `at`, the subject's field and the kind's
    own, perhaps `seq`, and no `known_at`, for the log sets that. `subject` is the value of the subject's field.
    """

    key: str
    subject: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Activation:
    """That a ruleset is in force from an instant on.

    `bundle` is the hash of the ruleset's texts, as `Database.put_bundle` gives it; `from_` is in microseconds since
    1970 UTC. A `key` makes it safe to send an activation twice; without one it is taken each time.
    """

    bundle: str
    from_: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Activated:
    """An activation that is in a log: since when it is known, and from when on its ruleset is in force."""

    position: int
    known_at: int
    bundle: str
    from_: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a record is in the log, durably: where, since when it is known (microseconds since 1970 UTC), its hash.

    A `duplicate` was there before, under the same key with the same content: the rest is as first given.
    """

    position: int
    known_at: int
    hash: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log: the last position (0 in an empty log), its hash, and when it became known (0)."""

    position: int
    hash: str
    known_at: int


@dataclass(frozen=True, slots=True)
class Verified:
    """That a chain is whole: how many records it has, the hash of the last, and how many bundles were checked."""

    position: int
    hash: str
    known_at: int
    bundles: int


@dataclass(frozen=True, slots=True)
class Record:
    """What a log holds at a position: a fact or an activation, which is its `kind`.

    `known_at` is in microseconds since 1970 UTC; `content` is canonical JSON; `previous` and `hash` are SHA-256 sums,
    in hexadecimal. An activation has no subject.
    """

    position: int
    known_at: int
    kind: str
    key: str
    subject: str
    content: bytes
    previous: str
    hash: str

    def line(self) -> bytes:
        """The record as an export has it: a line of JSON, without its line end."""
        text = canonical_text(
            self.position, self.known_at, self.kind, self.key, self.subject, self.content, self.previous
        )
        return b'%b,"hash":"%b"}' % (text[:-1], self.hash.encode())

    def value(self) -> dict[str, Any]:
        """What the content says."""
        try:
            found: dict[str, Any] = _decode_object(self.content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise LogError(f"the record at position {self.position} is no JSON object: verify the log") from None
        return found

    def row(self) -> Row:
        """The row of a fact, with `known_at` in UTC, as `Ruleset.run` and `strikeout run` take it.

        >>> Record(1, 1, FACT, "k", "s", b'{"kind":"withdrawal"}', "", "").row()
        {'kind': 'withdrawal', 'known_at': '1970-01-01T00:00:00.000001+00:00'}
        """
        return {**self.value(), "known_at": utc(self.known_at)}


def utc(instant: int) -> str:
    """An instant, in microseconds since 1970 UTC, as ISO 8601 text in UTC, always with six digits of a second.

    >>> utc(0)
    '1970-01-01T00:00:00.000000+00:00'
    """
    seconds, micros = divmod(instant, 1_000_000)
    try:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    except OverflowError:
        raise LogError(f"the log holds an instant beyond the years 1 to 9999, {instant}: verify it") from None
    return f"{moment.isoformat()}.{micros:06d}+00:00"


def canonical_text(
    position: int, known_at: int, kind: str, key: str, subject: str, content: bytes, previous: str
) -> bytes:
    """The text of a record that its hash is of."""
    return b'{"position":%d,"known_at":%d,"kind":"%b","key":%b,"subject":%b,"content":%b,"previous":"%b"}' % (
        position,
        known_at,
        kind.encode(),
        _quote(key).encode(),
        _quote(subject).encode(),
        content,
        previous.encode(),
    )


def chained(position: int, known_at: int, kind: str, key: str, subject: str, content: bytes, previous: bytes) -> bytes:
    """The hash of a record, of the hash before and all that it holds."""
    return hashlib.sha256(canonical_text(position, known_at, kind, key, subject, content, previous.hex())).digest()


def check_activation(record: Record) -> None:
    """That a record of an activation says which ruleset is in force from when on.

    Raises
    ------
    BadRecord
        Where it does not; its `index` is the position.
    """
    value = record.value()
    names = all(isinstance(value.get(name), str) for name in ("bundle", "ruleset", "version"))
    from_ = value.get("from")
    if record.subject or not names or type(from_) is not int or not INSTANT_MIN <= from_ <= INSTANT_MAX:
        raise BadRecord(
            "the content of the activation does not say which ruleset is in force from when on", record.position
        )


def check_fact(fact: NewFact, index: int) -> None:
    """That a fact can be in a log.

    Raises
    ------
    BadRecord
        Where key, subject or content cannot be.
    """
    if fact.key.isascii() and fact.key.isprintable() and 0 < len(fact.key) <= MOST_KEY:
        pass  # The common case, and the cheap one.
    else:
        check_text("key", fact.key, MOST_KEY, index)
    check_text("subject", fact.subject, MOST_SUBJECT, index)
    content = fact.content
    if len(content) > MOST_CONTENT:
        raise BadRecord(f"the content of the fact is longer than {MOST_CONTENT:,} bytes", index)
    try:
        value = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"the content of the fact is no JSON: {str(error).lower()[:100]}", index) from None
    if not isinstance(value, dict) or "kind" not in value:
        raise BadRecord("the content of the fact is no JSON object with a `kind`", index)
    if "known_at" in value:
        raise BadRecord("the fact says its `known_at`, which the log sets itself: leave it out", index)
    if canonical(value) != content:
        raise BadRecord("the content of the fact is no canonical JSON: sorted keys, no spaces, UTF-8", index)


def check_text(what: str, text: str, most: int, index: int = 0) -> None:
    """That a key or subject is a text that every database keeps as it is.

    Raises
    ------
    BadRecord
        Where it is empty, too long, or holds what no database keeps.
    """
    if not text:
        raise BadRecord(f"the {what} is empty", index)
    if len(text) > most:
        raise BadRecord(f"the {what} {quoted(text)} is longer than {most:,} characters", index)
    if "\0" in text:
        raise BadRecord(f"the {what} {quoted(text)} holds a NUL character", index)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRecord(f"the {what} {quoted(text)} holds half of a surrogate pair and is no text", index) from None
