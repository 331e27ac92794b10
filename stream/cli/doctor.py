"""`contact-stream doctor`: looks at everything that a figure goes through, and says what to do."""

import asyncio
import logging
import sys
from collections.abc import Sequence

import click
import msgspec

from stream.cli.findings import all_well
from stream.cli.options import UrlParam, now, settings_of_environment
from stream.doctor.finding import Finding
from stream.families.registry import FAMILIES
from stream.settings import broker_of

__all__ = ["doctor"]


@click.command()
@click.option("--broker", help="Bootstrap servers, host:port.")
@click.option("--worker", "workers", multiple=True, type=UrlParam(), help="Of a worker. [default: on this machine]")
@click.option("--gateway", "gateways", multiple=True, type=UrlParam(), help="Of a gateway.")
@click.option("--source", "sources", multiple=True, type=UrlParam(), help="Of a source with --metrics-port.")
@click.option("--prometheus", default="", type=UrlParam(), help="Of Prometheus.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable: a list of findings.")
def doctor(  # one argument per option
    *,
    broker: str | None,
    workers: Sequence[str],
    gateways: Sequence[str],
    sources: Sequence[str],
    prometheus: str,
    as_json: bool,
) -> None:
    """
    Look at brokers, topics, rights, workers, sources, clocks and Prometheus, and say what to do.

    The exit status is 1 if something makes figures wrong, old or missing.
    """
    from stream.doctor.examination import Patient, examine
    from stream.runtime.app import declared_topics

    settings = settings_of_environment(broker=broker)
    address, is_real = broker_of(settings)
    patient = Patient(
        settings=settings,
        # The embedded broker is in the process that uses it, and is looked at by nobody else.
        brokers=address.split(",") if address and is_real else [],
        topics=declared_topics(settings, FAMILIES),
        workers=workers or [f"http://{settings.http_host}:{settings.http_port}"],
        gateways=gateways,
        sources=sources,
        prometheus=prometheus,
    )

    # What the client of Kafka logs is said by a finding, with what to do.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    findings = examine(patient, now)
    if not as_json:
        sys.exit(not asyncio.run(all_well(findings)))

    async def every() -> list[Finding]:
        return [finding async for finding in findings]

    found = asyncio.run(every())
    click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    sys.exit(any(finding.verdict == "bad" for finding in found))
