"""Integers, durations, periods and time zones (semantics 10), compared with `datetime` and `zoneinfo`."""

from __future__ import annotations

import io
import pickle
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strikeout.ground.values import (
    DAY,
    HOUR,
    INSTANT_MAX,
    INSTANT_MIN,
    INTEGER_MAX,
    INTEGER_MIN,
    MINUTE,
    SECOND,
    WEEK,
    ArithmeticFault,
    Period,
    Zone,
    add_period,
    checked_duration,
    checked_integer,
    dates_window_start,
    floor_divide,
    format_date,
    format_duration,
    format_period,
    modulo,
    parse_date,
    parse_duration,
    parse_period,
    window_start,
)
from strikeout.ground.zonefile import parse_zone, read_zone

ZONES = (
    "Asia/Shanghai",  # local mean time, summers in the 1940s and from 1986 to 1991, no rule now
    "America/New_York",
    "Africa/Casablanca",  # one summer, or two, around Ramadan until 2087
    "Pacific/Apia",  # 2011-12-30 did not happen
    "America/St_Johns",  # clocks that fell back at 00:01, so that the evening came again
    "Asia/Kathmandu",
    "America/Toronto",  # gaps that begin before midnight and end after it
    "America/Nuuk",  # a summer that begins on the evening before
    "Europe/Dublin",  # winter is the exception
    "Australia/Lord_Howe",  # half an hour, in the southern summer
    "Antarctica/Troll",  # two hours
    "UTC",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_MIN, DAY_MAX = INSTANT_MIN // DAY, INSTANT_MAX // DAY

integers = st.integers(INTEGER_MIN, INTEGER_MAX)
clocks = st.one_of(st.sampled_from([0, DAY - 1]), st.integers(0, DAY - 1))


def tzdata(name: str) -> bytes:
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


@cache
def load(name: str) -> Zone:
    return Zone.load(name)


@cache
def peer(name: str) -> ZoneInfo:
    return ZoneInfo.from_file(io.BytesIO(tzdata(name)), key=name)


zones = st.sampled_from(ZONES).map(load)


@st.composite
def moments(draw: st.DrawFn, margin: int = 0) -> tuple[Zone, int]:
    """A zone and an instant: of any year, of our years, or beside a change of the clocks."""
    zone = draw(zones)
    changes, _ = read_table(zone.name)
    instants = [
        st.integers(zone.earliest, zone.latest),
        st.integers(-(10**9), 2 * 10**9).map(lambda s: s * SECOND),
    ]
    if changes:
        near = st.one_of(st.integers(-2, 2), st.integers(-2 * DAY, 2 * DAY))
        instants.append(st.builds(lambda c, d: c * SECOND + d, st.sampled_from(changes), near))
    instant = draw(st.one_of(instants))
    assume(zone.earliest + margin <= instant <= zone.latest - margin)
    return zone, instant


@cache
def read_table(name: str) -> tuple[list[int], list[int]]:
    return read_zone(name)


def as_datetime(instant: int, name: str) -> datetime:
    return (EPOCH + instant * MICROSECOND).astimezone(peer(name))


def instant_of(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def day_of(one: date) -> int:
    return one.toordinal() - date(1970, 1, 1).toordinal()


# Integers


def test_integers_fit_into_64_bits() -> None:
    for fits in (INTEGER_MIN, -1, 0, INTEGER_MAX):
        assert checked_integer(fits) == checked_duration(fits) == fits
    for beyond in (INTEGER_MIN - 1, INTEGER_MAX + 1):
        with pytest.raises(ArithmeticFault, match="an integer beyond 64 bits"):
            checked_integer(beyond)
        with pytest.raises(ArithmeticFault, match="a duration beyond 64 bits"):
            checked_duration(beyond)


@given(integers, integers)
def test_the_quotient_floors_and_the_remainder_has_the_sign_of_the_divisor(dividend: int, divisor: int) -> None:
    assume(divisor and (dividend, divisor) != (INTEGER_MIN, -1))
    quotient, remainder = floor_divide(dividend, divisor), modulo(dividend, divisor)
    assert quotient is not None
    assert remainder is not None
    assert quotient * divisor + remainder == dividend
    assert 0 <= remainder < divisor or divisor < remainder <= 0


def test_division_by_zero_is_missing_and_its_overflow_a_fault() -> None:
    assert floor_divide(7, 0) is None
    assert modulo(7, 0) is None
    assert modulo(INTEGER_MIN, -1) == 0
    with pytest.raises(ArithmeticFault):
        floor_divide(INTEGER_MIN, -1)


# Durations


@given(integers)
def test_a_duration_written_then_read_is_the_same(duration: int) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("72h", 72 * HOUR),
        ("30m", 30 * MINUTE),
        ("15s", 15 * SECOND),
        ("3d", 3 * DAY),
        ("2w", 2 * WEEK),
        ("-72h", -72 * HOUR),
        ("0s", 0),
        ("007d", 7 * DAY),
        ("PT259200S", 3 * DAY),
        ("-PT1.500000S", -1_500_000),
        ("PT0.5S", 500_000),
        ("PT0.123456000S", 123_456),
        ("PT9223372036854.775807S", INTEGER_MAX),
        ("-PT9223372036854.775808S", INTEGER_MIN),
    ],
)
def test_durations(text: str, duration: int) -> None:
    assert parse_duration(text) == duration


def test_durations_are_written_as_whole_seconds_or_with_six_digits() -> None:
    written = [format_duration(d) for d in (0, -1, 1, 3 * DAY, -SECOND, 1_500_000)]
    assert written == ["PT0S", "-PT0.000001S", "PT0.000001S", "PT259200S", "-PT1S", "PT1.500000S"]


REFUSED_DURATIONS = (
    *(
        "",
        "72",
        "h",
        "72 h",
        "72H",
        "1h30m",
        "+72h",
        "--72h",
        "1.5h",
        "PT72H",
        "P3D",
        "PT1S ",
        "PT.5S",
        "PT1.S",
    ),
    *(
        "pt1s",
        "７h",
        "3 d",
        "1y",
        "1ms",
        "PT0.0000001S",
        "PT9223372036854.775808S",
        "106751992d",
        "9" * 5000 + "s",
    ),
)


@pytest.mark.parametrize("text", REFUSED_DURATIONS)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|finer than microseconds|beyond 64 bits"):
        parse_duration(text)


# Periods


periods = st.one_of(
    st.builds(Period, st.just("workdays"), st.integers(1, INTEGER_MAX)),
    st.builds(Period, st.sampled_from(["dates", "months"]), st.one_of(integers, st.integers(-30, 30))),
)


@given(periods)
def test_a_period_written_then_read_is_the_same(period: Period) -> None:
    assert parse_period(format_period(period)) == period


@pytest.mark.parametrize(
    ("text", "period", "written"),
    [
        ("3 workdays", Period("workdays", 3), "3 workdays"),
        ("1 workday", Period("workdays", 1), "1 workday"),
        ("1 workdays", Period("workdays", 1), "1 workday"),
        ("5 dates", Period("dates", 5), "5 dates"),
        ("1 date", Period("dates", 1), "1 date"),
        ("-1 date", Period("dates", -1), "-1 date"),
        ("2 months", Period("months", 2), "2 months"),
        ("0 months", Period("months", 0), "0 months"),
        ("24 months", Period("months", 24), "2 years"),
        ("1 year", Period("months", 12), "1 year"),
        ("3  years", Period("months", 36), "3 years"),
    ],
)
def test_periods(text: str, period: Period, written: str) -> None:
    assert parse_period(text) == period
    assert str(period) == written


REFUSED_PERIODS = (
    *(
        "",
        "3",
        "workdays",
        "3workdays",
        "3 workdayss",
        "3 Months",
        "3 weeks",
        "1.5 months",
        "+1 date",
        " 1 date",
    ),
    *(
        "0 workdays",
        "-1 workday",
        "9223372036854775808 dates",
        "768614336404564651 years",
        "9" * 5000 + " dates",
    ),
)


@pytest.mark.parametrize("text", REFUSED_PERIODS)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a period|not one working day|beyond 64 bits"):
        parse_period(text)


# Dates


@given(st.integers(DAY_MIN, DAY_MAX))
def test_a_date_written_then_read_is_the_same(day: int) -> None:
    assert parse_date(format_date(day)) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2015-1-5",
        "20150105",
        "2015-02-29",
        "2015-13-01",
        "0000-01-01",
        "2015-W01-1",
        "10000-01-01",
        "２015-01-05",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a date|day that does not exist"):
        parse_date(text)


# Time zones: the table


def test_the_tables_of_all_zones_agree_with_zoneinfo() -> None:
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    seen = set()
    for name in names:
        data = tzdata(name)
        if data in seen:
            continue
        seen.add(data)
        changes, offsets = parse_zone(data)
        assert len(offsets) == len(changes) + 1
        assert changes == sorted(set(changes))
        locals_ = [change + max(offsets[i : i + 2]) for i, change in enumerate(changes)]
        assert locals_ == sorted(locals_), "a local time has one place among the changes"
        zone = ZoneInfo.from_file(io.BytesIO(data))
        for index, change in enumerate(changes):
            if index > 400 and index % 997 and index < len(changes) - 2:
                continue  # the yearly rule again
            for second, offset in ((change - 1, offsets[index]), (change, offsets[index + 1])):
                local = (EPOCH + timedelta(seconds=second)).astimezone(zone)
                assert local.utcoffset() == timedelta(seconds=offset), (name, local)
    assert len(seen) > 300


@given(moments(margin=2 * DAY))
def test_local_dates_and_clocks_are_those_of_zoneinfo(moment: tuple[Zone, int]) -> None:
    zone, instant = moment
    local = as_datetime(instant, zone.name)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    assert zone.offset(instant) * MICROSECOND == local.utcoffset()
    assert zone.date(instant) - day_of(local.date()) in (0, zone.name == "America/St_Johns")
    assert zone.local(instant) == (
        day_of(local.date()),
        (local.replace(tzinfo=None) - midnight) // MICROSECOND,
    )
    assert zone.format(instant) == local.isoformat()


@given(zones, st.integers(DAY_MIN + 2, DAY_MAX - 2), clocks)
def test_instants_of_local_times_are_those_of_zoneinfo(zone: Zone, day: int, clock: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=peer(zone.name)) + timedelta(days=day, microseconds=clock)
    assert zone.instant(day, clock) == instant_of(moment.astimezone(UTC))


@given(moments(margin=2 * DAY), st.integers(-3 * HOUR, 3 * HOUR))
def test_instants_of_local_times_beside_a_change_are_those_of_zoneinfo(moment: tuple[Zone, int], shift: int) -> None:
    zone, instant = moment
    local = as_datetime(instant, zone.name).replace(fold=0) + shift * MICROSECOND
    day, clock = divmod((local.replace(tzinfo=UTC) - EPOCH) // MICROSECOND, DAY)
    assert zone.instant(day, clock) == instant_of(local.astimezone(UTC))


@given(moments())
def test_the_instant_of_a_local_time_is_never_later_than_any_that_shows_it(moment: tuple[Zone, int]) -> None:
    zone, instant = moment
    first = zone.instant(*zone.local(instant))
    assert first <= instant
    assert zone.local(first) == zone.local(instant)


@given(zones, st.integers(DAY_MIN, DAY_MAX), clocks, clocks)
def test_a_later_local_time_is_no_earlier_instant(zone: Zone, day: int, one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    assume(zone.earliest + 2 * DAY <= day * DAY <= zone.latest - 2 * DAY)
    # Skipped times move forward past those that follow the gap, as the calendar's arithmetic does everywhere.
    moved = zone.local(zone.instant(day, earlier)) != (day, earlier)
    assert moved or zone.instant(day, earlier) <= zone.instant(day, later)


def test_local_times_that_are_skipped_move_forward_by_the_gap() -> None:
    for name, local, written in (
        ("America/New_York", "2024-03-10T02:30", "2024-03-10T03:30:00-04:00"),
        ("Africa/Casablanca", "2024-04-14T02:15", "2024-04-14T03:15:00+01:00"),
        ("Asia/Shanghai", "1986-05-04T02:00", "1986-05-04T03:00:00+09:00"),
        ("Asia/Shanghai", "1940-06-01T00:30", "1940-06-01T01:30:00+09:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
        ("Pacific/Apia", "2011-12-30T09:30", "2011-12-31T09:30:00+14:00"),
        ("Asia/Kathmandu", "1986-01-01T00:10", "1986-01-01T00:25:00+05:45"),
    ):
        assert load(name).format(load(name).parse(local)) == written


def test_local_times_that_occur_twice_are_the_first() -> None:
    for name, local, written in (
        ("America/New_York", "2024-11-03T01:30", "2024-11-03T01:30:00-04:00"),
        ("Africa/Casablanca", "2024-03-10T02:15", "2024-03-10T02:15:00+01:00"),
        ("Asia/Shanghai", "1986-09-14T01:00", "1986-09-14T01:00:00+09:00"),
        ("Asia/Shanghai", "1900-12-31T23:57", "1900-12-31T23:57:00+08:05:43"),
    ):
        zone = load(name)
        assert zone.format(zone.parse(local)) == written
        assert zone.parse(written) == zone.parse(local)


def test_zones_come_by_their_exact_names_only() -> None:
    for name, hint in (
        ("Asia/Shangai", ", did you mean `Asia/Shanghai`?"),
        ("asia/shanghai", ", did you mean `Asia/Shanghai`?"),
        ("new york", ""),
        ("../zoneinfo/UTC", ""),
        ("/etc/localtime", ""),
        ("Asia", ""),
        ("", ""),
        ("zone.tab", ""),
        ("x" * 10_000, ""),
    ):
        with pytest.raises(ValueError, match="is no time zone") as caught:
            Zone.load(name)
        assert len(str(caught.value)) < 200
        if hint:
            assert str(caught.value) == f"`{name}` is no time zone{hint}"


def test_a_file_that_is_no_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone file"):
        parse_zone(b"PK\x03\x04" + bytes(200))
    shanghai = tzdata("Asia/Shanghai")
    with pytest.raises(ValueError, match="is not understood"):
        parse_zone(shanghai[: shanghai.rindex(b"CST-8")] + b"CST-8CDT,J60,J300\n")


def test_a_zone_is_its_name() -> None:
    zone = load("America/New_York")
    assert zone == Zone.load("America/New_York") != load("Asia/Shanghai")
    assert repr(zone) == "Zone(name='America/New_York')"
    assert pickle.loads(pickle.dumps(zone)).local(0) == zone.local(0)
    assert len(pickle.dumps(zone)) < 200


# Time zones: text


@given(moments())
def test_an_instant_written_then_read_is_the_same(moment: tuple[Zone, int]) -> None:
    zone, instant = moment
    assert zone.parse(zone.format(instant)) == instant
    assert zone.parse(zone.format(instant).replace("T", " ")) == instant


@pytest.mark.parametrize(
    "text",
    [
        *("2015-01-05T01:30", "2015-01-05 01:30:00", "2015-01-05T01:30:00.000000", "2015-01-04T17:30:00Z"),
        *(
            "2015-01-04T17:30Z",
            "2015-01-05T01:30+08:00",
            "2015-01-05T01:30:00+0800",
            "2015-01-05 01:30:00+08",
        ),
        *("2015-01-04T17:30:00-00:00", "2015-01-05T01:35:43+08:05:43", "2015-01-04T12:30:00.0-05:00"),
        "2015-01-05T01:30:00.000000000",
    ],
)
def test_times(text: str) -> None:
    zone = load("Asia/Shanghai")
    assert zone.format(zone.parse(text)) == "2015-01-05T01:30:00+08:00"


def test_fractions_of_a_second_are_exact() -> None:
    zone = load("UTC")
    for digits, microseconds in (("5", 500_000), ("000001", 1), ("123456", 123_456), ("1234560", 123_456)):
        assert zone.parse(f"1970-01-01T00:00:00.{digits}Z") == microseconds
        assert zone.format(microseconds) == f"1970-01-01T00:00:00.{microseconds:06d}+00:00"


REFUSED_TIMES = (
    *("", " ", "now", "0", "2015", "2015-01", "20150105", "2015-1-5", "2015-W01-1", "2015-005", "15-01-05"),
    *(
        "2015-01-05T",
        "2015-01-05T09",
        "2015-01-05T9:30",
        "2015-01-05T0930",
        "2015-01-05T09:30:",
        "2015-01-05t09:30",
    ),
    *(
        "2015-01-05T09:30:15.",
        "2015-01-05T09:30:15,5",
        "2015-01-05T09:30.5",
        "2015-01-05T09:30z",
        "2015-01-05Z",
    ),
    *(
        "2015-01-05+08:00",
        "2015-01-05T09:30+8",
        "2015-01-05T09:30+08:0",
        "2015-01-05T09:30 +08:00",
        "2015-01-05  09:30",
    ),
    *(
        "2015-01-05T09:30+080543",
        "2015-01-05T09:30+0800:43",
        "2015-01-05T09:30 PM",
        "2015/01/05",
        "05.01.2015",
    ),
    *(
        "2015-01-05 ",
        " 2015-01-05",
        "2015-01-05\n",
        "-2015-01-05",
        "+2015-01-05",
        "12015-01-05",
        "２015-01-05",
    ),
    *("2015-02-29", "2015-04-31", "2015-00-01", "2015-13-01", "2015-01-00", "0000-01-01", "2015-02-30T09:30"),
    *(
        "2015-01-05T24:00",
        "2015-01-05T24:00:00",
        "2015-01-05T25:00",
        "2015-01-05T09:60",
        "2015-01-05T09:30:60",
    ),
    *(
        "2015-01-05T09:30+24:00",
        "2015-01-05T09:30+08:60",
        "2015-01-05T09:30:15.1234567",
        "2015-01-05T09:30+08:05:60",
    ),
    *(
        "0001-01-01T00:00",
        "0001-01-01T00:00+08:00",
        "9999-12-31T23:59-08:00",
        "9999-12-31T20:00Z",
        "9" * 5000,
    ),
)


@pytest.mark.parametrize("text", REFUSED_TIMES)
def test_what_is_no_time_is_refused(text: str) -> None:
    expected = "is not a time|does not exist|finer than microseconds|outside the years 1 to 9999"
    with pytest.raises(ValueError, match=expected) as caught:
        load("Asia/Shanghai").parse(text)
    message = str(caught.value)
    assert message.startswith("`")
    assert not message.endswith(".")
    assert len(message) < 200


written_times = st.builds(
    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}".format,
    st.sampled_from((0, 1, 1970, 2015, 2024, 9999)),
    *(st.integers(0, most) for most in (13, 32, 25, 61, 61)),
    st.sampled_from("+-"),
    *(st.integers(0, most) for most in (25, 61)),
)


@given(written_times)
def test_zeros_after_the_second_change_nothing(text: str) -> None:
    """A time without them, which is what nearly all are, is read in another way."""
    zone = load("Asia/Shanghai")
    try:
        expected: int | None = zone.parse(f"{text[:19]}.000{text[19:]}")
    except ValueError:
        expected = None
    if expected is None:
        with pytest.raises(ValueError, match=r"does not exist|outside the years"):
            zone.parse(text)
    else:
        assert zone.parse(text) == expected


# The ends of time


@given(zones)
def test_instants_are_those_whose_utc_and_local_year_lie_in_1_to_9999(zone: Zone) -> None:
    for instant in (zone.earliest, zone.latest):
        assert INSTANT_MIN <= instant <= INSTANT_MAX
        assert DAY_MIN <= zone.date(instant) <= DAY_MAX
        assert zone.checked_instant(instant) == instant
        assert zone.parse(zone.format(instant)) == instant
        assert zone.earliest <= zone.start_of_day(instant) <= instant
        assert zone.earliest <= zone.start_of_year(instant) <= zone.start_of_month(instant) <= instant
    for beyond in (zone.earliest - 1, zone.latest + 1):
        assert not (INSTANT_MIN <= beyond <= INSTANT_MAX and DAY_MIN <= zone.date(beyond) <= DAY_MAX)
        with pytest.raises(ArithmeticFault, match="outside the years 1 to 9999"):
            zone.checked_instant(beyond)


def test_what_leaves_the_years_is_a_fault() -> None:
    zone = load("Asia/Shanghai")
    for day in (DAY_MIN, DAY_MIN - 1, DAY_MAX + 1, 2**80, -(2**80)):
        with pytest.raises(ArithmeticFault):
            zone.instant(day)
    for instant in (INSTANT_MAX, 2**80, -(2**80)):
        with pytest.raises(ArithmeticFault):
            zone.format(instant)
    for period in (Period("dates", 10**7), Period("months", 10**6), Period("months", INTEGER_MAX)):
        for sign in (1, -1):
            with pytest.raises(ArithmeticFault, match="outside the years 1 to 9999"):
                add_period(zone, None, 0, period, -1 if sign == -1 else 1)


def test_in_all_zones_a_date_is_the_time_from_its_beginning_to_that_of_the_next() -> None:
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    for zone in map(Zone.load, [*names[::3], "America/St_Johns", "America/Juneau", "Pacific/Apia"]):
        for change in zone.changes[:80]:
            if change > zone.earliest + 3 * DAY:
                for instant in (change - 1, change, change + HOUR // 60, change + HOUR, change + DAY - 1, change + DAY):
                    day = zone.date(instant)
                    assert zone.begin(day) <= instant < zone.begin(day + 1), (zone.name, zone.format(instant))


# Starts of days, months and years


@given(moments())
def test_a_day_starts_with_its_first_instant(moment: tuple[Zone, int]) -> None:
    zone, instant = moment
    start = zone.start_of_day(instant)
    assert start <= instant
    assert zone.date(start) == zone.date(instant)
    assert start == zone.earliest or zone.date(start - 1) < zone.date(start)


@given(moments())
def test_a_month_and_a_year_start_with_their_first_day(moment: tuple[Zone, int]) -> None:
    zone, instant = moment
    today = date.fromisoformat(format_date(zone.date(instant)))
    month = zone.start_of_month(instant)
    year = zone.start_of_year(instant)
    assert year <= month <= zone.start_of_day(instant) <= instant
    assert zone.date(month) == day_of(today.replace(day=1))
    assert zone.date(year) == day_of(today.replace(month=1, day=1))
    assert zone.start_of_day(month) == month
    assert zone.start_of_day(year) == year


@given(moments(margin=2 * DAY))
def test_a_day_starts_at_midnight_unless_that_is_skipped(moment: tuple[Zone, int]) -> None:
    zone, instant = moment
    start = zone.start_of_day(instant)
    day = zone.date(instant)
    if zone.local(zone.instant(day)) == (day, 0):
        assert start == zone.instant(day)
    else:
        assert start <= zone.instant(day)
        assert zone.offset(start - 1) != zone.offset(start)


def test_a_day_whose_midnight_is_skipped_starts_when_the_clocks_change() -> None:
    for name, local, start in (
        ("Africa/Cairo", "2024-04-26T12:00", "2024-04-26T01:00:00+03:00"),
        ("America/Toronto", "1919-03-31T00:45", "1919-03-31T00:30:00-04:00"),  # the gap is 23:30 to 00:30
        ("Pacific/Apia", "2011-12-31T08:00", "2011-12-31T00:00:00+14:00"),
    ):
        zone = load(name)
        assert zone.format(zone.start_of_day(zone.parse(local))) == start


# Times and periods


@given(moments(), st.integers(-1000, 1000))
def test_dates_move_the_date_and_keep_the_clock(moment: tuple[Zone, int], count: int) -> None:
    zone, instant = moment
    day, clock = zone.local(instant)
    assume(DAY_MIN + 2 <= day + count <= DAY_MAX - 2)
    moved = add_period(zone, None, instant, Period("dates", count))
    assert moved == zone.instant(day + count, clock)
    assert moved == add_period(zone, None, instant, Period("dates", -count), -1)


@given(moments(), st.integers(-40_000, 40_000))
def test_months_move_the_month_and_clamp_at_its_end(moment: tuple[Zone, int], count: int) -> None:
    zone, instant = moment
    day, clock = zone.local(instant)
    start = date.fromisoformat(format_date(day))
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    assume(2 <= year <= 9998)
    first = date(year, month + 1, 1)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    expected = min(first + timedelta(start.day - 1), following - timedelta(1))
    moved = add_period(zone, None, instant, Period("months", count))
    assert moved == zone.instant(day_of(expected), clock)
    assert moved == add_period(zone, None, instant, Period("months", -count), -1)


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2015-01-31T09:30", "1 month", "2015-02-28T09:30"),
        ("2016-01-31T09:30", "1 month", "2016-02-29T09:30"),
        ("2015-12-31", "2 months", "2016-02-29"),
        ("2016-02-29", "1 year", "2017-02-28"),
        ("2016-02-29", "4 years", "2020-02-29"),
        ("2015-03-31T23:59:59", "-1 month", "2015-02-28T23:59:59"),
        ("2015-01-05T09:30", "5 dates", "2015-01-10T09:30"),
        ("1986-05-03T02:30", "1 date", "1986-05-04T03:30"),  # skipped: forward by the gap
    ],
)
def test_sums_of_times_and_periods(start: str, period: str, end: str) -> None:
    zone = load("Asia/Shanghai")
    assert add_period(zone, None, zone.parse(start), parse_period(period)) == zone.parse(end)


def test_working_days_are_only_added_and_need_a_calendar() -> None:
    zone = load("Asia/Shanghai")
    with pytest.raises(ValueError, match=r"`3 workdays` can be added to a time, but not subtracted"):
        add_period(zone, None, 0, Period("workdays", 3), -1)
    with pytest.raises(ValueError, match=r"`3 workdays` needs a calendar"):
        add_period(zone, None, 0, Period("workdays", 3))


# Windows


@given(moments(), integers)
def test_a_window_of_a_duration_begins_that_much_earlier_and_cannot_overflow(
    moment: tuple[Zone, int], length: int
) -> None:
    zone, instant = moment
    start = window_start(zone, instant, length)
    assert INTEGER_MIN <= start <= INTEGER_MAX
    others = (zone.earliest, 0, instant - 1, instant, instant - length, zone.latest)
    for other in (min(max(other, zone.earliest), zone.latest) for other in others):
        assert (other > start) == (other > instant - length)
        assert (other >= start) == (other >= instant - length)


@given(moments(), st.integers(0, 200_000))
def test_a_window_of_months_begins_that_many_months_earlier(moment: tuple[Zone, int], count: int) -> None:
    zone, instant = moment
    start = window_start(zone, instant, Period("months", count))
    assert start <= instant
    try:
        assert start == add_period(zone, None, instant, Period("months", count), -1)
    except ArithmeticFault:
        assert start < zone.earliest


@given(st.integers(-(10**9), 2 * 10**9), st.integers(0, 20 * 86_400), st.integers(-1, 15), st.booleans())
def test_a_window_of_dates_compares_local_dates(now: int, before: int, count: int, inclusive: bool) -> None:
    zone = load("Asia/Shanghai")
    instant, other = now * SECOND, (now - before) * SECOND
    start = dates_window_start(zone, instant, count, inclusive)
    behind = zone.date(instant) - zone.date(other)
    assert (start <= other <= instant) == (behind < count + inclusive)


def test_windows_that_reach_beyond_the_years_hold_all_or_nothing() -> None:
    zone = load("America/New_York")
    everything = (INTEGER_MAX, Period("months", INTEGER_MAX), Period("months", 12 * 9999))
    nothing = (INTEGER_MIN, Period("months", INTEGER_MIN), Period("months", -12 * 9999))
    assert all(window_start(zone, 0, length) < zone.earliest for length in everything)
    assert all(window_start(zone, 0, length) > zone.latest for length in nothing)
    assert dates_window_start(zone, 0, INTEGER_MAX) < zone.earliest
    assert dates_window_start(zone, 0, INTEGER_MIN) > zone.latest
    for unit in ("dates", "workdays"):
        with pytest.raises(ValueError, match="is not a length"):
            window_start(zone, 0, parse_period(f"5 {unit}"))
