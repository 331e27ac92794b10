"""A real Alertmanager in tests: Debian's, with the project's own configuration, and somebody who is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web

from stream.broker.child import HOST, dies_with_parent, free_port
from tests.monitoring import program

__all__ = ["CONFIGURATION", "Told", "Webhook", "alertmanager", "at_once", "webhook"]

CONFIGURATION = Path(__file__).parents[1] / "grafana" / "alertmanager" / "alertmanager.yml"
TOKEN = "token-of-a-test"
LOOK_SECONDS = 0.05


class Told(NamedTuple):
    """One alert of a notification."""

    to: str
    """Last part of the address it was sent to."""
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Webhook:
    """Takes notifications, if they bring the token, and keeps what they say."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[Told] = []
        self.notifications: list[str] = []
        """The status of each: `resolved` when nothing of its group fires any more."""

    async def receive(self, request: web.Request) -> web.Response:
        """Receive one notification."""
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        said = await request.json()
        self.notifications.append(said["status"])
        to = request.path.rpartition("/")[2]
        self.told += [Told(to, one["status"], one["labels"], one["annotations"]) for one in said["alerts"]]
        return web.Response()

    def heard(self, alert: str, status: str = "firing", **labels: str) -> list[Told]:
        """Return all that was told of an alert, or of those with these *labels*."""
        told_of = [one for one in self.told if (one.labels["alertname"], one.status) == (alert, status)]
        return [one for one in told_of if labels.items() <= one.labels.items()]

    async def wait_for(self, alert: str, status: str = "firing", *, seconds: float, **labels: str) -> Told:
        """Return the first that was told of an alert."""
        async with asyncio.timeout(seconds):
            while not (found := self.heard(alert, status, **labels)):
                await asyncio.sleep(LOOK_SECONDS)
        return found[0]


@asynccontextmanager
async def webhook() -> AsyncIterator[Webhook]:
    """Run one until the block ends."""
    receiver = Webhook(f"http://{HOST}:{free_port()}")
    app = web.Application()
    app.router.add_post("/{to}", receiver.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, int(receiver.address.rpartition(":")[2])).start()
        yield receiver
    finally:
        await runner.cleanup()


def at_once(receiver: Webhook, home: Path, *, group_wait: str = "1s") -> str:
    """Return the project's configuration with a receiver of this machine, its secrets, and little patience."""
    secrets = home / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "notify-token").write_text(TOKEN)
    (secrets / "smtp-password").write_text("")
    places = {
        "http://notify.example.org": receiver.address,
        "/run/secrets": str(secrets),
        "mail.example.org:587": f"{HOST}:9",  # nobody reads mail here
        "group_wait: 10s": "group_wait: 1s",
        "group_wait: 30s": f"group_wait: {group_wait}",
        "group_interval: 1m": "group_interval: 1s",
        "group_interval: 30s": "group_interval: 1s",
    }
    text = CONFIGURATION.read_text()
    for written, here in places.items():
        assert written in text, f"alertmanager.yml does not say {written}"
        text = text.replace(written, here)
    return text


@asynccontextmanager
async def alertmanager(home: Path, config: str, *, options: Sequence[str] = ()) -> AsyncIterator[str]:
    """Run one until the block ends; yields its address."""
    command, address, log = program("alertmanager"), f"{HOST}:{free_port()}", home / "alertmanager.log"
    home.mkdir(parents=True, exist_ok=True)
    (home / "alertmanager.yml").write_text(config)
    arguments = [
        f"--config.file={home / 'alertmanager.yml'}",
        f"--storage.path={home / 'alerts'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        *options,
    ]
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            command, *arguments, stdout=said, stderr=said, preexec_fn=dies_with_parent()
        )
    try:
        await _ready(f"http://{address}", process, log)
        yield f"http://{address}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(address: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(100):
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{address}/-/ready") as answer:
                    if answer.ok:
                        return
            assert process.returncode is None, f"Alertmanager ended:\n{log.read_text()[-2000:]}"
            await asyncio.sleep(LOOK_SECONDS)
