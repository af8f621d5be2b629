"""Write rulesets/calendar/CN.yaml, the working days of mainland China, or check that it is up to date.

    python tools/calendar_cn.py            write the file
    python tools/calendar_cn.py --check    change nothing; exit 1 where the file would change

The days come from the package `holidays` and are compared with those of `chinesecalendar`; both follow the
State Council's notices of each year. `holidays` goes on, with a guess, into years that have not been
announced: the last year is moved here by hand, when its notice is out and both packages know it. A notice may
also change the last weekend of the year before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import chinese_calendar
import holidays

PATH = Path(__file__).resolve().parent.parent / "rulesets" / "calendar" / "CN.yaml"
FIRST = date(2004, 1, 1)
LAST = date(2026, 12, 31)

# Where the two packages differ, and who is right: the notice for 2006 made this Saturday a day of work.
KNOWN_DIFFERENCES = {date(2005, 12, 31): True}

HEADER = """\
# Written by tools/calendar_cn.py, not by hand. Of days before `first` and after `last` nothing is known:
# a count of working days that reaches them is an error, never a guess.
calendar: CN
title:
  zh: 中国大陆工作日，含节假日调休
  en: Working days of mainland China, with the weekend days worked in exchange for holidays
"""


def working_days() -> dict[date, bool]:
    """Whether each day from FIRST to LAST is worked; an error where the sources differ as is not known."""
    china = holidays.country_holidays("CN", years=range(FIRST.year, LAST.year + 1), expand=False)
    days = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
    working = {day: china.is_working_day(day) for day in days}
    differences = {day: working[day] for day in days if working[day] != chinese_calendar.is_workday(day)}
    if differences != KNOWN_DIFFERENCES:
        listed = ", ".join(map(str, sorted(differences.keys() ^ KNOWN_DIFFERENCES.keys()))) or "the known ones"
        raise SystemExit(f"holidays and chinesecalendar differ otherwise than is known: {listed}")
    return working


def runs(days: Iterable[date], working: dict[date, bool]) -> list[tuple[date, date]]:
    """Stretches of days off, or of days worked; between two days of a stretch may lie free weekend days."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found:
            start, end = found[-1]
            between = [end + timedelta(n) for n in range(1, (day - end).days)]
            if start.year == day.year and all(not working[one] and one.weekday() >= 5 for one in between):
                found[-1] = start, day
                continue
        found.append((day, day))
    return found


def text() -> str:
    """The whole file."""
    working = working_days()
    off = runs((day for day in working if day.weekday() < 5 and not working[day]), working)
    worked = [(day, day) for day in working if day.weekday() >= 5 and working[day]]
    lines = [f"first: {FIRST}", f"last: {LAST}"]
    for key, comment, stretches in (
        ("holidays", "days off; the weekend days between them are off too", off),
        ("workdays", "weekend days that are worked", worked),
    ):
        lines.append(f"{key}:  # {comment}")
        for _, of_year in groupby(stretches, key=lambda stretch: stretch[0].year):
            lines += [f"  - {start}" if start == end else f"  - {start}..{end}" for start, end in of_year]
    return HEADER + "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write rulesets/calendar/CN.yaml.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where the file would change")
    checking = parser.parse_args().check
    wanted = text()
    present = PATH.read_text(encoding="utf-8") if PATH.exists() else ""
    if checking and wanted != present:
        sys.exit(f"{PATH.name} is not what tools/calendar_cn.py writes")
    if not checking:
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
