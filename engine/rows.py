"""Rows to facts: every cell of a row checked against the kind that it names (contract, "Facts")."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .facts import Fact, Field, Kind, Value
from .model import Ruleset
from .problems import listing, nearest, shorten
from .values import INTEGER_MAX, INTEGER_MIN, ArithmeticFault, checked_duration, parse_duration

COMMON = ("kind", "at", "known_at", "seq")
MOST_CHARACTERS = 10_000


class BadCell(Exception):
    """A cell that cannot be used: its column, what stands there, and what was expected.

    Attributes
    ----------
    column : str
        The column, or nothing where the whole row is meant.
    value : str
        What stands there, shortened.
    expected : str
        What was expected instead.
    """

    def __init__(self, column: str, value: object, expected: str) -> None:
        self.column = column
        self.value = "" if value is None else shorten(str(value)[:200], 60)
        self.expected = expected
        place = f"column `{column}`: " if column else ""
        shown = f"`{self.value}`, " if self.value else ""
        super().__init__(f"{place}{shown}{expected}")


@dataclass(frozen=True, slots=True)
class Binder:
    """Makes facts of a ruleset's kinds from rows.

    Parameters
    ----------
    ruleset : Ruleset
        Whose kinds the rows are facts of.
    ignored : collection of str
        Columns that no kind knows and that are passed over.
    """

    ruleset: Ruleset
    ignored: Collection[str] = ()

    def columns(self) -> set[str]:
        """Every column that some kind knows."""
        fields = {field.name for kind in self.ruleset.kinds for field in kind.fields}
        return {*COMMON, self.ruleset.subject, *fields}

    def unknown_column(self, column: str) -> str:
        """What to say of a column that no kind knows."""
        hint = nearest(column, self.columns())
        advice = hint or "name it under `--ignore-columns` to pass over it"
        return f"no kind of `{self.ruleset.name}` knows the column `{shorten(column, 40)}`; {advice}"

    def fact(self, row: Mapping[str, object], subject: str | None = None) -> Fact:
        """The fact that a row gives.

        Parameters
        ----------
        row : mapping
            Values by column: texts as in CSV, or as JSON and Python have them. An empty text or None is missing.
        subject : str, optional
            The subject of a row that names none.

        Raises
        ------
        BadCell
            At the first cell that cannot be used.

        Examples
        --------
        >>> import strikeout
        >>> binder = Binder(strikeout.load("taobao-counterfeit").model)
        >>> binder.fact({"kind": "withdrawal", "at": "2015-01-05", "seller": "s", "complaint": "c1"}).get("complaint")
        'c1'
        """
        kind = self._kind(row.get("kind"))
        given_subject = _text(self.ruleset.subject, row.get(self.ruleset.subject))
        who = given_subject if given_subject is not None else subject
        if who is None:
            raise BadCell(self.ruleset.subject, None, f"missing: every fact names its {self.ruleset.subject}")
        at = self._instant("at", row.get("at"))
        if at is None:
            raise BadCell("at", None, "missing: every fact has a time")
        known_at = self._instant("known_at", row.get("known_at"))
        seq = _integer("seq", row.get("seq"))
        values = tuple(self._value(kind, field, row.get(field.name)) for field in kind.fields)
        for column, value in row.items():
            if column in kind.slots or column in COMMON or column == self.ruleset.subject or column in self.ignored:
                continue
            if value is None or value == "":
                continue
            if column not in self.columns():
                raise BadCell(column, value, self.unknown_column(column))
            raise BadCell(column, value, f"must be empty: the kind `{kind.name}` has no field `{column}`")
        return Fact(kind, at, who, values, seq or 0, at if known_at is None else known_at)

    def _kind(self, value: object) -> Kind:
        name = _text("kind", value)
        given = [kind.name for kind in self.ruleset.kinds if kind.given]
        if name is None:
            raise BadCell("kind", None, f"missing: expected one of {listing(given)}")
        kind = self.ruleset.kinds_by_name.get(name)
        if kind is None:
            hint = nearest(name, given) or f"expected one of {listing(given)}"
            raise BadCell("kind", name, f"is no kind of `{self.ruleset.name}`; {hint}")
        if not kind.given:
            raise BadCell("kind", name, f"can only be derived; expected one of {listing(given)}")
        return kind

    def _instant(self, column: str, value: object) -> int | None:
        if value is None or value == "":
            return None
        zone = self.ruleset.zone
        if isinstance(value, datetime.datetime):
            if value.tzinfo is None:
                return self._parse_time(column, value.isoformat())
            utc = value.astimezone(datetime.UTC).replace(tzinfo=None) - datetime.datetime(1970, 1, 1)
            try:
                return zone.checked_instant(utc // datetime.timedelta(microseconds=1))
            except ArithmeticFault as error:
                raise BadCell(column, value, str(error)) from None
        if isinstance(value, datetime.date):
            return self._parse_time(column, value.isoformat())
        if not isinstance(value, str):
            raise BadCell(column, value, "expected a time, such as `2015-01-05` or `2015-01-05T09:30:00+08:00`")
        return self._parse_time(column, value)

    def _parse_time(self, column: str, text: str) -> int:
        try:
            return self.ruleset.zone.parse(text)
        except (ValueError, ArithmeticFault) as error:
            raise BadCell(column, None, f"{error}") from None

    def _value(self, kind: Kind, field: Field, value: object) -> Value:
        found = self._typed(field, value)
        if found is None:
            if field.required:
                raise BadCell(field.name, None, f"missing: the kind `{kind.name}` needs `{field.name}`")
            return field.default
        return found

    def _typed(self, field: Field, value: object) -> Value:
        if value is None or value == "":
            return None
        name = field.name
        if field.type.members:
            text = _text(name, value)
            if text is not None and text not in field.type.members:
                hint = nearest(text, field.type.members) or f"expected one of {listing(field.type.members)}"
                raise BadCell(name, text, f"is no member of `{field.type}`; {hint}")
            return text
        match field.type.name:
            case "integer":
                return _integer(name, value)
            case "boolean":
                if isinstance(value, bool):
                    return value
                if value in ("true", "false"):
                    return value == "true"
                raise BadCell(name, value, "expected `true` or `false`")
            case "time":
                return self._instant(name, value)
            case "duration":
                return _duration(name, value)
            case _:
                return _text(name, value)


def _text(column: str, value: object) -> str | None:
    """An id or text: exact; of an integer its digits; the empty text is missing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadCell(column, value, "expected a text or an integer")
    if isinstance(value, int) and abs(value) >= 10**100:
        raise BadCell(column, None, "an integer of more than 100 digits is no id")
    text = str(value)
    if len(text) > MOST_CHARACTERS:
        raise BadCell(column, text, f"longer than {MOST_CHARACTERS:,} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadCell(column, text.encode("unicode_escape").decode(), "holds half of a surrogate pair and is no text") from None
    if "\0" in text:
        raise BadCell(column, text, "holds a NUL character")
    return text


def _integer(column: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        digits = value[1:] if value[:1] in "+-" else value
        if not (digits.isascii() and digits.isdigit() and len(digits) < 40):
            raise BadCell(column, value, "expected an integer")
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadCell(column, value, "expected an integer; there are no floating-point numbers")
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise BadCell(column, None if abs(value) >= 10**60 else value, "beyond 64 bits")
    return value


def _duration(column: str, value: object) -> int:
    try:
        if isinstance(value, datetime.timedelta):
            return checked_duration(value // datetime.timedelta(microseconds=1))
        if isinstance(value, str):
            return parse_duration(value)
    except (ValueError, ArithmeticFault) as error:
        raise BadCell(column, None, str(error)) from None
    raise BadCell(column, value, "expected a duration, such as `72h` or `PT259200S`")
