"""Commands about recorded and simulated events: replay, produce, simulate, schema."""

import asyncio
import math
import sys
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path

import click
import msgspec
from rich.console import Console

from stream.app.policy_file import load_policies
from stream.app.replay import replay as fold
from stream.board.terminal import print_board
from stream.board.view import panels_of
from stream.cli.options import (
    BadLines,
    InstantOfDayParam,
    InstantParam,
    broker_address,
    not_ahead,
    now,
    on_the_day,
    producer_of,
    settings_of_environment,
)
from stream.cli.recording import SpeedParam, send_paced
from stream.cli.source_options import options_of, shared_options
from stream.cli.sources import READABLE, follow_source, recorded_events, send_recorded
from stream.core.cloudevents import Event
from stream.core.family import windows_of
from stream.core.windows import ALL
from stream.families.registry import EVENT_TYPES, FAMILIES
from stream.security.customer_keys import read_customer_keys
from stream.settings import Settings
from stream.simulator import (
    CASES_BEFORE,
    CUSTOMERS_BEFORE,
    demo_centre,
    going_on,
    newest_event,
    office_centre,
    paced,
    to_queue_log,
    with_surveys,
)
from stream.simulator import simulate as play
from stream.simulator.centre import Centre
from stream.sources.files import jsonl
from stream.sources.pulling.recording import Times
from stream.sources.registry import SOURCES

__all__ = ["produce", "replay", "schema", "simulate"]

CENTRES = {"demo": demo_centre, "office": office_centre}


read_options = shared_options([SOURCES[name] for name in READABLE])

source_option = click.option(
    "--source", type=click.Choice(READABLE), default="jsonl", show_default=True, help="What wrote the file."
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@source_option
@read_options
@click.option(
    "--at", type=InstantOfDayParam(), help="The board at this instant (or 10:30, of that day); else the newest."
)
@click.option("--window", type=click.Choice([*windows_of(FAMILIES), ALL]), default="30m", show_default=True)
@click.option("--policies", type=click.Path(path_type=Path), help="TOML file with thresholds and formulas.")
@click.option("--customer-key-file", type=click.Path(path_type=Path), help="Keys of the digests of customers.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, null where there is no sample.")
def replay(  # one argument per option
    source: str,
    at: datetime | time | None,
    window: str,
    policies: Path | None,
    customer_key_file: Path | None,
    *,
    as_json: bool,
    **given: object,
) -> None:
    """Print the board of a recorded day (FILE, or - for standard input), without Kafka."""
    settings = settings_of_environment(policies=policies, customer_key_file=customer_key_file)
    bad = BadLines()
    recorded = recorded_events(SOURCES[source], options_of(SOURCES[source], given), bad.intake)
    if not isinstance(at, datetime):  # then the clock says what is of the future; else *at* does
        recorded = not_ahead(recorded, now() + settings.future_tolerance, bad)
    instant, events = on_the_day(at, recorded)
    result = fold(
        events,
        at=instant,
        policies=load_policies(settings.policies),
        customer_keys=read_customer_keys(settings.customer_key_file),
        whole=window == ALL,
    )
    # Before the board: where nothing in the file was an event this raises, instead of an empty table.
    bad.summary(result.events)
    panels = panels_of(result.board(instant), FAMILIES, window, detailed=True)
    if as_json:
        rows = {family.rows: panels[family.name].rows for family in FAMILIES}
        # As bytes: JSON is UTF-8 wherever it goes, and standard output need not be.
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    else:
        print_board(panels, FAMILIES, window, Console())


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--from", "named", type=click.Path(path_type=Path), help="The file, if it is not named as FILE.")
@source_option
@read_options
@click.option("--broker", help="Bootstrap servers, host:port.")
@click.option("--speed", type=SpeedParam(), help="Recorded seconds per second; max (or 0): all at once.")
@click.option("--times", type=click.Choice(["original", "now"]), help="As recorded, or moved so that the first is now.")
@click.option("--follow", "follows", is_flag=True, help="Go on with what is added, through rotation.")
@click.option("--state", type=click.Path(path_type=Path), help="Where the position is kept; else beside the file.")
def produce(
    file: Path | None,
    named: Path | None,
    source: str,
    broker: str | None,
    speed: float | None,
    times: Times | None,
    follows: bool,
    state: Path | None,
    **given: object,
) -> None:
    """
    Send a recorded file to the broker, all of it at once, at a pace, or a live log with --follow.

    With --speed or --times it is sent as if it happened now, and what was acknowledged is remembered: the same command
    goes on where an interrupted one ended. `contact-stream source` has a command for each source.
    """
    chosen = file or named
    if chosen is None or (file and named):
        raise click.UsageError("name the file to send once, as FILE or with --from FILE")
    of = SOURCES[source]
    settings = settings_of_environment(broker=broker)
    options = options_of(of, {**given, "file": chosen})
    paced_by = speed is not None or times is not None
    if follows and paced_by:
        raise click.UsageError("--follow sends what happens now, and takes neither --speed nor --times")
    if follows:
        follow_source(of, options, settings, state)
    elif paced_by or state is not None:
        # What begins now goes on as time does: sent at once, most of it would be of the future.
        otherwise = 1.0 if times == "now" else math.inf
        send_paced(of, options, chosen, settings, state, speed=speed or otherwise, times=times or "original")
    else:
        send_recorded(of, options, settings)


def _write_events(events: Iterable[Event], _: Centre, tenant: str | None) -> None:
    jsonl.write((event for event in events if tenant in (None, event.tenantid)), sys.stdout.buffer)


def _write_queue_log(events: Iterable[Event], centre: Centre, tenant: str | None) -> None:
    # A queue_log knows neither tenants nor channels: it is of one tenant's voice queues.
    of = tenant or centre.queues[0].tenant
    for line in to_queue_log(events, tenant=of, queues=centre.queue_names("voice", tenant=of)):
        click.echo(line)


WRITERS = {"jsonl": _write_events, "asterisk-queue-log": _write_queue_log}
"""What a simulated day can be written as."""


@click.command()
@click.option("--centre", type=click.Choice(sorted(CENTRES)), default="demo", show_default=True)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same day.")
@click.option("--start", type=InstantParam(), help="When the day begins; else now.")
@click.option(
    "--hours",
    default=1.0,
    show_default=True,
    help="How much is simulated; with --broker: at least how much of the past.",
)
@click.option("--tenant", help="Only this tenant; a queue_log is of one (default: the first of the centre).")
@click.option("--format", "form", type=click.Choice(list(WRITERS)), default="jsonl", show_default=True)
@click.option("--broker", help="Send live events to this broker, host:port, instead of printing them.")
@click.option("--speed", default=1.0, show_default=True, help="With --broker: simulated seconds per second.")
@click.option("--surveys", is_flag=True, help="Ask customers afterwards, and review conversations.")
@click.option("--customers", is_flag=True, help="Say who calls and writes, and tell of these: 100 days of them first.")
def simulate(  # one argument per option
    centre: str,
    seed: int,
    start: datetime | None,
    hours: float,
    tenant: str | None,
    form: str,
    broker: str | None,
    speed: float,
    *,
    surveys: bool,
    customers: bool,
) -> None:
    """
    Simulate a contact centre: print a day, or send a live one.

    A live one that is started again goes on where it ended.
    """
    if broker is not None:
        settings = settings_of_environment(broker=broker)
        live = _live(centre, seed, timedelta(hours=hours), speed, settings, surveys=surveys, customers=customers)
        asyncio.run(live)
        return
    begin = start or now()
    chosen = CENTRES[centre]()
    before = CUSTOMERS_BEFORE if customers else None
    events = play(chosen, start=begin, end=begin + timedelta(hours=hours), seed=seed, customers_before=before)
    WRITERS[form](with_surveys(events) if surveys else events, chosen, tenant)


async def _live(  # as many as there are options
    centre: str, seed: int, past: timedelta, speed: float, settings: Settings, *, surveys: bool, customers: bool
) -> None:
    chosen = CENTRES[centre]()
    newest = await newest_event(broker_address(settings).split(","), chosen, security=settings.security)
    # Read after the broker was asked, which may take seconds: the first event is not to be late already.
    at = now()
    before = CUSTOMERS_BEFORE if customers else None
    events = going_on(chosen, newest, now=at, past=past, seed=seed, cases_before=CASES_BEFORE, customers_before=before)
    if surveys:
        events = with_surveys(events)
    # A run that was faster than the clock goes on ahead of it.
    origin = at if newest is None else max(at, newest.time)
    async with producer_of(settings) as producer:
        async for event in paced(events, speed=speed, clock=now, sleep=asyncio.sleep, origin=origin):
            await producer.post(event)


@click.command()
@click.argument("kind", type=click.Choice(sorted(EVENT_TYPES)), required=False, metavar="[TYPE]")
def schema(kind: str | None) -> None:
    """Print the JSON Schema of an event type, or list the types."""
    if kind is None:
        click.echo("\n".join(sorted(EVENT_TYPES)))
        return
    document = msgspec.json.schema(EVENT_TYPES[kind])
    click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
