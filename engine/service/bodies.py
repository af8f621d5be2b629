"""Bodies of requests: strict JSON to typed values, so that what is read is what was written, or is refused.

Refused are bytes that are not UTF-8, members that occur twice, `NaN` and numbers beyond floating point, integers of
more than a hundred digits, halves of surrogate pairs, and deep nesting: in all of these, readers of JSON differ.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from ..ground.problems import shorten
from .problems import Refusal, safe
from .types import Fault

MOST_DEPTH = 32
MOST_DIGITS = 100

Body = TypeVar("Body")

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


class _Unusable(ValueError):
    """What the hooks of the decoder raise: a reason."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Unusable(f"the member `{shorten(safe(name), 40)}` occurs twice")
            seen.add(name)
    return found


def _constant(text: str) -> NoReturn:
    raise _Unusable(f"`{text}` is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise _Unusable(f"an integer has more than {MOST_DIGITS} digits")
    return int(digits)


def _fraction(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise _Unusable(f"`{shorten(text, 40)}` is too large a number")
    return found


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_fraction
)


def parse(body: bytes, what: str = "the body") -> Any:
    """The value of a JSON text.

    Parameters
    ----------
    body : bytes
        The text, in UTF-8.
    what : str
        What messages call it.

    Raises
    ------
    Refusal
        Where it is no JSON, or of the sort that readers of JSON understand differently.

    Examples
    --------
    >>> parse(b'{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refusal("bad-body", f"{what} is not UTF-8 at byte {error.start + 1}") from None
    try:
        found = _decoder.decode(text)
    except json.JSONDecodeError as error:
        reason = (error.msg[:1].lower() + error.msg[1:]).removesuffix(" at")
        detail = f"{what} is no JSON: {reason}, line {error.lineno}, column {error.colno}"
        raise Refusal("bad-body", safe(detail)) from None
    except _Unusable as error:
        raise Refusal("bad-body", f"{what}: {error}") from None
    except RecursionError:
        raise Refusal("bad-body", f"{what} is nested more than {MOST_DEPTH} deep") from None
    if body.count(b"[") + body.count(b"{") > MOST_DEPTH and _deep(found):
        raise Refusal("bad-body", f"{what} is nested more than {MOST_DEPTH} deep")
    if _HALF.search(body):
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Refusal("bad-body", f"{what} holds half of a surrogate pair") from None
    return found


def _deep(value: object) -> bool:
    """Whether lists and objects are nested too deeply."""
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH + 1):
        inside: list[Any] = []
        for found in level:
            if isinstance(found, dict):
                inside.extend(v for v in found.values() if v.__class__ in (dict, list))
            elif isinstance(found, list):
                inside.extend(v for v in found if v.__class__ in (dict, list))
        if not inside:
            return False
        level = inside
    return True


def typed(value: Any, type_: type[Body], index: int | None = None) -> Body:
    """A value as a type of `types`.

    Raises
    ------
    Refusal
        Where it does not fit; the error names the place in the body as a JSON pointer.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        detail = message[:1].lower() + message[1:]
        fault = Fault(detail=safe(shorten(detail, 300)), pointer=_pointer(path.rstrip("`")), index=index)
        raise Refusal("invalid", fault.detail, [fault]) from None
    except RecursionError:
        raise Refusal("bad-body", f"the body is nested more than {MOST_DEPTH} deep") from None


def _pointer(path: str) -> str:
    """A path of msgspec as a JSON pointer (RFC 6901).

    >>> _pointer("$.what_if.add[0]")
    '/what_if/add/0'
    """
    steps = re.findall(r"\.([^.\[]+)|\[([^\]]*)\]", path)
    return safe("".join("/" + (name or index) for name, index in steps))


def lines(body: bytes) -> list[tuple[int, Any]]:
    """The values of JSON Lines, each with the number of its line, from 1; empty lines are none.

    Raises
    ------
    Refusal
        Where a line is no JSON.
    """
    found = []
    for number, line in enumerate(body.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        stripped = line.strip(b" \t\r")
        if stripped:
            found.append((number, parse(stripped, f"line {number}")))
    return found
