"""Rows as JSON, and the idempotency key that a row has by its content alone."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping

from ..ground.problems import FactError, shorten
from ..ground.quantities import format_duration

_MICROSECOND = datetime.timedelta(microseconds=1)


def json_row(row: Mapping[str, object]) -> dict[str, object]:
    """A row as JSON can say it: without what is missing; times as ISO 8601, durations as in the contract.

    Parameters
    ----------
    row : mapping
        Values by column: texts as in CSV, or as JSON and Python have them.

    Raises
    ------
    FactError
        Where a value has no place in JSON.

    Examples
    --------
    >>> json_row(
    ...     {"kind": "release", "at": datetime.date(2015, 1, 5), "until": None, "for": datetime.timedelta(hours=1)}
    ... )
    {'kind': 'release', 'at': '2015-01-05', 'for': 'PT3600S'}
    """
    return {column: _plain(column, value) for column, value in row.items() if value is not None and value != ""}


def _plain(column: str, value: object) -> object:
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return format_duration(value // _MICROSECOND)
    if isinstance(value, str | bool | int | float):
        return value
    raise FactError(f"column `{shorten(column, 40)}`: expected a text, an integer, a boolean, a time or a duration")


def content_key(row: Mapping[str, object]) -> str:
    """The idempotency key of a row that was given none: a hash of its content.

    The order of columns does not count, nor does what is missing, nor whether a number or a boolean came as text: a row
    of CSV and the same row of JSON Lines have one key.

    Parameters
    ----------
    row : mapping
        Values by column.

    Raises
    ------
    FactError
        Where a value has no place in JSON.

    Examples
    --------
    >>> content_key({"kind": "upheld", "base": 2}) == content_key({"base": "2", "right": None, "kind": "upheld"})
    True
    >>> content_key({"kind": "upheld"})[:20]
    'sha256:903d8943de474'
    """
    said = {column: _said(value) for column, value in json_row(row).items()}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    except UnicodeEncodeError:
        raise FactError("a text holds half of a surrogate pair and is no text") from None


def _said(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
