"""Holding connections: a scripted PBX speaks byte by byte, is lost, refuses, floods, and is listened to again."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.sources.asterisk_ami.connection import AmiServer, Found, listen
from stream.sources.asterisk_ami.messages import MessageReader
from stream.sources.asterisk_ami.source import AmiPuller, Options, servers_of
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch
from tests.security.certificates import Certificates
from tests.sources.asterisk_ami.test_ami_golden import counted, figures
from tests.sources.manager_messages import WELCOME, ScriptedPbx, found_in, messages_of, recorded, serving
from tests.sources.queue_logs import START, told

JOIN = messages_of("0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1")
NOBODY_WAITS = messages_of("60 QueueParams Queue=q1\n 60 QueueStatusComplete")
REFUSED = WELCOME.replace(b"Success", b"Error").replace(b"accepted", b"failed")


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


def eager() -> BackOff:
    return BackOff(sleep=no_pause)


async def pulled(
    pbx: ScriptedPbx, file: Path, enough: Callable[[list[Event]], bool], saved: bytes | None = None
) -> tuple[list[Event], PulledBatch]:
    """Listen until there is enough, then stop as a person would."""
    puller = AmiPuller(Options(file=file), Intake(), clock=pbx.clock, pauses=eager)
    events: list[Event] = []
    async with aclosing(puller.batches(saved)) as batches:
        async for batch in batches:
            events += batch.events
            if enough(events):
                return events, batch
    raise AssertionError("a puller goes on for ever")


@given(st.lists(st.integers(1, 40), min_size=1), st.sampled_from([b"\r\n", b"\n"]))
def test_messages_are_the_same_wherever_the_network_splits_them(lengths: list[int], ending: bytes) -> None:
    stream = (WELCOME + JOIN + b"garbage\r\n" + NOBODY_WAITS).replace(b"\r\n", ending)
    reader, begin = MessageReader("pbx"), 0
    found: Found = []
    while begin < len(stream):
        length = lengths[begin % len(lengths)]
        found += reader.feed(stream[begin : begin + length], START * 1_000_000)
        begin += length

    assert found == found_in(stream)
    assert len(found) == 5


async def test_a_recorded_session_that_loses_its_connection_has_the_figures_computed_by_hand(tmp_path: Path) -> None:
    scripts = [recorded(name) for name in ("session_filtered", "session_filtered_after_reconnect", "restart_before")]
    async with serving(*scripts, clocks=(1_795_781_249, 1_795_781_337.5, 1_795_781_505)) as pbx:
        events, _ = await pulled(
            pbx, pbx.write_file(tmp_path), lambda told: told[-1].time.timestamp() > 1_795_781_525.662
        )

    assert figures(events, "sales") == counted(9, 2, 4, 3, 2.0)
    assert figures(events, "support") == counted(7, 4, 3, 0, 3.5)


async def test_a_recording_at_fifty_times_its_speed_has_the_figures_computed_by_hand(tmp_path: Path) -> None:
    scripts = [recorded(name) for name in ("session_full", "restart_before")]
    async with serving(*scripts, clocks=(1_795_781_197, 1_795_781_505), speed=50) as pbx:
        events, _ = await pulled(
            pbx, pbx.write_file(tmp_path), lambda told: told[-1].time.timestamp() > 1_795_781_525.662
        )

    assert figures(events, "sales") == counted(9, 2, 4, 3, 2.0)
    assert figures(events, "support") == counted(7, 4, 3, 0, 3.5)


async def test_it_logs_in_with_the_least_and_asks_for_a_snapshot_each_time(tmp_path: Path) -> None:
    async with serving(WELCOME + JOIN, WELCOME + NOBODY_WAITS) as pbx:
        events, _ = await pulled(pbx, pbx.write_file(tmp_path), lambda told: len(told) == 2)

    assert told(events)[0].startswith("0 enqueued c1@")
    assert told(events)[1].endswith("queue=q1 reason=system")
    assert (events[0].source, events[0].id != events[1].id) == ("/asterisk/berlin", True)
    asked = b"".join(pbx.asked)
    assert asked.count(b"Username: board\r\nSecret: pa55word\r\nEvents: agent,call,dialplan\r\n\r\n") == 2


async def test_a_restart_goes_on_with_the_calls_that_were_open(tmp_path: Path) -> None:
    waits = messages_of("60 QueueEntry Queue=q1 Uniqueid=c1 Position=1 Wait=60\n 60 QueueStatusComplete")
    gone = messages_of("70 HangupRequest Uniqueid=c1\n 70 QueueCallerAbandon Uniqueid=c1 Queue=q1 HoldTime=70")
    async with serving(WELCOME + JOIN) as pbx:
        before, batch = await pulled(pbx, pbx.write_file(tmp_path), bool)
    async with serving(WELCOME + waits + gone) as pbx:
        after, _ = await pulled(pbx, pbx.write_file(tmp_path), bool, batch.position)

    assert [type(event).__name__ for event in before + after] == ["ContactEnqueued", "ContactAbandoned"]
    assert before[0].subject == after[0].subject


async def test_who_had_just_left_when_we_stopped_is_told_before_anything_else(tmp_path: Path) -> None:
    leaves = messages_of("1 QueueCallerLeave Uniqueid=c1 Queue=q1\n 1 QueueMemberAdded Queue=q1 MemberName=Ana")
    async with serving(WELCOME + JOIN + leaves) as pbx:
        _, batch = await pulled(pbx, pbx.write_file(tmp_path), lambda told: len(told) > 2)
        after, _ = await pulled(pbx, pbx.write_file(tmp_path), bool, batch.position)

    assert told(after)[0].endswith("queue=q1 reason=system")


async def test_two_pbxs_in_one_process_are_two_sources_and_one_that_is_away_holds_up_nothing(tmp_path: Path) -> None:
    async with serving(WELCOME + JOIN) as berlin, serving(WELCOME + JOIN) as paris:
        tables = "".join(
            f'[pbx.{name}]\nhost = "127.0.0.1"\nport = {port}\nuser = "u"\nsecret_file = "secret"\n'
            for name, port in (("paris", paris.port), ("away", 1))
        )
        file = berlin.write_file(tmp_path, more=tables)
        events, _ = await pulled(berlin, file, lambda told: len(told) == 2)

    assert {event.source for event in events} == {"/asterisk/berlin", "/asterisk/paris"}
    assert len({event.subject for event in events}) == 2


async def heard(
    pbx: ScriptedPbx, enough: int, *, refusals: BackOff | None = None, silence: float = 10.0
) -> list[Found | None]:
    delivered: list[Found | None] = []
    done = asyncio.Event()

    async def deliver(found: Found | None) -> None:
        delivered.append(found)
        if len(delivered) >= enough:
            done.set()

    server = AmiServer(name="berlin", host="127.0.0.1", port=pbx.port, user="board", secret="pa55word")
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(
            listen(server, deliver, pbx.clock, pauses=eager(), refusals=refusals, silence=silence)
        )
        await done.wait()
        listening.cancel()
    return delivered


async def test_a_refused_login_is_said_without_the_secret_and_tried_again_seldom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    async with serving(REFUSED, REFUSED, WELCOME + JOIN) as pbx:
        delivered = await heard(pbx, 1, refusals=BackOff(first=10, longest=300, sleep=sleep))

    assert waited == [10, 20]
    assert delivered[0] is not None
    assert caplog.text.count("berlin: the login was refused") == 2
    assert "pa55word" not in caplog.text


async def test_a_pbx_that_says_nothing_any_more_is_lost_after_an_unanswered_ping() -> None:
    async with serving(WELCOME + JOIN) as pbx:
        delivered = await heard(pbx, 3, silence=0.05)

    assert None in delivered
    assert b"Action: Ping\r\nActionID: ping\r\n\r\n" in b"".join(pbx.asked)


def test_a_server_is_printed_without_its_secret() -> None:
    server = AmiServer(name="berlin", host="h", port=1, user="u", secret="pa55word")

    assert "pa55word" not in f"{server} {server!r}"


FAULTS = {
    'host = "h"\nuser = "u"': "missing required field `secret_file`",
    'host = "h"\nuser = "u"\nsecret_file = "missing"': "secret_file cannot be read",
    'host = "h"\nuser = "u"\nsecret_file = "empty"': "one line each, and not empty",
    'host = "h"\nuser = "u\\r\\nAction: x"\nsecret_file = "secret"': "one line each, and not empty",
    'host = "h"\nuser = "u"\nsecret_file = "secret"\nsecret = "pa55word"': "unknown field `secret`",
    'host = "h"\nuser = "u"\nsecret_file = "secret"\ntls = true\nca_file = "none"': "ca_file cannot be used",
    "host": "Expected '='",
}


@pytest.mark.parametrize(("table", "message"), FAULTS.items())
def test_a_file_that_will_not_do_is_named_with_what_to_fix(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "secret").write_text("pa55word")
    (tmp_path / "empty").touch()
    file = tmp_path / "pbx.toml"
    file.write_text(f"[pbx.berlin]\n{table}\n")

    with pytest.raises(SettingsError, match=r"pbx\.toml") as caught:
        servers_of(file)

    assert message in str(caught.value)
    assert "pa55word" not in str(caught.value)


def test_a_secret_is_in_a_file_of_its_own_and_tls_checks_the_name(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("pa55word\n")
    file = tmp_path / "pbx.toml"
    file.write_text('[pbx."/pbx/berlin"]\nhost = "h"\nuser = "u"\nsecret_file = "secret"\ntls = true\n')

    ((server, identity),) = servers_of(file)

    assert (server.port, server.secret, identity.source) == (5039, "pa55word", "/pbx/berlin")
    assert server.tls is not None
    assert (server.tls.verify_mode, server.tls.check_hostname) == (ssl.CERT_REQUIRED, True)


async def test_over_tls_it_listens_to_a_pbx_that_the_authority_knows(tmp_path: Path) -> None:
    known = Certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*known.issue("pbx", "127.0.0.1"))
    more = f'tls = true\nca_file = "{known.authority.name}"\n'
    async with serving(WELCOME + JOIN, tls=context) as pbx:
        events, _ = await pulled(pbx, pbx.write_file(tmp_path, more=more), bool)

    assert [type(event).__name__ for event in events] == ["ContactEnqueued"]


async def test_a_pbx_that_no_authority_knows_gets_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = Certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*known.issue("pbx", "127.0.0.1"))
    tried = asyncio.Event()

    async def sleep(_: float) -> None:
        tried.set()
        await asyncio.sleep(0)

    async with serving(WELCOME + JOIN, tls=context) as pbx:
        file = pbx.write_file(tmp_path, more=f'tls = true\nca_file = "{known.stranger.name}"\n')
        puller = AmiPuller(Options(file=file), Intake(), clock=pbx.clock, pauses=lambda: BackOff(sleep=sleep))
        listening = asyncio.ensure_future(anext(puller.batches(None)))
        await tried.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    assert "certificate verify failed" in caplog.text
    assert pbx.asked == []
