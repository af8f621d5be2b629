"""Working days (semantics 10 and 11), and the shipped calendar of mainland China."""

from __future__ import annotations

import importlib.util
import re
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from strikeout.ground.calendars import Calendar
from strikeout.ground.values import ArithmeticFault, Period, Zone, add_period, format_date, parse_date

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "rulesets" / "calendar" / "CN.yaml"
FEBRUARY: dict[str, object] = {
    "calendar": "february",
    "first": "2015-02-09",
    "last": "2015-03-06",
    "holidays": ["2015-02-18..2015-02-24"],
    "workdays": ["2015-02-15", "2015-02-28"],
}


@pytest.fixture(scope="module")
def china() -> Calendar:
    return Calendar.from_mapping(yaml.safe_load(PATH.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def zone() -> Zone:
    return Zone.load("Asia/Shanghai")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The script that writes the calendar; it needs the packages that the extra `dev` installs."""
    pytest.importorskip("holidays")
    pytest.importorskip("chinese_calendar")
    spec = importlib.util.spec_from_file_location("calendar_cn", ROOT / "tools" / "calendar_cn.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Any calendar


calendars = st.builds(
    lambda weekend, holidays, workdays: Calendar.from_mapping(
        {
            "calendar": "any",
            "first": "2015-01-01",
            "last": "2015-03-31",
            "weekend_days": weekend,
            "holidays": [format_date(day) for day in sorted(holidays - workdays)],
            "workdays": [
                format_date(day)
                for day in sorted(workdays)
                if date.fromisoformat(format_date(day)).strftime("%A").lower() in weekend
            ],
        }
    ),
    st.lists(st.sampled_from(["thursday", "friday", "saturday", "sunday"]), unique=True),
    st.sets(st.integers(parse_date("2015-01-01"), parse_date("2015-03-31"))),
    st.sets(st.integers(parse_date("2015-01-01"), parse_date("2015-03-31"))),
)


@given(calendars, st.integers(parse_date("2014-12-20"), parse_date("2015-04-10")), st.integers(1, 70))
def test_counting_working_days_is_looking_at_one_day_after_the_other(calendar: Calendar, day: int, count: int) -> None:
    reached, left = day, count
    try:
        while left:
            reached += 1
            left -= calendar.is_working(reached)
    except ArithmeticFault as fault:
        with pytest.raises(ArithmeticFault, match=re.escape(str(fault))):
            calendar.nth_working_day_after(day, count)
    else:
        assert calendar.nth_working_day_after(day, count) == reached


def test_a_calendar_says_which_days_are_worked() -> None:
    calendar = Calendar.from_mapping(FEBRUARY)
    weeks = [
        "".join("x" if calendar.is_working(monday + n) else "." for n in range(7))
        for monday in range(calendar.first_day, calendar.last_day - 5, 7)
    ]
    assert weeks == ["xxxxx.x", "xx.....", "..xxxx."]
    assert calendar.is_working(calendar.last_day)
    assert not calendar.is_working(parse_date("2015-03-01"))


def test_dates_may_come_as_text_or_as_dates() -> None:
    read = yaml.safe_load(
        "{calendar: x, first: 2015-01-01, last: 2015-01-31, holidays: [2015-01-01, 2015-01-05..2015-01-06]}"
    )
    assert isinstance(read["first"], date)
    written = {key: str(value) if key in ("first", "last") else value for key, value in read.items()}
    assert Calendar.from_mapping(read) == Calendar.from_mapping(written)


def test_what_is_not_given_is_a_weekend_on_saturday_and_sunday_and_no_holidays() -> None:
    calendar = Calendar.from_mapping({"calendar": "x", "first": "2015-01-05", "last": "2015-01-18"})
    assert calendar.working == tuple(parse_date(f"2015-01-{n:02d}") for n in (5, 6, 7, 8, 9, 12, 13, 14, 15, 16))


def test_nothing_is_known_of_the_days_outside() -> None:
    calendar = Calendar.from_mapping(FEBRUARY)
    expected = "the calendar `february` knows working days from 2015-02-09 to 2015-03-06 only"
    for day in (calendar.first_day - 1, calendar.last_day + 1, -(10**9), 10**9):
        with pytest.raises(ArithmeticFault) as caught:
            calendar.is_working(day)
        assert str(caught.value) == expected
    for day, count in (
        (calendar.first_day - 2, 1),
        (calendar.last_day, 1),
        (calendar.last_day + 5, 1),
        (calendar.first_day, 10**18),
    ):
        with pytest.raises(ArithmeticFault) as caught:
            calendar.nth_working_day_after(day, count)
        assert str(caught.value) == expected
    assert calendar.nth_working_day_after(calendar.first_day - 1, 1) == calendar.first_day
    with pytest.raises(ValueError, match="`0 workdays`"):
        calendar.nth_working_day_after(calendar.first_day, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"holiday": []}, "unknown key `holiday`, did you mean `holidays`?"),
        ({"calendar": None}, "a calendar needs the key `calendar`"),
        ({"calendar": 86}, "`calendar`: `86` is not a name"),
        ({"first": None}, "a calendar needs the key `first`"),
        ({"first": "2015-3-1"}, "`first`: `2015-3-1` is not a date, such as `2014-11-04`"),
        ({"last": "2015-02-29"}, "`last`: `2015-02-29` names a day that does not exist"),
        ({"last": 20150301}, "`last`: `20150301` is not a date, such as `2014-11-04`"),
        ({"last": "2015-02-08"}, "`first`: 2015-02-09 lies after `last`, 2015-02-08"),
        ({"first": "0001-01-01"}, "a calendar reaches over 400 years at most"),
        ({"holidays": "2015-02-18"}, "`holidays` is not a list of dates"),
        ({"holidays": [["2015-02-18"]]}, "`holidays`: `['2015-02-18']` is not a date, such as `2014-11-04`"),
        ({"holidays": ["2015-02-18..", "x"]}, "`holidays`: `` is not a date, such as `2014-11-04`"),
        (
            {"holidays": ["2015-02-24..2015-02-18"]},
            "`holidays`: the range `2015-02-24..2015-02-18` ends before it begins",
        ),
        ({"holidays": ["2015-02-18..2015-02-20", "2015-02-20"]}, "`holidays`: 2015-02-20 is listed twice"),
        ({"holidays": ["2015-03-09"]}, "`holidays`: `2015-03-09` lies outside 2015-02-09 to 2015-03-06"),
        ({"workdays": ["2015-02-16"]}, "`workdays`: 2015-02-16, a monday, is no weekend day"),
        ({"workdays": ["2015-02-21"]}, "`workdays`: 2015-02-21 is among the `holidays` too"),
        ({"weekend_days": "sunday"}, "`weekend_days` is not a list of days of the week"),
        (
            {"weekend_days": ["Sunday"]},
            "`weekend_days`: `Sunday` is no day of the week, did you mean `sunday`?",
        ),
        ({"title": "x"}, "`title` is not a mapping from language to text, such as `{en: …}`"),
    ],
)
def test_what_is_no_calendar_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Calendar.from_mapping({**FEBRUARY, **change})


# Mainland China


@pytest.mark.parametrize(
    ("case", "start", "count", "last"),
    [
        ("K1", "2015-01-05", 3, "2015-01-08"),
        ("K3", "2015-02-13", 3, "2015-02-17"),  # Sunday the 15th is worked
        ("K6", "2015-04-03", 3, "2015-04-09"),  # Monday the 6th is off
        ("K7", "2015-01-05", 2, "2015-01-07"),
    ],
)
@pytest.mark.parametrize("clock", ["00:00", "09:30", "23:59:59.999999"])
def test_deadlines_end_with_the_last_working_day(
    china: Calendar, zone: Zone, case: str, start: str, count: int, last: str, clock: str
) -> None:
    due = add_period(zone, china, zone.parse(f"{start}T{clock}"), Period("workdays", count))
    assert due == zone.instant(parse_date(last) + 1), case
    assert zone.format(due - 1) == f"{last}T23:59:59.999999+08:00"


def test_the_days_off_and_the_weekends_worked_in_2015_and_around(china: Calendar) -> None:
    off = "01-01 01-03 02-18 02-19 02-20 02-21 02-22 02-23 02-24 04-05 04-06 05-01 06-22 09-03 09-04 10-07"
    worked = "01-04 02-15 02-28 09-06 10-10 02-25 04-07 10-08 12-31"
    assert not any(china.is_working(parse_date(f"2015-{day}")) for day in off.split())
    assert all(china.is_working(parse_date(f"2015-{day}")) for day in worked.split())
    assert china.is_working(parse_date("2005-12-31")), "worked by the notice for 2006"
    assert sum(format_date(day).startswith("2015") for day in china.working) == 249


def test_the_calendar_of_china_ends_with_the_last_year_announced(china: Calendar, zone: Zone) -> None:
    assert (china.name, format_date(china.first_day), format_date(china.last_day)) == (
        "CN",
        "2004-01-01",
        "2026-12-31",
    )
    assert dict(china.title).keys() == {"zh", "en"}
    with pytest.raises(
        ArithmeticFault, match=r"the calendar `CN` knows working days from 2004-01-01 to 2026-12-31 only"
    ):
        add_period(zone, china, zone.parse("2026-12-30"), Period("workdays", 3))


def test_the_calendar_of_china_is_what_its_sources_say(tool: ModuleType, china: Calendar) -> None:
    assert PATH.read_text(encoding="utf-8") == tool.text(), "run tools/calendar_cn.py"
    expected = {day.toordinal() - date(1970, 1, 1).toordinal() for day, works in tool.working_days().items() if works}
    assert set(china.working) == expected
