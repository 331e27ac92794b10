"""Following a log to a sink that acknowledges, fails and is cut off, and starting again from what was saved."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.core.windows import EPOCH
from stream.errors import BrokerError, SettingsError, SourceError
from stream.families.contacts.events import ContactAnswered, ContactEnded
from stream.sources.asterisk_queue_log.source import Options, QueueLogFollower, default_name, polling, read
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff, PositionFile, ship
from tests.sources.queue_logs import IDENTITY, START, log_of, mapped

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


def options(log: Path) -> Options:
    return Options(file=log, tenant=IDENTITY.tenant, source_name=IDENTITY.source)


async def run(
    log: Path,
    topic: Topic,
    position: PositionFile,
    pause: Callable[[], Awaitable[bool]],
    clock: Callable[[], datetime] = lambda: EPOCH,
) -> Intake:
    async def at_once(_: float) -> None:
        pass

    intake = Intake()
    puller = QueueLogFollower(options(log), intake, pause=pause, clock=clock)
    await ship(puller, topic, position, intake, back_off=BackOff(sleep=at_once))
    return intake


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


@pytest.fixture
def state(tmp_path: Path) -> PositionFile:
    return PositionFile(tmp_path / "queue_log.state")


def appending(log: Path, text: bytes) -> Callable[[], object]:
    def act() -> None:
        with log.open("ab") as stream:
            stream.write(text)

    return act


async def test_a_log_that_grows_is_told_as_the_whole_file_would_be(log: Path, state: PositionFile) -> None:
    topic = Topic()
    pieces = [LOG[start : start + 37] for start in range(0, len(LOG), 37)]

    intake = await run(log, topic, state, script(*(appending(log, piece) for piece in pieces)))

    assert topic.events == mapped(LOG)
    assert intake.read == len(LINES)


@given(st.lists(st.integers(0, len(LINES)), max_size=4))
async def test_restarts_neither_skip_nor_repeat(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("log")
    log, state, topic = folder / "queue_log", PositionFile(folder / "state"), Topic()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(LINES)], strict=True):
        await run(log, topic, state, script(appending(log, b"".join(LINES[begin:end]))))

    assert topic.events == mapped(LOG)


@pytest.mark.parametrize("crash_after", range(1, 12))
async def test_what_is_sent_again_after_a_crash_has_the_ids_that_it_had(
    log: Path, state: PositionFile, crash_after: int
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


async def test_a_broker_that_is_away_gets_everything_when_it_is_back(log: Path, state: PositionFile) -> None:
    topic = Topic()
    topic.away = 3
    log.write_bytes(LOG)

    await run(log, topic, state, script())

    assert topic.events == mapped(LOG)


async def test_a_position_that_cannot_be_saved_stops_nothing_and_is_counted(log: Path, tmp_path: Path) -> None:
    topic, state = Topic(), PositionFile(tmp_path / "no" / "such" / "folder" / "state")

    await run(log, topic, state, script(*(appending(log, line) for line in LINES)))

    assert topic.events == mapped(LOG)
    assert state.failures == len(LINES)


async def test_a_save_that_fails_leaves_the_position_that_was_saved_before(log: Path, state: PositionFile) -> None:
    log.write_bytes(LOG)
    await run(log, Topic(), state, script())
    before = state.path.read_bytes()
    state.path.with_name(f"{state.path.name}.new").mkdir()

    assert state.save(b"half") is False
    assert state.path.read_bytes() == before


async def test_a_position_that_is_not_ours_is_named_with_the_way_out(log: Path, state: PositionFile) -> None:
    state.path.write_bytes(b'{"bookmark": ')

    with pytest.raises(SourceError, match=r"queue_log\.state: no position .* restore it .* count twice"):
        await run(log, Topic(), state, script())


@pytest.mark.parametrize(
    ("was", "became"),
    [
        (b'"version":2', b'"version":3'),
        (b'"offset":', b'"offset":-'),
        (b'"offset":', b'"offset":99999999999999999999'),
        (b'"lines":', b'"lines":-'),
        (b'"head_length":', b'"head_length":-'),
        (b'"head_length":', b'"head_length":9999'),
        (b'[[1,"q1"', b'[[0,"q1"'),
        (b'[[1,"q1"', b'[[1000001,"q1"'),
        (b'"q1"', b'"\xff"'),
        (b'"version":2', b'"version":2,"more":' + b"[" * 100_000),
    ],
    ids=lambda value: ascii(value)[:24],
)
async def test_a_corrupted_state_is_named_and_never_believed(
    log: Path, state: PositionFile, was: bytes, became: bytes
) -> None:
    log.write_bytes(LOG)
    await run(log, Topic(), state, script())
    saved = state.path.read_bytes()
    assert was in saved
    state.path.write_bytes(saved.replace(was, became, 1))

    with pytest.raises(SourceError, match=r"queue_log\.state: no position in a queue_log"):
        await run(log, Topic(), state, script())


def test_a_place_that_can_keep_a_state_is_left_as_it_was(state: PositionFile) -> None:
    state.check()

    assert list(state.path.parent.iterdir()) == []


@pytest.mark.parametrize("place", ["no/such/folder/state", "file/state"])
def test_a_place_that_can_keep_no_state_is_refused_at_the_start(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SourceError, match=r"state: the position cannot be kept there: .* --state"):
        PositionFile(tmp_path / place).check()


def test_a_whole_file_tells_the_same(log: Path) -> None:
    log.write_bytes(LOG)

    assert list(read(options(log), Intake())) == mapped(LOG)


def test_a_file_that_cannot_be_read_is_named(log: Path) -> None:
    with pytest.raises(SourceError, match="queue_log: the file cannot be read"):
        list(read(options(log), Intake()))


async def test_polling_goes_on_for_ever() -> None:
    assert await polling(seconds=0)()


async def test_a_wrap_up_ends_by_the_clock_where_the_log_is_silent(log: Path, state: PositionFile) -> None:
    text = log_of("0|c1|q1|m1|CONNECT|0|c2|0\n9|c1|q1|m1|COMPLETEAGENT|0|9|1\n9|NONE|NONE|m1|WRAPUPSTART|15")
    *_, end = mapped(text)
    log.write_bytes(text)
    topic = Topic()
    times = iter([end.time - timedelta(seconds=1), *[end.time] * 5])

    await run(log, topic, state, script(lambda: None, lambda: None), clock=lambda: next(times))
    await run(log, topic, state, script())

    assert topic.events == mapped(text)


FIRST_VERSION = (
    b'{"bookmark":{"inode":1,"offset":%d,"lines":3,"head_length":%d,"head_digest":"%s"},"memory":{"calls":{"c1":[%d,'
    b'[[1,"q1",%d,"0123","over"],[2,"q2",%d,"4567","waiting"]]]},"alike":{"0123":1,"4567":2},"reports":{"%d":1}},"version":1}'
)


async def test_a_position_of_the_version_before_is_gone_on_from(log: Path, state: PositionFile) -> None:
    """An open call keeps the name that it had, so that its end falls on its begin."""
    head, rest = b"".join(LINES[:6]), b"".join(LINES[6:])
    log.write_bytes(head + rest)
    digest = blake2b(head, digest_size=16).hexdigest().encode()
    begin = START * 1_000_000
    numbers = (begin + 9_000_000, begin, begin + 9_000_000)
    state.path.write_bytes(FIRST_VERSION % (len(head), len(head), digest, *numbers, START))
    topic = Topic()

    await run(log, topic, state, script())

    contacts = [event for event in topic.events if isinstance(event, ContactAnswered | ContactEnded)]
    assert [(event.subject, event.data.enqueue_seq) for event in contacts] == [("c1", 2)] * 2
    assert topic.events[0].id == mapped(LOG)[[type(event) for event in mapped(LOG)].index(ContactAnswered)].id


@pytest.mark.parametrize("name", ["queue_log", "queue_log.1", "queue_log-20260131", "queue_log.2.gz", "queue_log.xz"])
def test_a_rotated_log_is_of_the_log_that_it_was(tmp_path: Path, name: str) -> None:
    assert default_name(tmp_path / name) == default_name(tmp_path / "queue_log")
    assert default_name(tmp_path / name).endswith(f"{tmp_path}/queue_log")


def test_two_logs_are_of_two_pbxs(tmp_path: Path) -> None:
    assert default_name(tmp_path / "a" / "queue_log") != default_name(tmp_path / "b" / "queue_log")


def test_a_path_that_is_too_long_for_a_name_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--source-name"):
        default_name(tmp_path / ("x" * 256))


def test_a_zone_that_there_is_none_of_is_refused(log: Path) -> None:
    with pytest.raises(SettingsError, match="--time-zone"):
        Options(file=log, time_zone="Mars/Olympus").mapper(Intake())
