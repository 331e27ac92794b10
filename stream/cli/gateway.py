"""Commands of the HTTP gateway: it, the keys for it, and what its spool keeps aside."""

import asyncio
from pathlib import Path

import click

from stream.cli.options import broker_address, settings_of_environment
from stream.cli.printer import Printer
from stream.cli.services import log_to_stderr, run_until_signalled
from stream.core.format import printable
from stream.gateway.aside import kept_aside, queue_again
from stream.gateway.keys import new_key
from stream.settings import Settings, broker_of

__all__ = ["gateway", "gateway_aside", "gateway_key"]

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--broker", help="Bootstrap servers, host:port.")
@click.option("--host", help="Where to listen; loopback by default.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")
@click.option("--keys", type=FILE, help="TOML file of keys; see `contact-stream gateway-key`.")
@click.option("--webhooks", type=FILE, help="TOML file of systems that call in a language of their own.")
@click.option("--spool", type=FILE, help="File that keeps accepted events while the broker is away.")
@click.option("--dry-run", is_flag=True, help="Print events as JSON lines instead of sending them.")
def gateway(broker: str | None, host: str | None, port: int | None, *, dry_run: bool, **files: Path | None) -> None:
    """Take CloudEvents by HTTP, at /v1/events, and bring them to the broker."""
    settings = settings_of_environment(
        broker=broker,
        gateway_host=host,
        gateway_port=port,
        **{f"gateway_{name}": file for name, file in files.items()},
    )
    log_to_stderr(settings.log_level)
    asyncio.run(_serve(settings, Printer() if dry_run else None))


async def _serve(settings: Settings, printer: Printer | None) -> None:
    # Here, since what serves takes long to import and no other command needs it.
    from stream.app.gateway import GatewayService

    if printer is not None:
        await run_until_signalled(GatewayService(settings, brokers="", sink=printer).run())
        return
    address = broker_address(settings)
    _, real = broker_of(settings)
    # The scheme says that it is a real broker, for which a producer is idempotent.
    await run_until_signalled(GatewayService(settings, brokers=f"kafka://{address}" if real else address).run())


@click.command("gateway-aside")
@click.argument("spool", type=FILE)
@click.option("--show", type=int, metavar="NUMBER", help="Write the bytes of this event.")
@click.option("--retry", is_flag=True, help="Put all of them back, to be sent when the gateway is started again.")
def gateway_aside(spool: Path, show: int | None, *, retry: bool) -> None:
    """List the events that the file SPOOL keeps aside, since no topic takes them. Stop its gateway before."""
    if retry:
        click.echo(f"{queue_again(spool)} events will be sent again")
        return
    events = kept_aside(spool)
    for event in events:
        if show is None:
            click.echo(printable(f"{event.number}  {event.at:%Y-%m-%dT%H:%M:%SZ}  {event.topic}  {event.reason}"))
        elif show == event.number:
            click.get_binary_stream("stdout").write(event.value)
            return
    if show is not None:
        raise click.ClickException(f"{spool} keeps no event {show} aside")
    click.echo(f"{len(events)} events", err=True)


@click.command("gateway-key")
@click.argument("name")
def gateway_key(name: str) -> None:
    """Make a key for the source NAME, and the entry for the file of keys, which goes to standard output."""
    key, digest = new_key(name)
    click.echo(f"the key, shown only now: {key}", err=True)
    click.echo(f'[keys.{name}]\ndigests = ["{digest}"]\ntenants = ["default"]\ntypes = ["*"]')
