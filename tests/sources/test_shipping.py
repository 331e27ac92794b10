"""What a puller tells arrives once, whatever happens on the way, and where it goes on is known on the disk."""

from pathlib import Path

import pytest

from stream.errors import SourceError
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff, PositionFile, ship
from tests.sources.contract.sinks import Topic
from tests.sources.new_sources import Pager

PAGES = [["ann", "bob"], ["?", "eve"], [], ["dan"]]


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
