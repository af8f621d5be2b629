"""Columns of cells to columns of values, many rows at once (contract, "Facts").

What is plainly right is converted; what is not is left to the binder of `rows`, which alone knows each odd way to write
a value and says what is wrong with it. So both ways give the same values and the same messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy
import pyarrow
import pyarrow.compute

from ..facts import Type
from ..ground.values import DAY, HOUR, MINUTE, SECOND, ArithmeticFault, Zone, parse_duration
from ..rows import MOST_CHARACTERS

Array: TypeAlias = Any
"""An Arrow array in one piece, or a NumPy array."""

ROWS_AT_ONCE = 1 << 16
MOST_PLAIN_LENGTH = 40
"""Texts of numbers and times that are longer are left to the binder."""

_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}


@dataclass(frozen=True, slots=True)
class Cells:
    """A column's values.

    Attributes
    ----------
    values : array
        Texts as an Arrow array of strings; anything else as 64-bit integers, 0 where there is none.
    filled : array of bool
        Where the cell is not missing.
    odd : array of bool, or None
        Where the cell is filled and its value has to be asked of the binder; None where nothing is odd.
    """

    values: Array
    filled: Array
    odd: Array | None = None


def convert(column: Array, type_: Type, zone: Zone) -> Cells:
    """The values of a column of cells.

    Parameters
    ----------
    column : pyarrow.Array
        Texts as CSV has them, or typed as JSON and Parquet have them.
    type_ : Type
        The type of the field.
    zone : Zone
        Where times without an offset are local.

    Examples
    --------
    >>> from strikeout.facts import INTEGER
    >>> found = convert(pyarrow.array(["12", "", "twelve"]), INTEGER, Zone.load("UTC"))
    >>> found.values.tolist(), found.filled.tolist(), found.odd.tolist()
    ([12, 0, 0], [True, False, True], [False, False, True])
    """
    if pyarrow.types.is_dictionary(column.type):
        if type_.members and _is_text(column.type.value_type):
            return _coded_members(column, type_)
        column = column.dictionary_decode()
    given = column.type
    if _is_text(given):
        column = column.cast(pyarrow.string()) if given != pyarrow.string() else column
        filled = _filled_texts(column)
        if type_.members:
            return _members(column, filled, type_)
        return _OF_TEXT.get(type_.name, _texts)(column, filled, zone)
    filled = column.is_valid().to_numpy(zero_copy_only=False)
    if pyarrow.types.is_null(given):
        return nothing(len(column), is_text(type_))
    if pyarrow.types.is_integer(given):
        if type_.name == "integer" and given != pyarrow.uint64():
            return Cells(_integers(column), filled)
        if is_text(type_) and not type_.members:
            return Cells(column.cast(pyarrow.string()), filled)
    elif pyarrow.types.is_boolean(given) and type_.name == "boolean":
        return Cells(_integers(column), filled)
    elif pyarrow.types.is_timestamp(given) and type_.name == "time" and given.unit in _UNITS:
        return _timestamps(column, filled, zone)
    elif pyarrow.types.is_date(given) and type_.name == "time":
        days = _integers(column.cast(pyarrow.date32()).cast(pyarrow.int32()))
        return _local(days * DAY, filled, numpy.abs(days) < 10**7, zone)
    elif pyarrow.types.is_duration(given) and type_.name == "duration" and given.unit in _UNITS:
        return _durations(column, filled)
    return _all_odd(len(column), filled, is_text(type_))


def is_text(type_: Type) -> bool:
    """Whether values of a type are kept as texts: ids and texts; an enum's are the places of its members."""
    return type_.name in ("id", "text") and not type_.members


def nothing(rows: int, text: bool) -> Cells:
    """A column that is missing in every row."""
    values = pyarrow.nulls(rows, pyarrow.string()) if text else numpy.zeros(rows, numpy.int64)
    return Cells(values, numpy.zeros(rows, bool))


def _is_text(given: Any) -> bool:
    types = pyarrow.types
    return bool(types.is_string(given) or types.is_large_string(given) or types.is_string_view(given))


def _all_odd(rows: int, filled: Array, text: bool) -> Cells:
    return Cells(nothing(rows, text).values, filled, filled.copy())


def _integers(column: Array) -> Array:
    column = column.cast(pyarrow.int64())
    return (column.fill_null(0) if column.null_count else column).to_numpy()


def _either(*masks: Array | None) -> Array | None:
    """Where any of the masks holds; None where none does."""
    found: Array | None = None
    for mask in masks:
        if mask is not None and mask.any():
            found = mask if found is None else found | mask
    return found


def text_parts(column: Array) -> tuple[Array, Array]:
    """Where the texts of an Arrow array of strings begin and end, one offset more than texts, and their bytes."""
    _, offsets, data = column.buffers()
    found = numpy.frombuffer(offsets, numpy.int32)[column.offset : column.offset + len(column) + 1]
    return found, numpy.frombuffer(data, numpy.uint8) if data is not None else numpy.zeros(0, numpy.uint8)


def _filled_texts(column: Array) -> Array:
    if len(column) == 0:
        return numpy.zeros(0, bool)
    offsets, _ = text_parts(column)
    filled = offsets[1:] > offsets[:-1]
    return filled & column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else filled


def _texts(column: Array, filled: Array, zone: Zone) -> Cells:
    """Ids and texts: as they are; long ones and those with a NUL are odd."""
    if not len(column):
        return Cells(column, filled)
    offsets, data = text_parts(column)
    long = filled & (numpy.diff(offsets) > MOST_CHARACTERS)
    used = data[offsets[0] : offsets[-1]]
    nul = None
    if used.size and used.min() == 0:
        nul = pyarrow.compute.match_substring(column, "\0").fill_null(False).to_numpy(zero_copy_only=False)
    return Cells(column, filled, _either(long, nul))


def _members(column: Array, filled: Array, type_: Type) -> Cells:
    places = pyarrow.compute.index_in(column, value_set=pyarrow.array(type_.members, pyarrow.string()))
    known = places.is_valid().to_numpy(zero_copy_only=False)
    values = places.fill_null(0).to_numpy().astype(numpy.int64)
    return Cells(values, filled, _either(filled & ~known))


def _coded_members(column: Array, type_: Type) -> Cells:
    """The same of a dictionary of texts, each of which is looked up once."""
    texts = column.dictionary.cast(pyarrow.string())
    missing = len(texts)
    found = _members(texts, _filled_texts(texts), type_)
    codes = column.indices.cast(pyarrow.int64())
    codes = (codes.fill_null(missing) if codes.null_count else codes).to_numpy()
    odd = None if found.odd is None else numpy.append(found.odd, False)[codes]
    return Cells(numpy.append(found.values, 0)[codes], numpy.append(found.filled, False)[codes], _either(odd))


def _texts_of_booleans(column: Array, filled: Array, zone: Zone) -> Cells:
    return _members(column, filled, Type("boolean", ("false", "true")))


def _texts_of_durations(column: Array, filled: Array, zone: Zone) -> Cells:
    encoded = column.dictionary_encode()
    found = numpy.zeros(len(encoded.dictionary) + 1, numpy.int64)
    odd = numpy.zeros(len(encoded.dictionary) + 1, bool)
    for place, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            found[place] = parse_duration(text) if text else 0
        except (ValueError, ArithmeticFault):
            odd[place] = True
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
    return Cells(found[codes], filled, _either(filled & odd[codes]))


def _timestamps(column: Array, filled: Array, zone: Zone) -> Cells:
    scale = _UNITS[column.type.unit]
    counts = _integers(column)
    # Far beyond the years 1 to 9999, and so that the product fits into 64 bits.
    near = numpy.abs(counts // (10**12 // scale)) < 10**6
    moments = numpy.where(near, counts, 0) * scale
    if column.type.tz is None:
        return _local(moments, filled, near, zone)
    inside = near & (moments >= zone.earliest) & (moments <= zone.latest)
    return Cells(numpy.where(filled & inside, moments, 0), filled, _either(filled & ~inside))


def _durations(column: Array, filled: Array) -> Cells:
    scale = _UNITS[column.type.unit]
    counts = _integers(column)
    near = numpy.abs(counts // 2) < 2**61 // scale
    return Cells(numpy.where(near & filled, counts, 0) * scale, filled, _either(filled & ~near))


def _local(moments: Array, filled: Array, plain: Array, zone: Zone) -> Cells:
    """Local times, in microseconds since 1970 of the local clock, as instants; see `Zone.instant`."""
    instants, inside = instants_of(numpy.where(plain, moments, 0), zone)
    plain = plain & inside
    return Cells(numpy.where(filled & plain, instants, 0), filled, _either(filled & ~plain))


def instants_of(local: Array, zone: Zone) -> tuple[Array, Array]:
    """The instants of local times, and whether they lie in the years 1 to 9999 (semantics 10)."""
    changes = numpy.array(zone.local_changes, numpy.int64)
    offsets = numpy.array(zone.offsets, numpy.int64)
    found = local - (offsets[numpy.searchsorted(changes, local, "right")] if len(changes) else offsets[0])
    return found, (found >= zone.earliest) & (found <= zone.latest)


# Texts of numbers and times, by their length: all texts of one length are a matrix of bytes.

_Parser: TypeAlias = Callable[[Array, Zone], tuple[Array, Array]]


def _by_length(column: Array, filled: Array, zone: Zone, parse: _Parser) -> Cells:
    """Texts parsed by one function for each length: it takes a matrix, gives values, and which are plain."""
    values = numpy.zeros(len(column), numpy.int64)
    odd = filled.copy()
    if len(column):
        offsets, data = text_parts(column)
        starts = offsets[:-1]
        lengths = numpy.where(filled, numpy.diff(offsets), 0)
        for length in numpy.flatnonzero(numpy.bincount(numpy.minimum(lengths, MOST_PLAIN_LENGTH + 1))):
            if not 0 < length <= MOST_PLAIN_LENGTH:
                continue
            places = numpy.flatnonzero(lengths == length)
            for begin in range(0, len(places), ROWS_AT_ONCE):
                some = places[begin : begin + ROWS_AT_ONCE]
                matrix = data[starts[some][:, None] + numpy.arange(length, dtype=numpy.int32)]
                found, plain = parse(matrix, zone)
                values[some] = numpy.where(plain, found, 0)
                odd[some] = ~plain
    return Cells(values, filled, _either(odd))


def _parse_integers(matrix: Array, zone: Zone) -> tuple[Array, Array]:
    first = matrix[:, 0]
    negative = first == ord("-")
    signed = negative | (first == ord("+"))
    digits = matrix - numpy.uint8(ord("0"))
    digits[signed, 0] = 0
    if matrix.shape[1] > 18:
        return numpy.zeros(len(matrix), numpy.int64), numpy.zeros(len(matrix), bool)
    plain = (digits <= 9).all(axis=1) & ~(signed if matrix.shape[1] == 1 else numpy.zeros(len(matrix), bool))
    found = _number(digits, 0, matrix.shape[1])
    return numpy.where(negative, -found, found), plain


def _number(digits: Array, begin: int, end: int) -> Array:
    found = digits[:, begin].astype(numpy.int64)
    for place in range(begin + 1, end):
        found = found * 10 + digits[:, place]
    return found


def _parse_times(matrix: Array, zone: Zone) -> tuple[Array, Array]:
    """ISO 8601 as it is mostly written: to the day, minute, second, milli- or microsecond; with an offset or none."""
    rows, length = matrix.shape
    values = numpy.zeros(rows, numpy.int64)
    plain = numpy.zeros(rows, bool)
    if length < 10:
        return values, plain
    digits = matrix - numpy.uint8(ord("0"))
    day, fine = _days(matrix, digits)
    if length == 10:
        found, inside = instants_of(day * DAY, zone)
        return found, fine & inside
    if length < 16:
        return values, plain
    hour, minute = _number(digits, 11, 13), _number(digits, 14, 16)
    separator = matrix[:, 10]
    fine &= ((separator == ord("T")) | (separator == ord(" "))) & (matrix[:, 13] == ord(":"))
    fine &= (digits[:, [11, 12, 14, 15]] <= 9).all(axis=1) & (hour < 24) & (minute < 60)
    clock = day * DAY + hour * HOUR + minute * MINUTE
    for end, zone_length in _SHAPES.get(length, ()):
        good = fine & ~plain
        if not good.any():
            continue
        moment = clock
        if end >= 19:
            second = _number(digits, 17, 19)
            good &= (matrix[:, 16] == ord(":")) & (digits[:, 17:19] <= 9).all(axis=1) & (second < 60)
            moment = moment + second * SECOND
        if end > 19:
            good &= (matrix[:, 19] == ord(".")) & (digits[:, 20:end] <= 9).all(axis=1)
            moment = moment + _number(digits, 20, end) * 10 ** (26 - end)
        if zone_length == 0:
            found, inside = instants_of(moment, zone)
        else:
            ahead, known = _offsets(matrix[:, end:], digits[:, end:])
            found = moment - ahead
            inside = known & (found >= zone.earliest) & (found <= zone.latest)
        good &= inside
        values = numpy.where(good, found, values)
        plain |= good
    return values, plain


_SHAPES: dict[int, list[tuple[int, int]]] = {}
for _end in (16, 19, 23, 26):
    for _zone in (0, 1, 5, 6):
        _SHAPES.setdefault(_end + _zone, []).append((_end, _zone))


def _days(matrix: Array, digits: Array) -> tuple[Array, Array]:
    """The dates at the beginning, in days since 1970, and which exist."""
    year, month, day = _number(digits, 0, 4), _number(digits, 5, 7), _number(digits, 8, 10)
    fine = (digits[:, [0, 1, 2, 3, 5, 6, 8, 9]] <= 9).all(axis=1)
    fine &= (matrix[:, 4] == ord("-")) & (matrix[:, 7] == ord("-"))
    fine &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = (numpy.where(fine, year, 1970) - 1970) * 12 + numpy.where(fine, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(numpy.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(numpy.int64)
    return first + day - 1, fine & (day <= after - first)


def _offsets(matrix: Array, digits: Array) -> tuple[Array, Array]:
    """How far the written zones are ahead of UTC, and which are plain: `Z`, `+08:00`, `+0800`."""
    rows, length = matrix.shape
    if length == 1:
        return numpy.zeros(rows, numpy.int64), matrix[:, 0] == ord("Z")
    sign = matrix[:, 0]
    colon = 1 if length == 6 else 0
    known = (sign == ord("+")) | (sign == ord("-"))
    if colon:
        known &= matrix[:, 3] == ord(":")
    hours, minutes = _number(digits, 1, 3), _number(digits, 3 + colon, 5 + colon)
    known &= (digits[:, [1, 2, 3 + colon, 4 + colon]] <= 9).all(axis=1) & (hours < 24) & (minutes < 60)
    ahead = hours * HOUR + minutes * MINUTE
    return numpy.where(sign == ord("-"), -ahead, ahead), known


def _integers_of_texts(column: Array, filled: Array, zone: Zone) -> Cells:
    return _by_length(column, filled, zone, _parse_integers)


def _times_of_texts(column: Array, filled: Array, zone: Zone) -> Cells:
    return _by_length(column, filled, zone, _parse_times)


_OF_TEXT = {
    "integer": _integers_of_texts,
    "boolean": _texts_of_booleans,
    "time": _times_of_texts,
    "duration": _texts_of_durations,
}
