r"""iCalendar (RFC 5545): events as a calendar that every calendar program reads.

Stamps are in UTC and given by the caller, never by a clock; the same events make the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..ground.values import SECOND
from ..ground.zones import Zone

LONGEST_LINE = 75
"""How many octets a line has at most, its end apart (RFC 5545, 3.1)."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event: an id that stays the same, its instant in microseconds since 1970 UTC, and texts."""

    uid: str
    at: int
    summary: str
    description: str = ""
    categories: tuple[str, ...] = ()


def calendar(events: Iterable[Event], name: str, stamp: int, product: str) -> str:
    r"""The events as a calendar.

    Parameters
    ----------
    events : iterable of Event
        The events.
    name : str
        The calendar's name.
    stamp : int
        When the events were made, in microseconds since 1970 UTC.
    product : str
        What made them.

    Returns
    -------
    str
        The text, each line ended by CR and LF.

    Examples
    --------
    >>> text = calendar([Event("1@x", 0, "a, b")], "c", 0, "-//x//x//EN")
    >>> [line for line in text.split("\r\n") if line.startswith(("DTSTART", "SUMMARY"))]
    ['DTSTART:19700101T000000Z', 'SUMMARY:a\\, b']
    """
    return "".join(f"{folded}\r\n" for line in _lines(events, name, stamp, product) for folded in fold(line))


def _lines(events: Iterable[Event], name: str, stamp: int, product: str) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:{escape(product)}"
    yield "CALSCALE:GREGORIAN"
    yield "METHOD:PUBLISH"
    yield f"NAME:{escape(name)}"
    yield f"X-WR-CALNAME:{escape(name)}"
    for event in events:
        yield "BEGIN:VEVENT"
        yield f"UID:{escape(event.uid)}"
        yield f"DTSTAMP:{utc(stamp)}"
        yield f"DTSTART:{utc(event.at)}"
        yield f"SUMMARY:{escape(event.summary)}"
        if event.description:
            yield f"DESCRIPTION:{escape(event.description)}"
        if event.categories:
            yield f"CATEGORIES:{','.join(escape(category) for category in event.categories)}"
        yield "TRANSP:TRANSPARENT"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def escape(text: str) -> str:
    r"""A text as a value (RFC 5545, 3.3.11): backslashes, commas, semicolons and line ends escaped.

    >>> escape("a;b\nc\x07")
    'a\\;b\\nc'
    """
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(c for c in text if c == "\t" or (c >= " " and c != "\x7f"))


def fold(line: str) -> Iterator[str]:
    """A line cut into lines of at most 75 octets, no character torn; all but the first begin with a space.

    >>> [len(part.encode()) for part in fold("SUMMARY:" + "三" * 30)]
    [74, 25]
    """
    part, octets, room = "", 0, LONGEST_LINE
    lead = ""
    for character in line:
        size = len(character.encode())
        if octets + size > room:
            yield lead + part
            part, octets, lead, room = "", 0, " ", LONGEST_LINE - 1
        part += character
        octets += size
    yield lead + part


def utc(at: int) -> str:
    """An instant in UTC, to the second below.

    >>> utc(1_424_488_500_000_000)
    '20150221T031500Z'
    """
    text = Zone.load("UTC").format(at // SECOND * SECOND)
    return text[:19].replace("-", "").replace(":", "") + "Z"
