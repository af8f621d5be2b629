"""Texts in pictures: what may stand in one, how wide it is at most, and how it is cut to a width.

Widths are upper bounds over the fonts that browsers have, in which a Chinese character is as wide as it is high and a
Latin letter about half that; so what fits here fits on any screen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

UNKNOWN = "\ufffd"
"""Stands for what cannot be shown."""

MOST_MARKS = 2
"""How many combining marks a character keeps: piled up, they would reach into the lines above."""

_NARROW = frozenset("ijlI|!.,:;'`")
_SLIM = frozenset('frt()[]{}/\\-" *')
_WIDE = frozenset("mwMW@%")
_GIANTS = {0xFDFA: 3.5, 0xFDFB: 2.5, 0xFDFD: 12.0}


def clean(text: str) -> str:
    r"""A text as a picture can show it: legal in XML, on one line, nothing in it invisible or reversed.

    Control characters become their pictures, other invisible ones U+FFFD; blanks that would be swallowed are shown.

    Examples
    --------
    >>> clean("a\x00b\u202ec  d")
    'a␀b�c␣␣d'
    """
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        kind = unicodedata.category(character)
        if kind in ("Mn", "Me"):
            marks += 1
            if marks <= MOST_MARKS and shown:
                shown.append(character)
            continue
        marks = 0
        shown.append(_visible(character, kind))
    found = "".join(shown)
    stripped = found.strip(" ")
    if "  " in found or stripped != found:
        left = len(found) - len(found.lstrip(" "))
        found = "␣" * left + stripped.replace("  ", "␣␣") + "␣" * (len(found) - left - len(stripped))
    return found


def _visible(character: str, kind: str) -> str:
    code = ord(character)
    if kind == "Cc":
        return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else UNKNOWN
    if kind in ("Zl", "Zp"):
        return "␤"
    if kind == "Zs":
        return "\u3000" if code == 0x3000 else " "
    if kind in ("Cs", "Co", "Cn") or (kind == "Cf" and code != 0x200D):
        return UNKNOWN
    return character


def isolated(text: str) -> str:
    """A text that keeps its direction to itself: one that is written from the right does not turn what follows it.

    Examples
    --------
    >>> isolated("abc"), len(isolated("אבג"))
    ('abc', 5)
    """
    if text.isascii() or not any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text):
        return text
    return f"\u2068{text}\u2069"


@lru_cache(maxsize=4096)
def _ems(character: str) -> float:
    """The width of a character in units of the font's size."""
    if character.isascii():
        if character in _NARROW:
            return 0.33
        if character in _SLIM:
            return 0.42
        if character in _WIDE:
            return 0.98
        return 0.72 if character.isupper() else 0.6
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    code = ord(character)
    if code >= 0x1F000:
        return 1.4
    if code in _GIANTS or 0x12000 <= code < 0x12550:
        return _GIANTS.get(code, 4.0)
    wide = unicodedata.east_asian_width(character)
    return 1.0 if wide in ("W", "F", "A") else 0.85


def text_width(text: str, size: float) -> float:
    """How wide a text is at most, in pixels, at a font size in pixels.

    Examples
    --------
    >>> text_width("红了", 10), text_width("ab", 10)
    (20.0, 12.0)
    """
    return sum([_ems(character) for character in text]) * size


def clusters(text: str) -> Iterator[str]:
    """The characters of a text, each with the marks that belong to it and what is joined to it."""
    held = ""
    for character in text:
        joins = unicodedata.category(character) in ("Mn", "Me") or character == "\u200d" or held.endswith("\u200d")
        if held and not joins:
            yield held
            held = ""
        held += character
    if held:
        yield held


def shorten(text: str, width: float, size: float) -> str:
    """A text cut in its middle to a width, so that ids which differ at their ends stay apart.

    Examples
    --------
    >>> shorten("seller-000123", 60, 10)
    'selle…0123'
    """
    if text_width(text, size) <= width:
        return text
    parts = list(clusters(text))
    left = width - text_width("…", size)
    head: list[str] = []
    tail: list[str] = []
    low, high = 0, len(parts)
    while low < high:
        from_head = len(head) * 2 <= len(tail) * 3
        part = parts[low] if from_head else parts[high - 1]
        left -= text_width(part, size)
        if left < 0:
            break
        if from_head:
            head.append(part)
            low += 1
        else:
            tail.append(part)
            high -= 1
    return "".join([*head, "…", *reversed(tail)])


def wrap(text: str, width: float, size: float) -> list[str]:
    """A text in lines of at most a width, broken at blanks and between Chinese characters.

    Examples
    --------
    >>> wrap("one two three", 50, 10)
    ['one two', 'three']
    """
    lines: list[str] = []
    line = ""
    for word in _words(text):
        if line and text_width((line + word).rstrip(), size) > width:
            lines.append(line.rstrip())
            line = ""
        line += word if line else word.lstrip(" ")
        if text_width(line, size) > width:
            *full, line = _pieces(line, width, size)
            lines.extend(full)
    if line.strip():
        lines.append(line.rstrip())
    return lines or [""]


def _pieces(word: str, width: float, size: float) -> list[str]:
    """A word that is too long for a line, in as many as it takes."""
    pieces, room = [""], width
    for part in clusters(word):
        room -= text_width(part, size)
        if room < 0 and pieces[-1]:
            pieces.append("")
            room = width - text_width(part, size)
        pieces[-1] += part
    return pieces


def lines_of(text: str, width: float, size: float, most: int) -> list[str]:
    """A text in at most so many lines; what does not fit is cut from its end.

    Examples
    --------
    >>> lines_of("one two three four", 50, 10, 2)
    ['one two', 'three…']
    """
    lines = wrap(text, width, size)
    if len(lines) <= most:
        return lines
    kept = lines[:most]
    last = list(clusters(kept[-1]))
    while last and text_width("".join(last), size) + text_width("…", size) > width:
        last.pop()
    kept[-1] = "".join(last).rstrip() + "…"
    return kept


def _words(text: str) -> Iterator[str]:
    """The pieces between which a line may break; a blank stays with what stands before it."""
    held = ""
    for character in text:
        wide = unicodedata.east_asian_width(character) in ("W", "F")
        opens = unicodedata.category(character).startswith("P")
        if held and ((held.endswith(" ") and character != " ") or (wide and not opens)):
            yield held
            held = ""
        held += character
    if held:
        yield held
