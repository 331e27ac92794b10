"""What every source must do: go on where it ended, with the same ids; count what is of no use, and not stop for it."""

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream.core.cloudevents import Event, encode
from stream.errors import BrokerError, SourceError
from stream.sdk.producer import checked
from stream.simulator import office_centre, simulate, to_queue_log
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.pulling.shipping import BackOff, PositionFile, ship
from stream.sources.registry import SOURCES
from stream.sources.requests.answering import answer
from stream.sources.source import PulledBatch, Puller, Received, Source, UnreadablePosition, Webhook
from tests.sources.mapped.examples import HOME_MADE, home_made_call
from tests.sources.new_sources import BEGIN, Desk, Pager

NOISE = [b"\xff\xfe\x00", b"", b"+38640000001 rang", b"{", b"|" * 40, b"x" * 70_000, b'"', b",,,,,", b"1|2|3|4|5"]


def day() -> list[Event]:
    return list(simulate(office_centre(), start=BEGIN, end=BEGIN.replace(hour=10), seed=2))


RECORDINGS = {
    "jsonl": lambda: [encode(event) for event in day()],
    "asterisk-queue-log": lambda: [line.encode() for line in to_queue_log(day())],
    "case-log": lambda: [
        b"CaseID,ActivityID,CompleteTimestamp",
        *(f"{number // 3},1,2012-04-03 {number // 60 % 24:02}:{number % 60:02}:38".encode() for number in range(300)),
    ],
    "mapped": lambda: [home_made_call(number) for number in range(150)],
}
"""How each source of files writes an hour of a small office, line by line."""


class Topic:
    """A sink that keeps what it got; it can be away for some sends, and break down for good after some events."""

    def __init__(self, *, away: int = 0, breaks_after: int | None = None) -> None:
        self.events: list[Event] = []
        self.away = away
        self.breaks_after = breaks_after

    async def send_many(self, events: Iterable[Event]) -> int:
        batch = []
        if self.away:
            self.away -= 1
            raise BrokerError("away")
        for event in events:
            checked(event)
            batch.append(event)
            self.events.append(event)
        if self.breaks_after is not None and len(self.events) >= self.breaks_after:
            raise ConnectionAbortedError
        return len(batch)


def options(source: Source, file: Path) -> Any:
    # What holds a connection is told no file.
    told = {"file": file, "mapping": HOME_MADE}
    return source.options(**{name: told[name] for name in told.keys() & {*source.options.__struct_fields__}})


def read(source: Source, file: Path, intake: Intake | None = None) -> list[Event]:
    assert source.read is not None
    return list(source.read(options(source, file), intake or Intake()))


READERS = [source for source in SOURCES.values() if source.read]
PAGES = [["ann", "bob"], ["?", "eve"], [], ["dan"]]


# -- the registry ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_says_what_it_is_and_can_do_something(source: Source) -> None:
    assert source.about.endswith(".")
    assert source.read or source.pull or source.webhook
    assert source.position or not source.pull
    for field in msgspec.structs.fields(source.options):
        assert any(isinstance(part, msgspec.Meta) and part.description for part in field.type.__metadata__)


def test_every_source_of_files_has_a_recording_here() -> None:
    assert {source.name for source in READERS} == RECORDINGS.keys()


# -- sources of files --------------------------------------------------------------------------


@pytest.fixture(params=READERS, ids=lambda source: source.name)
def reader(request: pytest.FixtureRequest) -> Source:
    found: Source = request.param
    return found


@pytest.fixture
def recording(reader: Source, tmp_path: Path) -> Path:
    path = tmp_path / "recording"
    path.write_bytes(b"".join(line + b"\n" for line in RECORDINGS[reader.name]()))
    return path


def test_a_file_that_is_read_again_tells_the_same_with_the_same_ids(reader: Source, recording: Path) -> None:
    events = read(reader, recording)

    assert read(reader, recording) == events
    assert len({(event.source, event.id) for event in events}) == len(events) > 100
    for event in events:
        checked(event)


def test_lines_of_no_use_are_counted_with_a_reason_never_quoted_and_change_nothing(
    reader: Source, recording: Path
) -> None:
    good = read(reader, recording)
    lines = recording.read_bytes().splitlines()
    mixed = [line for number, line in enumerate(lines) for line in ([line] if number % 9 else [*NOISE, line])]
    recording.write_bytes(b"\n".join(mixed))
    aside: list[BadLine] = []
    intake = Intake(aside.append)

    assert read(reader, recording, intake) == good
    assert intake.refused.total() + intake.unknown.total() == len(aside) > 0
    counted = (intake.used, intake.ignored, intake.unknown, intake.refused)
    assert intake.read == len(mixed) == intake.empty + sum(counts.total() for counts in counted)
    assert not any("38640000001" in str(bad) or "xxx" in str(bad) for bad in aside)


def test_a_file_that_is_not_there_is_named(reader: Source, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing: the file cannot be read"):
        read(reader, tmp_path / "missing")


# -- pullers -----------------------------------------------------------------------------------


async def until_told(puller: Puller, saved: bytes | None, count: int) -> list[PulledBatch]:
    """Take batches until they have *count* events: pullers go on for ever."""
    batches: list[PulledBatch] = []
    async for batch in puller.batches(saved):
        batches.append(batch)
        if sum(len(each.events) for each in batches) >= count:
            break
    return batches


FOLLOWERS = [source for source in READERS if source.pull]


@pytest.mark.parametrize("source", FOLLOWERS, ids=lambda source: source.name)
async def test_a_follower_tells_what_a_reader_does_and_goes_on_from_any_batch(source: Source, tmp_path: Path) -> None:
    assert source.pull is not None
    lines = RECORDINGS[source.name]()
    path = tmp_path / "recording"
    saved: bytes | None = None
    told: list[Event] = []
    whole: list[Event] = []
    for cut in (50, 120, len(lines)):
        path.write_bytes(b"".join(line + b"\n" for line in lines[:cut]))
        whole = read(source, path)
        batches = await until_told(source.pull(options(source, path), Intake()), saved, len(whole) - len(told))
        told += [event for batch in batches for event in batch.events]
        saved = batches[-1].position

    assert told == whole


@pytest.mark.parametrize("page", range(4))
async def test_a_puller_goes_on_behind_the_batch_whose_position_was_saved(page: int) -> None:
    everything = [batch async for batch in Pager(PAGES, Intake()).batches(None)]

    again = [batch async for batch in Pager(PAGES, Intake()).batches(everything[page].position)]

    assert again == everything[page + 1 :]


async def no_pause(_: float) -> None:
    pass


async def test_what_a_puller_tells_arrives_once_though_the_broker_was_away(tmp_path: Path) -> None:
    topic, intake = Topic(away=3), Intake()

    await ship(
        Pager(PAGES, intake), topic, PositionFile(tmp_path / "position"), intake, back_off=BackOff(sleep=no_pause)
    )

    assert [event.subject for event in topic.events] == ["ann", "bob", "eve", "dan"]
    assert (intake.read, intake.used.total(), intake.refused) == (5, 4, {"bad_call": 1})
    assert (tmp_path / "position").read_bytes() == b"4"


async def test_an_event_that_a_reader_would_refuse_is_counted_and_holds_up_nothing(tmp_path: Path) -> None:
    topic, intake, position = Topic(), Intake(), PositionFile(tmp_path / "position")

    await ship(Pager([["ann", "b" * 300, "eve"], ["dan"]], intake), topic, position, intake)

    assert {event.subject for event in topic.events} == {"ann", "eve", "dan"}
    assert intake.refused == {"invalid_event": 1}
    assert position.load() == b"2"


@pytest.mark.parametrize("breaks_after", [1, 2, 3])
async def test_after_a_crash_what_is_sent_again_has_the_ids_that_it_had(tmp_path: Path, breaks_after: int) -> None:
    position, topic = PositionFile(tmp_path / "position"), Topic(breaks_after=breaks_after)
    with pytest.raises(ConnectionAbortedError):
        await ship(Pager(PAGES, Intake()), topic, position, Intake())
    topic.breaks_after = None

    await ship(Pager(PAGES, Intake()), topic, position, Intake())

    assert len(topic.events) > 4
    assert [event.subject for event in {event.id: event for event in topic.events}.values()] == [
        *("ann", "bob", "eve", "dan")
    ]


async def test_a_position_of_another_source_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "position").write_bytes(b"page four")

    with pytest.raises(SourceError, match="position: no page is meant"):
        await ship(Pager(PAGES, Intake()), Topic(), PositionFile(tmp_path / "position"), Intake())


@pytest.mark.parametrize("source", [source for source in SOURCES.values() if source.pull], ids=lambda each: each.name)
async def test_every_puller_refuses_a_position_that_is_none(source: Source, tmp_path: Path) -> None:
    assert source.pull is not None

    with pytest.raises(UnreadablePosition):
        await until_told(source.pull(options(source, tmp_path / "none"), Intake()), b"page four", 1)


async def test_who_is_refused_again_and_again_is_asked_less_and_less() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    pauses = BackOff(first=1, longest=5, sleep=sleep)
    for _ in range(5):
        await pauses.wait()
    pauses.reset()
    await pauses.wait()

    assert waited == [1, 2, 4, 5, 5, 1]


async def test_a_dry_run_goes_on_from_a_position_and_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "position").write_bytes(b"3")
    topic = Topic()

    await ship(Pager(PAGES, Intake()), topic, PositionFile(tmp_path / "position", read_only=True), Intake())

    assert [event.subject for event in topic.events] == ["dan"]
    assert (tmp_path / "position").read_bytes() == b"3"


# -- webhooks ----------------------------------------------------------------------------------


def request(body: bytes, *, signed_with: bytes = b"secret") -> Received:
    signature = hmac.new(signed_with, body, hashlib.sha256).hexdigest()
    return Received(body, {"x-signature": signature}, "https://desk.example/events", BEGIN)


ASKED = [
    (request(b'{"call": "ann"}'), 0, 204, ["ann"]),
    (request(b'{"call": "ann"}', signed_with=b"guessed"), 0, 401, []),
    (request(b"not json"), 0, 204, []),
    (request(b'{"call": "ann"}'), 1, 503, []),
]


@pytest.mark.parametrize(
    ("asked", "away", "status", "arrived"), ASKED, ids=["taken", "unsigned", "of no use", "no broker"]
)
async def test_a_request_is_answered_when_its_events_have_arrived(
    asked: Received, away: int, status: int, arrived: list[str]
) -> None:
    intake, topic = Intake(), Topic(away=away)
    desk: Webhook = Desk(intake)

    assert (await answer(desk, asked, topic, intake)).status == status
    assert [event.subject for event in topic.events] == arrived
    assert intake.read == 1


async def test_a_request_whose_event_a_reader_would_refuse_is_taken_and_counted() -> None:
    intake, topic = Intake(), Topic()

    assert (await answer(Desk(intake), request(b'{"call": ""}'), topic, intake)).status == 204
    assert intake.refused == {"invalid_event": 1}


async def test_a_request_that_is_sent_again_has_the_ids_that_it_had() -> None:
    intake, topic = Intake(), Topic()
    for _ in range(2):
        await answer(Desk(intake), request(b'{"call": "ann"}'), topic, intake)

    assert topic.events[0] == topic.events[1]
