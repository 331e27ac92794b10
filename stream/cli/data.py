"""Commands about recorded and simulated events: replay, produce, simulate, schema."""

import asyncio
import sys
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
    QUEUE_LOG,
    SOURCES,
    STDIN,
    BadLines,
    Instant,
    InstantOfDay,
    broker_address,
    not_ahead,
    now,
    on_the_day,
    producer_of,
    recorded_events,
    settings_of_environment,
    source_option,
    tenant_option,
)
from stream.core.windows import ALL, SHOWN_WINDOWS
from stream.errors import SettingsError
from stream.families.registry import EVENT_TYPES, FAMILIES
from stream.settings import Settings
from stream.simulator import (
    check,
    demo_centre,
    going_on,
    newest_event,
    office_centre,
    paced,
    to_queue_log,
)
from stream.simulator import simulate as play
from stream.sources import jsonl
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.source import follow, polling, ship
from stream.sources.asterisk_queue_log.state import StateFile
from stream.sources.asterisk_queue_log.stories import Speaker

__all__ = ["produce", "replay", "schema", "simulate"]

CENTRES = {"demo": demo_centre, "office": office_centre}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@source_option
@tenant_option
@click.option("--at", type=InstantOfDay(), help="The board at this instant (or 10:30, of that day); else the newest.")
@click.option("--window", type=click.Choice([*SHOWN_WINDOWS, ALL]), default="30m", show_default=True)
@click.option("--policies", type=click.Path(path_type=Path), help="TOML file with thresholds and formulas.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, null where there is no sample.")
def replay(
    file: Path, source: str, tenant: str, at: datetime | time | None, window: str, policies: Path | None, as_json: bool
) -> None:
    """Print the board of a recorded day (FILE, or - for standard input), without Kafka."""
    settings = settings_of_environment(policies=policies)
    bad = BadLines()
    recorded = recorded_events(file, source, tenant, bad)
    if not isinstance(at, datetime):  # then the clock says what is of the future; else *at* does
        recorded = not_ahead(recorded, now() + settings.future_tolerance, bad)
    instant, events = on_the_day(at, recorded)
    result = fold(events, at=instant, policies=load_policies(settings.policies))
    bad.summary(result.events)
    panels = panels_of(result.board(instant), FAMILIES, window, detailed=True)
    if as_json:
        rows = {family.rows: panels[family.name].rows for family in FAMILIES}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    else:
        print_board(panels, FAMILIES, window, Console())


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@source_option
@tenant_option
@click.option("--broker", help="Bootstrap servers, host:port.")
@click.option("--follow", "follows", is_flag=True, help="Go on with what is added, through rotation (queue_log).")
@click.option("--state", type=click.Path(path_type=Path), help="With --follow: where the position is kept.")
def produce(file: Path, source: str, tenant: str, broker: str | None, follows: bool, state: Path | None) -> None:
    """Send a recorded file to the broker; with --follow, a live Asterisk queue_log."""
    settings = settings_of_environment(broker=broker)
    bad = BadLines()
    if follows:
        if source != QUEUE_LOG or file == STDIN:
            raise SettingsError(f"--follow needs a file of --source {QUEUE_LOG}")
        asyncio.run(_follow(file, tenant, settings, state or file.with_name(file.name + ".position"), bad))
        return
    sent = asyncio.run(_produce(file, source, tenant, settings, bad))
    bad.summary(sent)
    click.echo(f"{sent} events were acknowledged", err=True)


async def _produce(file: Path, source: str, tenant: str, settings: Settings, bad: BadLines) -> int:
    async with producer_of(settings) as producer:
        return (await jsonl.produce(recorded_events(file, source, tenant, bad), producer)).total()


async def _follow(file: Path, tenant: str, settings: Settings, state_path: Path, bad: BadLines) -> None:
    state = StateFile(state_path)
    state.check()
    saved = state.load()
    mapper = Mapper(
        Speaker(source=f"/{QUEUE_LOG}", tenant=tenant), memory=saved.memory if saved else None, set_aside=bad
    )
    click.echo(f"following {file}; the position is kept in {state_path}", err=True)
    async with producer_of(settings) as producer:
        await ship(follow(file, mapper, saved=saved, pause=polling()), producer, state)


@click.command()
@click.option("--centre", type=click.Choice(sorted(CENTRES)), default="demo", show_default=True)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same day.")
@click.option("--start", type=Instant(), help="When the day begins; else now.")
@click.option(
    "--hours",
    default=1.0,
    show_default=True,
    help="How much is simulated; with --broker: at least how much of the past.",
)
@click.option("--tenant", help="Only this tenant; a queue_log is of one (default: the first of the centre).")
@click.option("--format", "form", type=click.Choice(SOURCES), default="jsonl", show_default=True)
@click.option("--broker", help="Send live events to this broker, host:port, instead of printing them.")
@click.option("--speed", default=1.0, show_default=True, help="With --broker: simulated seconds per second.")
@click.option(
    "--check", "checks", is_flag=True, help="Compare the simulator with Erlang C, A and B; exit status 1 if off."
)
def simulate(  # one argument per option
    centre: str,
    seed: int,
    start: datetime | None,
    hours: float,
    tenant: str | None,
    form: str,
    broker: str | None,
    speed: float,
    checks: bool,
) -> None:
    """
    Simulate a contact centre: print a day, send a live one, or check the simulator against theory.

    A live one that is started again goes on where it ended.
    """
    if checks:
        sys.exit(_check(seed))
    if broker is not None:
        asyncio.run(_live(centre, seed, timedelta(hours=hours), speed, settings_of_environment(broker=broker)))
        return
    begin = start or now()
    chosen = CENTRES[centre]()
    events = play(chosen, start=begin, end=begin + timedelta(hours=hours), seed=seed)
    if form == QUEUE_LOG:
        of = tenant or chosen.queues[0].tenant
        for line in to_queue_log(events, tenant=of, queues=chosen.queue_names("voice", tenant=of)):
            click.echo(line)
    else:
        jsonl.write((event for event in events if tenant in (None, event.tenantid)), sys.stdout.buffer)


def _check(seed: int) -> int:
    findings = check(seed=seed)
    click.echo(f"{'model':<34} {'figure':<28} {'measured':>10} {'±':>8} {'expected':>10}")
    for finding in findings:
        sign = "agrees" if finding.agrees else "DIFFERS"
        click.echo(
            f"{finding.model:<34} {finding.figure:<28} {finding.measured:>10.4f} {finding.error:>8.4f} "
            f"{finding.expected:>10.4f}  {sign}"
        )
    return 0 if all(finding.agrees for finding in findings) else 1


async def _live(centre: str, seed: int, past: timedelta, speed: float, settings: Settings) -> None:
    chosen = CENTRES[centre]()
    newest = await newest_event(broker_address(settings).split(","), chosen, security=settings.security)
    at = now()
    events = going_on(chosen, newest, now=at, past=past, seed=seed)
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
