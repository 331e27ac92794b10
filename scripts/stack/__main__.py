"""`make stack`: the services of docker-compose.yml without Docker, until Ctrl-C."""

import signal
import tempfile
import time
from pathlib import Path

import click

from scripts.apache_kafka.distribution import KafkaUnavailable
from scripts.stack.places import PlacesError
from scripts.stack.program import StackError
from scripts.stack.topology import Topology

LOOK_SECONDS = 0.5


@click.command()
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 10), help="How many workers.")
def main(workers: int) -> None:
    """Run Apache Kafka, workers, a simulated centre, Prometheus and Alertmanager on loopback, until Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # a shell in the background leaves SIGINT ignored
    click.echo("starting Apache Kafka, workers, a simulated centre, Prometheus and Alertmanager ...")
    with tempfile.TemporaryDirectory(prefix="contact-stream-", ignore_cleanup_errors=True) as home:
        try:
            with Topology(Path(home), workers=workers, usual=True) as topology:
                _tell(topology)
                _watch(topology)
        except (StackError, PlacesError, KafkaUnavailable) as why:
            raise click.ClickException(str(why)) from why
        except KeyboardInterrupt:
            click.echo("\nstopped; nothing is kept")


def _tell(topology: Topology) -> None:
    boards = "  ".join(f"{worker.address}/" for worker in topology.workers)
    click.echo(
        f"\n  live boards:   {boards}\n"
        f"  Prometheus:    {topology.prometheus.address}/alerts\n"
        f"  Alertmanager:  {topology.alertmanager.address}/\n"
        f"  Kafka:         {topology.cluster.address}\n\n"
        "Grafana, with the wallboard, comes with `docker compose up`. Ctrl-C stops everything.",
    )


def _watch(topology: Topology) -> None:
    while True:
        for program in topology.programs:
            if not program.runs:
                raise StackError(f"a program has ended by itself: {program.log[-2000:].strip()}")
        time.sleep(LOOK_SECONDS)


main(prog_name="make stack")
