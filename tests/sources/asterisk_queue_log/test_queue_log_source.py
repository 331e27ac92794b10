"""Following a log to a sink that acknowledges, fails and is cut off, and starting again from what was saved."""

from collections.abc import Awaitable, Callable, Iterable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.errors import BrokerError, SourceError
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.source import follow, polling, read, read_stream, ship
from stream.sources.asterisk_queue_log.state import StateFile
from tests.sources.queue_logs import log_of, mapped, mapper

LOG = log_of("""
    0|c1|q1|NONE|ENTERQUEUE||x|1
    1|c1|q1|m1|RINGNOANSWER|0
    1|c1|q1|m1|RINGNOANSWER|0
    9|c1|q1|NONE|EXITWITHTIMEOUT|1|1|9
    9|c1|q2|NONE|ENTERQUEUE||x|1
    9|NONE|NONE|NONE|CONFIGRELOAD|
    12|c1|q2|m1|CONNECT|3|c2|1
    40|c1|q2|m1|COMPLETECALLER|3|28|1
    """)
LINES = LOG.splitlines(keepends=True)


class Crash(Exception):
    """The follower's machine lost its power."""


class Topic:
    """A sink that keeps what it got; it can be away for some sends, and lose the power behind one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = 0
        self.crash_after: int | None = None

    async def send_many(self, events: Iterable[Event]) -> int:
        batch = list(events)
        if self.away:
            self.away -= 1
            raise BrokerError("away")
        self.events += batch
        if self.crash_after is not None and len(self.events) >= self.crash_after:
            self.crash_after = None
            raise Crash
        return len(batch)

    @property
    def distinct(self) -> list[Event]:
        return list({event.id: event for event in self.events}.values())


def script(*acts: Callable[[], object]) -> Callable[[], Awaitable[bool]]:
    """Do one act each time the follower has nothing to read; then let it end."""
    left = list(acts)

    async def pause() -> bool:
        if not left:
            return False
        left.pop(0)()
        return True

    return pause


async def run(log: Path, topic: Topic, state: StateFile, pause: Callable[[], Awaitable[bool]]) -> Mapper:
    saved = state.load()
    by = mapper()
    if saved is not None:
        by.memory = saved.memory
    await ship(follow(log, by, saved=saved, pause=pause), topic, state)
    return by


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


@pytest.fixture
def state(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "queue_log.state")


def appending(log: Path, text: bytes) -> Callable[[], object]:
    def act() -> None:
        with log.open("ab") as stream:
            stream.write(text)

    return act


async def test_a_log_that_grows_is_told_as_the_whole_file_would_be(log: Path, state: StateFile) -> None:
    topic = Topic()
    pieces = [LOG[start : start + 37] for start in range(0, len(LOG), 37)]

    by = await run(log, topic, state, script(*(appending(log, piece) for piece in pieces)))

    assert topic.events == mapped(LOG)
    assert by.counts.lines == len(LINES)


@given(st.lists(st.integers(0, len(LINES)), max_size=4))
async def test_restarts_neither_skip_nor_repeat(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("log")
    log, state, topic = folder / "queue_log", StateFile(folder / "state"), Topic()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(LINES)], strict=True):
        await run(log, topic, state, script(appending(log, b"".join(LINES[begin:end]))))

    assert topic.events == mapped(LOG)


@pytest.mark.parametrize("crash_after", range(1, 8))
async def test_what_is_sent_again_after_a_crash_has_the_ids_that_it_had(
    log: Path, state: StateFile, crash_after: int
) -> None:
    topic = Topic()
    topic.crash_after = crash_after
    acts = [appending(log, line) for line in LINES]
    with pytest.raises(Crash):
        await run(log, topic, state, script(*acts))
    log.write_bytes(LOG)

    await run(log, topic, state, script())

    assert len(topic.events) > len(topic.distinct)
    assert topic.distinct == mapped(LOG)


async def test_a_broker_that_is_away_gets_everything_when_it_is_back(log: Path, state: StateFile) -> None:
    topic = Topic()
    topic.away = 3
    log.write_bytes(LOG)

    await run(log, topic, state, script())

    assert topic.events == mapped(LOG)


async def test_a_position_that_cannot_be_saved_stops_nothing_and_is_counted(log: Path, tmp_path: Path) -> None:
    topic, state = Topic(), StateFile(tmp_path / "no" / "such" / "folder" / "state")

    await run(log, topic, state, script(*(appending(log, line) for line in LINES)))

    assert topic.events == mapped(LOG)
    assert state.failures == len(LINES)


async def test_a_save_that_fails_leaves_the_position_that_was_saved_before(log: Path, state: StateFile) -> None:
    log.write_bytes(LOG)
    await run(log, Topic(), state, script())
    before = state.path.read_bytes()
    state.path.with_name(f"{state.path.name}.new").mkdir()

    assert state.save(b"half") is False
    assert state.path.read_bytes() == before


def test_a_state_file_that_is_not_ours_is_named_with_the_way_out(state: StateFile) -> None:
    state.path.write_bytes(b'{"bookmark": ')

    with pytest.raises(SourceError, match=r"queue_log\.state: .* restore it .* count twice"):
        state.load()


@pytest.mark.parametrize(
    ("was", "became"),
    [
        (b'"version":1', b'"version":2'),
        (b'"offset":', b'"offset":-'),
        (b'"offset":', b'"offset":99999999999999999999'),
        (b'"lines":', b'"lines":-'),
        (b'"head_length":', b'"head_length":-'),
        (b'"head_length":', b'"head_length":9999'),
        (b'[[1,"q1"', b'[[0,"q1"'),
        (b'[[1,"q1"', b'[[1000001,"q1"'),
        (b'"q1"', b'"\xff"'),
        (b'"version":1', b'"version":1,"more":' + b"[" * 100_000),
    ],
    ids=lambda value: ascii(value)[:24],
)
async def test_a_corrupted_state_is_named_and_never_believed(
    log: Path, state: StateFile, was: bytes, became: bytes
) -> None:
    log.write_bytes(LOG)
    await run(log, Topic(), state, script())
    saved = state.path.read_bytes()
    assert was in saved
    state.path.write_bytes(saved.replace(was, became, 1))

    with pytest.raises(SourceError, match=r"queue_log\.state: no state of a queue_log"):
        state.load()


def test_a_place_that_can_keep_a_state_is_left_as_it_was(state: StateFile) -> None:
    state.check()

    assert list(state.path.parent.iterdir()) == []


@pytest.mark.parametrize("place", ["no/such/folder/state", "file/state"])
def test_a_place_that_can_keep_no_state_is_refused_at_the_start(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SourceError, match=r"state: the position cannot be kept there: .* --state"):
        StateFile(tmp_path / place).check()


def test_a_whole_file_and_a_stream_tell_the_same(log: Path) -> None:
    log.write_bytes(LOG)

    assert list(read(log, mapper())) == list(read_stream(BytesIO(LOG), "-", mapper())) == mapped(LOG)


def test_a_file_that_cannot_be_read_is_named(log: Path) -> None:
    with pytest.raises(SourceError, match="queue_log: the log cannot be read"):
        list(read(log, mapper()))


async def test_polling_goes_on_for_ever() -> None:
    assert await polling(seconds=0)()
