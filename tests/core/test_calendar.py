"""Business time: beside a slow count of every minute, by its laws, and in stories of days that are odd."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.calendar import EVERY_DAY, BusinessCalendar, Span, SpecialDay
from stream.core.public_holidays import public_holidays

pytestmark = pytest.mark.slow

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
WEEKDAYS = frozenset(range(5))
OFFICE = (Span(WEEKDAYS, time(8), time(16)),)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ZONES = ("Europe/Ljubljana", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu")
"""A whole hour of summer time, midnights that do not exist (2018), half an hour of it, and none, off the hour."""
NEW_YEAR = date(2018, 1, 1)


def at(text: str, zone: ZoneInfo = LJUBLJANA) -> datetime:
    """Return an instant by local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def shop(zone: ZoneInfo) -> BusinessCalendar:
    """Open late, with two spans that overlap, a holiday within a night, and a Sunday with hours of its own."""
    return BusinessCalendar(
        zone=zone,
        hours=(
            Span(WEEKDAYS, time(8), time(12)),
            Span(WEEKDAYS, time(11, 30), time(18)),
            Span(frozenset({4, 5}), time(22), time(6, 45)),
        ),
        special_days=(
            SpecialDay(date(2018, 7, 7)),  # a Saturday: the night from Friday goes on into it, its own does not begin
            SpecialDay(date(2018, 12, 25)),
            SpecialDay(date(2019, 11, 3), (Span(EVERY_DAY, time(10), time(14)),)),
        ),
    )


def hands_of_the_clock(minute: datetime) -> bool:
    """Tell by the local time alone whether that shop is open: no instants, no arithmetic with them."""
    today, yesterday, clock = minute.date(), minute.date() - timedelta(days=1), minute.time()
    if today == date(2019, 11, 3) and time(10) <= clock < time(14):
        return True
    closed = (date(2018, 7, 7), date(2018, 12, 25), date(2019, 11, 3))
    by_day = today.weekday() < 5 and today not in closed and time(8) <= clock < time(18)
    evening = today.weekday() in {4, 5} and today not in closed and clock >= time(22)
    morning = yesterday.weekday() in {4, 5} and yesterday not in closed and clock < time(6, 45)
    return by_day or evening or morning


def minutes_of_two_years(zone: ZoneInfo) -> Iterator[datetime]:
    begin = datetime.combine(NEW_YEAR, time(0), zone).astimezone(UTC)
    return (begin + MINUTE * number for number in range(2 * 365 * 1440))


@pytest.mark.parametrize("name", ZONES)
def test_every_minute_of_two_years_is_open_as_a_clock_on_the_wall_says(name: str) -> None:
    zone = ZoneInfo(name)
    calendar, minutes, count = shop(zone), minutes_of_two_years(zone), 0
    begin = datetime.combine(NEW_YEAR, time(0), zone).astimezone(UTC)

    for number, minute in enumerate(minutes):
        if number % 97 == 0:
            assert calendar.business_time(begin, minute) == count * MINUTE, minute
        is_open = hands_of_the_clock(minute.astimezone(zone))
        assert calendar.is_open(minute) == is_open, minute
        count += is_open


instants = st.integers(0, 790 * 86_400 * 10**6).map(
    lambda passed: datetime(2017, 12, 1, tzinfo=UTC) + timedelta(microseconds=passed)
)
calendars = st.sampled_from(
    [
        *(shop(ZoneInfo(name)) for name in ZONES),
        BusinessCalendar(zone=LJUBLJANA),
        BusinessCalendar(zone=LJUBLJANA, hours=OFFICE, region="SI"),
        BusinessCalendar(zone=ZoneInfo("America/Toronto"), region="CA-ON"),
    ]
)


@given(calendars, st.lists(instants, min_size=3, max_size=3))
def test_business_time_adds_up(calendar: BusinessCalendar, three: list[datetime]) -> None:
    first, second, third = sorted(three)

    total = calendar.business_time(first, second) + calendar.business_time(second, third)

    assert total == calendar.business_time(first, third) <= third - first
    assert calendar.business_time(third, first) == timedelta(0)


@given(calendars, instants, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_after_so_much_business_time_so_much_has_passed_and_not_an_instant_sooner(
    calendar: BusinessCalendar, since: datetime, length: timedelta
) -> None:
    found = calendar.after(since, length)

    assert found is not None
    assert calendar.business_time(since, found) == length
    if length:
        assert calendar.business_time(since, found - timedelta(microseconds=1)) < length


@given(calendars, instants, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_before_so_much_business_time_is_the_last_instant_from_which_it_passes(
    calendar: BusinessCalendar, until: datetime, length: timedelta
) -> None:
    found = calendar.before(until, length)

    assert found is not None
    assert calendar.business_time(found, until) == length
    assert calendar.business_time(found + timedelta(microseconds=1), until) < length or not length


@given(calendars, instants)
def test_it_opens_where_business_time_begins_to_pass(calendar: BusinessCalendar, when: datetime) -> None:
    opens = calendar.opens_at(when)

    assert opens is not None
    assert calendar.is_open(opens)
    assert calendar.business_time(when, opens) == timedelta(0)
    assert calendar.is_open(when) == (opens == when)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-11-27T12:00", "2026-11-27T13:30", 1.5),
        ("2026-11-27T12:00", "2026-11-30T09:00", 5),  # over a weekend
        ("2026-11-27T17:00", "2026-11-30T08:00", 0),
        ("2026-12-24T15:00", "2026-12-28T09:00", 2),  # 25 and 26 December are holidays
        ("2026-02-06T15:00", "2026-02-09T09:00", 2),
    ],
)
def test_an_office_in_slovenia(since: str, until: str, hours: float) -> None:
    office = BusinessCalendar(zone=LJUBLJANA, hours=OFFICE, region="SI")

    assert office.business_time(at(since), at(until)) == hours * HOUR


@pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 7), ("2026-10-25", 9), ("2026-06-07", 8)])
def test_a_night_is_as_long_as_it_really_was(night: str, hours: int) -> None:
    eve = date.fromisoformat(night) - timedelta(days=1)
    nights = BusinessCalendar(zone=LJUBLJANA, hours=(Span(EVERY_DAY, time(22), time(6)),))

    assert nights.business_time(at(f"{eve}T21:00"), at(f"{night}T20:00")) == hours * HOUR


def test_nobody_opens_twice_where_the_clock_is_set_back() -> None:
    early = BusinessCalendar(zone=LJUBLJANA, hours=(Span(EVERY_DAY, time(1, 30), time(2, 30)),))
    second_time = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15, an hour after the first 02:15

    assert early.business_time(at("2026-10-25T00:00"), at("2026-10-26T00:00")) == HOUR
    assert early.is_open(second_time - HOUR)
    assert not early.is_open(second_time)


def test_a_day_that_the_clock_says_twice_is_counted_once() -> None:
    # In 2000 the clocks of St. John's were set back from one minute past midnight to one minute past 23:00.
    zone = ZoneInfo("America/St_Johns")
    always = BusinessCalendar(zone=zone, region="CA-NL")
    begin = datetime(2000, 10, 28, 12, tzinfo=UTC)

    assert always.business_time(begin, begin + timedelta(days=2)) == timedelta(days=2)
    assert all(always.is_open(begin + MINUTE * number) for number in range(2880))


def test_it_opens_on_monday_at_eight() -> None:
    office = BusinessCalendar(zone=LJUBLJANA, hours=OFFICE)

    assert office.opens_at(at("2026-11-27T16:00")) == at("2026-11-30T08:00")
    assert office.opens_at(at("2026-11-27T15:59")) == at("2026-11-27T15:59")


def test_what_never_opens_says_so() -> None:
    never = BusinessCalendar(zone=LJUBLJANA, hours=())

    assert never.opens_at(at("2026-11-27T16:00")) is None
    assert never.after(at("2026-11-27T16:00"), MINUTE) is None
    assert never.before(at("2026-11-27T16:00"), MINUTE) is None
    assert not never.is_open(at("2026-11-27T16:00"))


def test_a_special_day_has_its_own_hours_whatever_holiday_it_is() -> None:
    christmas = SpecialDay(date(2026, 12, 25), (Span(EVERY_DAY, time(9), time(11)),))
    office = BusinessCalendar(zone=LJUBLJANA, hours=OFFICE, region="SI", special_days=(christmas,))

    assert office.business_time(at("2026-12-25T00:00"), at("2026-12-26T00:00")) == 2 * HOUR


def test_regions_are_countries_and_parts_of_them() -> None:
    corpus_christi = date(2026, 6, 4)

    assert corpus_christi in public_holidays("DE-BY", 2026)
    assert corpus_christi not in public_holidays("DE", 2026)
    for unknown in ("XX", "DE-XX", ""):
        with pytest.raises(ValueError, match="no public holidays are known"):
            public_holidays(unknown, 2026)
