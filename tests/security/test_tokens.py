"""Tokens for OAUTHBEARER: from a file at each connection, or from an endpoint that is asked no more than it must be."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.security.kafka_security import KafkaSecurity
from stream.security.tokens import RENEWED_AT, TokenRefused, TokenUnavailable

SECRET = "a/secret+of=the client"


class IdentityProvider:
    """Gives tokens to one client, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.logins: list[str] = []
        self.status = 200
        self.answer: object = None

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        self.logins.append(request.headers["Authorization"])
        answer = self.answer or {"access_token": f"token-{len(self.asked)}", "token_type": "Bearer", "expires_in": 1}
        return web.json_response(answer, status=self.status)


@pytest.fixture
def provider() -> IdentityProvider:
    return IdentityProvider()


@pytest.fixture
async def security(provider: IdentityProvider, tmp_path: Path) -> AsyncIterator[KafkaSecurity]:
    app = web.Application()
    app.router.add_post("/token", provider.token)
    (tmp_path / "secret").write_text(SECRET)
    async with TestServer(app) as server:
        yield KafkaSecurity(
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="OAUTHBEARER",
            sasl_username="client",
            sasl_password_file=tmp_path / "secret",
            sasl_token_endpoint=str(server.make_url("/token")),
            sasl_token_scope="kafka",
            sasl_extensions="logicalCluster=lkc-1, identityPoolId=pool-1",
        )


async def test_a_token_is_asked_for_by_client_id_and_secret_and_used_for_most_of_its_life(
    security: KafkaSecurity, provider: IdentityProvider
) -> None:
    tokens = security.client_options()["sasl_oauth_token_provider"]

    at_once = await asyncio.gather(*(tokens.token() for _ in range(3)))  # connections to three brokers
    tokens._until = 0.0  # most of its life is over
    later = await tokens.token()

    assert (set(at_once), later) == ({"token-1"}, "token-2")
    assert provider.asked == 2 * [{"grant_type": "client_credentials", "scope": "kafka"}]
    assert provider.logins[0] == "Basic " + b64encode(b"client:a%2Fsecret%2Bof%3Dthe+client").decode()
    assert tokens.extensions() == {"logicalCluster": "lkc-1", "identityPoolId": "pool-1"}


async def test_a_token_is_renewed_before_it_expires(security: KafkaSecurity) -> None:
    tokens = security.client_options()["sasl_oauth_token_provider"]
    began = asyncio.get_running_loop().time()

    await tokens.token()

    assert tokens._until - began < 1
    assert tokens._until - began >= RENEWED_AT


@pytest.mark.parametrize(
    ("status", "answer", "error", "said"),
    [
        (401, {"error": "invalid_client", "was": SECRET}, TokenRefused, "refuses the client with status 401: check"),
        (503, {"was": SECRET}, TokenUnavailable, "answers with status 503 and without a token"),
        (200, {"token": SECRET}, TokenUnavailable, "answers with status 200 and without a token"),
        (302, {}, TokenUnavailable, "answers with status 302 and without a token"),
    ],
)
async def test_without_a_token_the_endpoint_is_named_and_what_it_says_is_not_quoted(
    security: KafkaSecurity,
    provider: IdentityProvider,
    status: int,
    answer: dict[str, str],
    error: type[Exception],
    said: str,
) -> None:
    provider.status, provider.answer = status, answer

    with pytest.raises(error, match=f"^CONTACT_STREAM_SASL_TOKEN_ENDPOINT: it {said}") as caught:
        await security.client_options()["sasl_oauth_token_provider"].token()

    assert SECRET not in str(caught.value)


async def test_an_endpoint_that_is_away_may_be_back_later(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    security = KafkaSecurity(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        sasl_username="client",
        sasl_password_file=tmp_path / "secret",
        sasl_token_endpoint="http://127.0.0.1:1/token",
    )

    with pytest.raises(TokenUnavailable, match=r"^CONTACT_STREAM_SASL_TOKEN_ENDPOINT: no answer: ") as caught:
        await security.client_options()["sasl_oauth_token_provider"].token()

    assert caught.value.retriable


async def test_a_token_in_a_file_is_read_for_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    security = KafkaSecurity(security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER", sasl_token_file=file)
    tokens = security.client_options()["sasl_oauth_token_provider"]

    assert await tokens.token() == "first"
    file.write_text("second\n")
    assert await tokens.token() == "second"
    file.unlink()
    with pytest.raises(TokenUnavailable, match=r"^CONTACT_STREAM_SASL_TOKEN_FILE: .* cannot be read: No such file"):
        await tokens.token()
