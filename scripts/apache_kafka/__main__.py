"""`scripts/kafka start|stop|wipe`: Apache Kafka on this machine, for as long as you like."""

from pathlib import Path

import click

from scripts.apache_kafka.cluster import Cluster
from scripts.apache_kafka.distribution import KafkaUnavailable

HOME = Path(__file__).parents[2] / ".cache" / "kafka"


@click.group()
@click.option("--home", type=click.Path(path_type=Path), default=HOME, help="Where the cluster lives; .cache/kafka.")
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    """Run Apache Kafka (KRaft, one or three brokers) on free ports of loopback, from Maven Central."""
    context.obj = home


@main.command()
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", help="How many; fixed until `wipe`.")
@click.pass_obj
def start(home: Path, brokers: str) -> None:
    """Start the brokers, and print their address."""
    try:
        cluster = Cluster(home, brokers=int(brokers)).start(outlives=True)
    except KafkaUnavailable as why:
        raise click.ClickException(str(why)) from why
    click.echo(f"kafka://{cluster.address}")


@main.command()
@click.pass_obj
def stop(home: Path) -> None:
    """Stop the brokers; topics and records stay."""
    Cluster(home).stop()


@main.command()
@click.pass_obj
def wipe(home: Path) -> None:
    """End the brokers, and remove all topics and records."""
    Cluster(home).wipe()


main(prog_name="scripts/kafka")
