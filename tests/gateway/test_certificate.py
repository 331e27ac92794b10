"""A certificate is renewed while the gateway runs, and one that cannot be used changes nothing."""

import asyncio
import shutil
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from stream.gateway import certificate as served
from tests.gateway.posting import Posts, running_gateway
from tests.security.certificates import Certificates


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "LOOK_EVERY_SECONDS", 0.01)


async def serial_shown(posts: Posts, authority: Path) -> int:
    """Return the serial number of the certificate that a new connection is shown."""
    host, port = posts.address.removeprefix("https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=ssl.create_default_context(cafile=authority))
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number


def serial_in(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


async def until_shown(posts: Posts, authority: Path, serial: int) -> None:
    async with asyncio.timeout(60):
        while await serial_shown(posts, authority) != serial:
            await asyncio.sleep(0.01)


async def test_a_new_certificate_is_shown_without_a_restart_once_its_key_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = Certificates(tmp_path)
    old, key = certificates.issue("gateway", "127.0.0.1")
    renewed, its_key = certificates.issue("renewed", "127.0.0.1")
    first, second = serial_in(old), serial_in(renewed)
    async with running_gateway(gateway_certificate_file=old, gateway_key_file=key) as posts:
        assert await serial_shown(posts, certificates.authority) == first
        shutil.copy(renewed, old)
        async with asyncio.timeout(60):
            while "goes on being shown" not in caplog.text:
                await asyncio.sleep(0.01)
        assert await serial_shown(posts, certificates.authority) == first
        shutil.copy(its_key, key)
        await until_shown(posts, certificates.authority, second)

    assert first != second
