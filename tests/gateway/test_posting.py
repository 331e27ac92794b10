"""What a gateway accepts, and that it is on the broker when the sender is told."""

import asyncio
import gzip
import json
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import pytest

from stream.core.cloudevents import encode, key_of
from tests.gateway.posting import Posts, an_event, arrived, batch, figures, running_gateway
from tests.sdk.records import records_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


async def test_an_event_is_on_the_broker_when_its_sender_is_told(declared: str) -> None:
    event = an_event(tenant="structured")
    async with running_gateway(declared) as posts:
        status, answer = await posts(encode(event))

        assert (status, answer["accepted"]) == (202, 1)
        assert await arrived(declared, "structured") == [event]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
async def test_a_batch_arrives_packed_or_not(declared: str, pack: Callable[[bytes], bytes]) -> None:
    encoding = {"bytes": "identity", "compress": pack.__module__.rpartition(".")[2].removeprefix("_")}[pack.__name__]
    tenant = f"batch-{encoding}"
    events = [an_event(f"caller-{number}", tenant=tenant) for number in range(300)]
    async with running_gateway(declared) as posts:
        status, answer = await posts(pack(batch(events)), "batch", content_encoding=encoding)

        assert (status, answer["accepted"]) == (202, 300)
        assert sorted(await arrived(declared, tenant), key=lambda one: one.id) == sorted(events, key=lambda one: one.id)


async def test_an_event_in_binary_mode_is_the_same_as_in_structured_mode(declared: str) -> None:
    event = an_event("Žana", tenant="binär")
    document = json.loads(encode(event))
    data = json.dumps(document.pop("data")).encode()
    headers = {f"ce_{name}": value for name, value in document.items()}
    headers |= {"ce_subject": "%C5%BDana", "ce_tenantid": "bin%C3%A4r"}
    async with running_gateway(declared) as posts:
        status, _ = await posts(data, "binary", **headers | {"ce_id": '"' + "x-1" + '"'})
        found = await arrived(declared, "binär")

    assert status == 202
    assert [(one.id, one.subject, one.data) for one in found] == [("x-1", "Žana", event.data)]
    assert key_of(found[0]) == key_of(event)


async def test_extensions_travel_with_the_event(declared: str) -> None:
    value = encode(an_event(tenant="traced"))[:-1] + b',"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-01"}'
    async with running_gateway(declared) as posts:
        assert (await posts(value))[0] == 202
        assert len(await arrived(declared, "traced")) == 1


async def test_the_trace_of_an_event_or_else_of_its_request_is_in_the_headers_of_the_record(declared: str) -> None:
    own, of_request = (f"00-{number * 32}-{number * 16}-01" for number in "12")
    odd = (f'"{own[:-1]}"', "7", '["x"]', f'"{own.replace("00-", "01-", 1)}-{"x" * 600}"')
    value = encode(an_event(tenant="traces"))
    extended = [value[:-1] + b',"traceparent":%s,"tracestate":"a=1"}' % parent.encode() for parent in odd]
    extended.append(value[:-1] + b',"traceparent":"%s","tracestate":"a=1"}' % own.encode())
    async with running_gateway(declared) as posts:
        assert (await posts(batch([value, *extended]), "batch", traceparent=of_request))[0] == 202
        assert (await posts(value, traceparent="of no trace", tracestate="b=2"))[0] == 202
        records = await records_of(declared, "traces")

    of_events = [("traceparent", own.encode()), ("tracestate", b"a=1")]
    of_requests = [[("traceparent", of_request.encode())]] * (1 + len(odd))
    assert [record.headers for record in records] == [*of_requests, of_events, []]
    assert [record.value for record in records] == [value, *extended, value]


async def test_an_empty_batch_is_accepted_and_nothing_comes_of_it() -> None:
    async with running_gateway() as posts:
        assert await posts(b"[]", "batch") == (202, {"accepted": 0, "retry_after": None})


async def test_of_a_batch_with_a_bad_event_nothing_is_accepted_and_each_is_reported(declared: str) -> None:
    bad = encode(an_event(tenant="partly")).replace(b'"queue":', b'"quux":')
    async with running_gateway(declared) as posts:
        status, answer = await posts(batch([an_event(tenant="partly"), bad, b'{"id":7}']), "batch")

        assert (status, answer["reason"], answer["refused_count"]) == (422, "invalid_events", 2)
        assert [(one["index"], one["reason"], one.get("field")) for one in answer["refused"]] == [
            (1, "missing_field", "data.queue"),
            (2, "not_cloudevent", "specversion"),
        ]
        assert await arrived(declared, "partly") == []


async def test_who_prefers_it_lenient_has_the_good_events_of_a_batch_accepted(declared: str) -> None:
    event = an_event(tenant="lenient")
    async with running_gateway(declared) as posts:
        status, answer = await posts(batch([b"{}", event]), "batch", prefer="handling=lenient")

        assert (status, answer["accepted"], answer["refused_count"]) == (202, 1, 1)
        assert await arrived(declared, "lenient") == [event]
        assert (await posts(b"[{}]", "batch", prefer="handling=lenient"))[0] == 422


async def test_a_repeat_is_accepted_like_the_first(declared: str) -> None:
    async with running_gateway(declared) as posts:
        assert [(await posts(encode(an_event(tenant="again"))))[0] for _ in range(3)] == [202, 202, 202]


async def test_without_broker_and_spool_a_sender_is_told_to_come_again() -> None:
    async with running_gateway(patience=0.2) as posts:
        status, answer = await posts(encode(an_event()))

    assert (status, answer["reason"], answer["retry_after"]) == (503, "broker_away", "5")


async def test_metrics_count_what_came_and_never_show_what_was_in_it(declared: str) -> None:
    async with running_gateway(declared) as posts:
        await posts(encode(an_event(tenant="counted")))
        await posts(b'{"id":"secret-of-somebody"}')
        told = await figures(posts)
        page = (await posts.get("/metrics"))[1]

    assert told["contact_gateway_requests_total", (("status", "202"),)] == 1
    assert told["contact_gateway_requests_total", (("status", "422"),)] == 1
    assert told["contact_gateway_events_accepted_total", (("source", "anybody"),)] == 1
    assert "secret-of-somebody" not in page


async def test_it_is_alive_and_ready() -> None:
    async with running_gateway() as posts:
        assert await posts.get("/healthz") == (200, '{"alive":true}')
        assert await posts.get("/readyz") == (200, '{"ready":true,"reasons":[]}')


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/events", 405), ("POST", "/v1/../metrics", 404)])
async def test_nothing_else_is_served(method: str, path: str, status: int) -> None:
    async with running_gateway() as posts:
        assert (
            await raw_status(posts.address, f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            == status
        )


async def raw_status(address: str, request: str) -> int:
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode())
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(line.split()[1])


async def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    async with running_gateway() as posts:
        took = [await seconds_of(posts) for _ in range(50)]

    # Where the system holds small packets back it is 40 ms, each time.
    assert median(took) < 0.03


async def seconds_of(posts: Posts) -> float:
    began = perf_counter()
    assert (await posts(b"[]", "batch"))[0] == 202
    return perf_counter() - began
