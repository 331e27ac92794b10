"""Rows of a table as events: each once, in the order of their ids, whatever order they become visible in."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.app.replay import replay
from stream.errors import SettingsError, SourceError
from stream.simulator import office_centre, simulate, to_queue_log
from stream.sources.asterisk_queue_log_database.read_ids import (
    GAPS_KEPT,
    GRACE_US,
    LOOK_BACK_US,
    NewestIds,
    ReadIds,
)
from stream.sources.asterisk_queue_log_database.source import DatabasePuller, Options
from stream.sources.asterisk_queue_log_database.table import DatabaseAway, DatabaseRefused, StoredRow
from stream.sources.intake import Intake
from stream.sources.source import UnreadablePosition
from tests.sources.asterisk_queue_log_database.tables import (
    OPTIONS,
    Clock,
    FakeTable,
    batches_of,
    events_of,
    puller,
    rows_of,
)
from tests.sources.new_sources import BEGIN
from tests.sources.queue_logs import IDENTITY, START, log_of, mapped, told

LOG = log_of("""
    0|c1|q1|NONE|ENTERQUEUE||x|1
    1|c1|q1|m1|RINGNOANSWER|0
    1|c1|q1|m1|RINGNOANSWER|0
    9|c1|q1|NONE|EXITWITHTIMEOUT|1|1|9
    9|c1|q2|NONE|ENTERQUEUE||x|1
    9|NONE|NONE|NONE|CONFIGRELOAD|
    12|c1|q2|m1|CONNECT|3|c2|1
    15|c5|q2|NONE|ENTERQUEUE||x|1
    40|c1|q2|m1|COMPLETECALLER|3|28|1
    44|c5|q2|NONE|ABANDON|1|1|29
    """).decode()
ROWS = rows_of(LOG)
EVENTS = mapped(LOG.encode(), to_its_end=False)


# -- what a row tells --------------------------------------------------------------------------


async def test_a_table_tells_what_the_log_does_with_the_same_ids() -> None:
    intake = Intake()

    assert await events_of(puller(FakeTable(ROWS), intake=intake)) == EVENTS
    assert (intake.read, intake.used.total(), intake.ignored) == (10, 9, {"CONFIGRELOAD": 1})


async def test_a_morning_in_a_table_has_the_figures_of_the_same_morning_in_a_log() -> None:
    day = simulate(office_centre(), start=BEGIN, end=BEGIN.replace(hour=10), seed=2)
    log = "\n".join(to_queue_log(day)) + "\n"
    expected = mapped(log.encode(), to_its_end=False)

    events = await events_of(puller(FakeTable(rows_of(log))))

    assert events == expected
    board = replay(events).board(BEGIN.replace(hour=10)).snapshots["contacts"]
    assert board == replay(expected).board(BEGIN.replace(hour=10)).snapshots["contacts"] != ()


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2023-11-14 23:13:20.000000"},  # as Asterisk writes it, in the zone of the PBX
        {"time": "2023-11-14 22:13:20+00:00"},  # as a column of instants gives it
        {"data": "|x|1", "data1": "", "data2": "", "data3": ""},  # five columns that are not filled
    ],
    ids=["local", "instant", "one column filled"],
)
async def test_times_and_parameters_are_read_in_whatever_columns_they_are(changes: dict[str, str]) -> None:
    row = StoredRow(1, {**ROWS[0].columns, **changes})
    options = Options(
        file=Path("none"), tenant=OPTIONS.tenant, source_name=OPTIONS.source_name, time_zone="Europe/Berlin"
    )

    assert told(await events_of(puller(FakeTable([row]), options=options))) == told(EVENTS[:1])


async def test_one_column_of_parameters_tells_what_five_do() -> None:
    rows = []
    for row in ROWS:
        five = [row.columns[f"data{number}"] for number in range(1, 6)]
        rest = {name: value for name, value in row.columns.items() if not name.startswith("data")}
        rows.append(StoredRow(row.id, {**rest, "data": "|".join(five).rstrip("|")}))

    assert await events_of(puller(FakeTable(rows))) == EVENTS


async def test_a_row_of_no_use_is_counted_and_named_by_its_id() -> None:
    aside: list[str] = []
    intake = Intake(lambda bad: aside.append(str(bad)))
    bad = StoredRow(11, {**ROWS[0].columns, "time": "05550000001"[::-1] + "x"})
    local = StoredRow(12, {**ROWS[0].columns, "time": "2023-11-14 23:13:20"})

    assert await events_of(puller(FakeTable([*ROWS, bad, local]), intake=intake)) == EVENTS
    assert intake.refused == {"bad_time": 1, "no_time_zone": 1}
    assert [line.partition(" ")[0] for line in aside] == ["queue_log:11:", "queue_log:12:"]


async def test_in_a_quiet_hour_a_wrap_up_ends_by_the_clock() -> None:
    log = log_of("""
        0|c1|q1|NONE|ENTERQUEUE||x|1
        5|c1|q1|m1|CONNECT|5|c2|1
        20|c1|q1|m1|COMPLETECALLER|5|15|1
        20|NONE|NONE|m1|WRAPUPSTART|30
        """).decode()
    clock = Clock()
    events = await events_of(puller(FakeTable(rows_of(log)), partial(clock.passes, 60), clock=clock))

    assert events == mapped(log.encode())
    assert events != mapped(log.encode(), to_its_end=False)


# -- going on ----------------------------------------------------------------------------------


async def test_it_goes_on_behind_any_batch_with_the_same_ids() -> None:
    table = FakeTable()
    adding = [partial(table.add, row) for row in ROWS]
    batches = await batches_of(puller(table, *adding))
    assert len(batches) == len(ROWS)
    for number, batch in enumerate(batches):
        rest = [event for later in batches[number + 1 :] for event in later.events]

        assert await events_of(puller(table), batch.position) == rest


async def test_a_table_that_is_longer_than_a_page_is_read_to_its_end() -> None:
    longer = LOG + LOG.replace("c1", "c7").replace("c5", "c8")

    batches = await batches_of(puller(FakeTable(rows_of(longer))))

    assert [len(batch.events) > 0 for batch in batches] == [True] * 3
    assert [event for batch in batches for event in batch.events] == mapped(longer.encode(), to_its_end=False)


async def test_a_position_that_is_none_is_refused() -> None:
    with pytest.raises(UnreadablePosition, match="no position in a table of a queue_log"):
        await events_of(puller(FakeTable()), b'{"page": 4}')


# -- ids that are not there yet ----------------------------------------------------------------


@dataclass
class LateRow:
    """A row whose transaction commits so many polls after those of its neighbours."""

    row: StoredRow
    polls: int


@given(delays=st.lists(st.integers(0, 12), min_size=len(ROWS), max_size=len(ROWS)), step=st.integers(1, 3))
async def test_whatever_order_rows_become_visible_in_each_is_told_once(delays: list[int], step: int) -> None:
    table, clock = FakeTable(), Clock()
    late = [
        LateRow(StoredRow(row.id * step, row.columns), number + delay)
        for number, (row, delay) in enumerate(zip(ROWS, delays, strict=True))
    ]

    def poll(number: int) -> None:
        clock.passes(0.5)
        table.add(*(one.row for one in late if one.polls == number))

    intake = Intake()
    polls = [partial(poll, number) for number in range(2 * len(ROWS) + 12)]
    batches = await batches_of(puller(table, *polls, clock=clock, intake=intake))

    assert intake.read == len(ROWS)
    ids = [event.id for batch in batches for event in batch.events]
    assert len(ids) == len({*ids})
    # Within the grace they are told in their order, so that the figures are those of the log. Ids that have steps
    # are never without a gap, and are told in order all the same.
    if max(delays) <= 3:
        assert [event for batch in batches for event in batch.events] == EVENTS


async def test_a_gap_that_stays_holds_up_the_rows_behind_it_for_two_seconds() -> None:
    table, clock = FakeTable(ROWS[:2]), Clock()
    following = puller(
        table,
        partial(table.add, *ROWS[3:]),
        *[partial(clock.passes, 0.5)] * 5,
        clock=clock,
    )
    came = [
        (clock.at.timestamp() - START, len(batch.events)) async for batch in following.batches(None) if batch.events
    ]

    assert [seconds for seconds, _ in came] == [0, 2]


@pytest.mark.parametrize("number", [2, 5, 7, 9])
async def test_a_row_that_is_very_late_is_told_when_it_comes_also_behind_a_restart(number: int) -> None:
    table, clock = FakeTable([row for row in ROWS if row.id != number]), Clock()
    before = await batches_of(puller(table, partial(clock.passes, 3), clock=clock))
    clock.passes(300)
    table.add(ROWS[number - 1])
    intake = Intake()

    after = await batches_of(puller(table, clock=clock, intake=intake), before[-1].position)

    assert intake.read == 1
    lines = LOG.splitlines(keepends=True)
    in_its_order = [line for line in lines if line is not lines[number - 1]] + [lines[number - 1]]
    expected = mapped("".join(in_its_order).encode(), to_its_end=False)
    assert [event for batch in [*before, *after] for event in batch.events] == expected
    assert await batches_of(puller(table, clock=clock), after[-1].position) == []


@pytest.mark.parametrize("number", [1, 5, 8])
async def test_an_entry_that_is_very_late_is_of_the_visit_that_was_told_of_and_begins_no_other(number: int) -> None:
    table, clock = FakeTable([row for row in ROWS if row.id != number]), Clock()
    late = partial(table.add, ROWS[number - 1])

    events = await events_of(puller(table, partial(clock.passes, 3), late, clock=clock))

    assert sorted(told(events)) == sorted(told(EVENTS))


async def test_rows_of_years_with_gaps_are_held_up_once_and_not_at_each_gap() -> None:
    table, clock = FakeTable([StoredRow(row.id * 100, row.columns) for row in ROWS]), Clock()
    following = puller(table, partial(clock.passes, 2), clock=clock)

    assert await events_of(following) == EVENTS


def test_gaps_are_forgotten_when_they_are_old_or_too_many() -> None:
    ids = ReadIds()
    for number in range(2, 3 * GAPS_KEPT, 2):
        ids.tell(number, number)

    assert len(ids.gaps) == GAPS_KEPT
    ids.forget(LOOK_BACK_US + 2 * GAPS_KEPT)
    assert 0 < len(ids.gaps) < GAPS_KEPT
    ids.forget(LOOK_BACK_US + 3 * GAPS_KEPT)
    assert ids.gaps == []


@given(order=st.permutations(range(1, 12)))
def test_what_is_left_of_gaps_is_what_was_not_told(order: list[int]) -> None:
    ids = ReadIds()
    for count, told_id in enumerate(order, 1):
        ids.tell(told_id, 0)
        missing = {number for gap in ids.gaps for number in range(gap.first, gap.last + 1)}

        assert missing == {*range(1, ids.newest + 1)} - {*order[:count]}


def test_an_id_is_settled_when_it_has_been_there_for_two_seconds() -> None:
    newest = NewestIds()
    for second, largest in enumerate((5, 5, 8, 9)):
        newest.see(largest, second * 1_000_000)

    assert [newest.settled(second * 1_000_000) for second in (1, 2, 3, 4, 5, 60)] == [0, 5, 5, 8, 9, 9]
    assert GRACE_US == 2_000_000


# -- ids that begin anew -----------------------------------------------------------------------


async def test_ids_that_begin_anew_are_read_from_their_begin() -> None:
    table, clock = FakeTable(rows_of("\n".join(LOG.splitlines()[:4]), first=101)), Clock()

    def truncated() -> None:
        table.rows.clear()

    def begun_anew() -> None:
        table.add(*rows_of("\n".join(LOG.splitlines()[4:])))

    assert await events_of(puller(table, partial(clock.passes, 2), truncated, begun_anew, clock=clock)) == EVENTS


async def test_where_the_last_rows_are_deleted_nothing_is_told_twice() -> None:
    table = FakeTable(ROWS)

    def deleted() -> None:
        for number in (8, 9, 10):
            del table.rows[number]

    assert await events_of(puller(table, deleted)) == EVENTS


# -- a database that is away, or refuses -------------------------------------------------------


async def test_while_the_database_is_away_it_is_asked_less_and_less_and_nothing_is_lost() -> None:
    table, intake = FakeTable(ROWS[:5]), Intake()
    waited: list[float] = []
    heard: list[bool] = []

    def away() -> None:
        table.failures = [DatabaseAway("no answer")] * 5
        table.add(*ROWS[5:])
        heard.extend(intake.connected.values())

    def said(seconds: float) -> None:
        waited.append(seconds)
        heard.extend(intake.connected.values())

    assert await events_of(puller(table, away, intake=intake, waited=said)) == EVENTS
    assert waited == [1, 2, 4, 8, 8]
    assert heard == [True] + [False] * 5
    assert intake.connected == {IDENTITY.source: True}
    assert table.is_closed


async def test_a_refusal_ends_the_first_attempt_with_what_to_do_and_no_later_one() -> None:
    table = FakeTable(ROWS[:5])
    table.failures = [DatabaseRefused("queue_log: GRANT SELECT")]
    with pytest.raises(SourceError, match="GRANT SELECT"):
        await events_of(puller(table))

    def refused() -> None:
        table.failures = [DatabaseRefused("queue_log: GRANT SELECT"), SettingsError("no such file")]
        table.add(*ROWS[5:])

    assert await events_of(puller(table, refused)) == EVENTS


@pytest.mark.parametrize(("scheme", "driver"), [("mysql", "pymysql"), ("postgresql", "pg8000")])
async def test_a_driver_that_is_not_installed_is_named_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str, driver: str
) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    (tmp_path / "url").write_text(f"{scheme}://ann:x@127.0.0.1/asterisk")

    with pytest.raises(SourceError, match=r"pip install 'contact-stream\[database\]'"):
        await anext(DatabasePuller(Options(file=tmp_path / "url"), Intake()).batches(None))


# -- what a person says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": "queue_log; DROP TABLE x"}, "--table: a name"),
        ({"table": 'a"b'}, "--table: a name"),
        ({"ca_file": Path("x")}, "--ca-file: it is for --tls"),
        ({"tls": True, "ca_file": Path("none.pem")}, "--ca-file: none.pem cannot be used"),
        ({"time_zone": "Mars/Base"}, "no such zone"),
    ],
)
def test_an_option_that_cannot_be_meant_is_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        DatabasePuller(Options(file=Path("none"), **options), Intake())  # type: ignore[arg-type]  # fields by name
