"""What every polled system must do, of an API that is asked page by page: the smallest that there can be."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from msgspec import Struct

from stream.core.cloudevents import Event
from stream.sdk.factory import EventFactory
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPage, ApiPuller, WebApi
from stream.sources.source import Puller
from tests.sources.contract.kept import PolledSystem
from tests.sources.contract.polled_contract import OutageContract
from tests.sources.contract.served_api import served_api
from tests.sources.new_sources import BEGIN

PAGE = 1_000


class _Cursor(Struct, frozen=True):
    read: int = 0


class _Call(Struct):
    kind: str
    number: int


def call(number: int) -> bytes:
    return msgspec.json.encode(_Call("call", number))


def answer(records: Sequence[bytes], request: web.Request) -> web.Response:
    begin = int(request.query["behind"])
    return web.json_response(body=b"[" + b",".join(records[begin : begin + PAGE]) + b"]")


def puller_at(address: str, _: Path, intake: Intake) -> Puller:
    async def ask(api: WebApi, cursor: _Cursor) -> ApiPage[_Cursor]:
        parts = msgspec.json.decode(await api.get("calls", {"behind": str(cursor.read)}), type=list[msgspec.Raw])
        told = [event for place, part in enumerate(parts, cursor.read) for event in tell(part, place)]
        return ApiPage(told, _Cursor(cursor.read + len(parts)), len(parts) == PAGE)

    def tell(part: msgspec.Raw, place: int) -> list[Event]:
        intake.read += 1
        where = Location("calls", place, place)
        try:
            found = msgspec.json.decode(part, type=_Call)
        except msgspec.MsgspecError:
            intake.refuse(BadLine(where, "no_call", "it is no call"))
            return []
        match found.kind:
            case "call":
                intake.used["call"] += 1
                at = BEGIN + timedelta(seconds=found.number)
                made = EventFactory("/api", new_id=lambda: str(found.number))
                return [made.enqueued(f"c{found.number}", "sales", at=at)]
            case "ping":
                intake.ignore("ping")
            case _:
                intake.wonder(found.kind, BadLine(where, "unknown_kind", "it is of no kind that is known"))
        return []

    pauses = BackOff(first=0.001, longest=0.01)
    return ApiPuller(WebApi(address, dict), ask, _Cursor(), intake, poll_seconds=0.001, back_off=pauses)


class TestApi(OutageContract):
    """An API whose pages begin behind the last record that was read."""

    @pytest.fixture
    def system(self) -> PolledSystem:
        return PolledSystem(
            call=call,
            noise=(b'"+38640000001"', b'{"kind": "ping", "number": 1}', b'{"kind": "rumour", "number": 1}'),
            counted=(1, 1, 1),
            kept=served_api(answer, puller_at),
        )
