"""schemathesis reads the OpenAPI document and asks the running gateway what it says, and much that it does not say."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from stream.app.gateway import GatewayService
from stream.gateway.keys import new_key
from stream.sdk.producer import EncodedEvent
from stream.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "schemas" / "openapi.yaml"
EXAMPLES = 100
"""For each operation and phase."""


class Taker:
    """Takes every event."""

    taken = 0

    async def send_encoded(self, events: Sequence[EncodedEvent]) -> int:
        self.taken += len(events)
        return len(events)


@pytest.mark.slow
async def test_the_gateway_does_what_its_document_says(tmp_path: Path) -> None:
    key, digest = new_key("schemathesis")
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[keys.schemathesis]\ndigests = ["{digest}"]\n')
    taker = Taker()
    service = GatewayService(Settings(gateway_port=0, gateway_keys=keys), brokers="", sink=taker)
    async with service, aiohttp.ClientSession() as session:
        said, status = await run(
            *("run", str(DOCUMENT), "--url", service.address, "--header", f"Authorization:Bearer {key}"),
            *("--seed", "1", "--generation-deterministic", "--no-color"),
            *("--max-examples", str(EXAMPLES), "--phases", "examples,fuzzing", "--continue-on-failure"),
            # In binary mode the headers make the event, and a body must be packed as one says: no schema tells that.
            *("--exclude-checks", "positive_data_acceptance", "--no-shrink"),
            folder=tmp_path,
        )
        async with session.get(f"{service.address}/healthz") as answer:
            alive = answer.status == 200

    assert status == 0, said
    assert alive
    # Of what it made up, much was good: else it was stopped at the door, and tried nothing.
    assert taker.taken > EXAMPLES


async def run(*arguments: str, folder: Path) -> tuple[str, int | None]:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    said, _ = await running.communicate()
    return said.decode(), running.returncode
