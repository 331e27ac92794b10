"""Events of Voice Microservices for tests, as the manual has them."""

import json
from datetime import UTC, datetime
from typing import Any

__all__ = ["BEGIN", "voice"]

BEGIN = datetime(2026, 11, 26, 13, tzinfo=UTC)


def voice(name: str, second: float, thread: str | None = None, dn: str = "9001", **attributes: Any) -> bytes:
    """An event as the manual has it; of a queue, unless *dn* is an agent's telephone."""
    micros = round(second * 1_000_000)
    told = {
        "id": name,
        "Server": "sip-1",
        "ThisDN": dn,
        "ConnID": f"conn-{thread}",
        "CallType": "Inbound",
        "ANI": "+38640000001",
        "time": {"sec": int(BEGIN.timestamp()) + micros // 1_000_000, "usec": micros % 1_000_000},
        **({} if thread is None else {"CallThreadID": thread}),
        **attributes,
    }
    return json.dumps(told).encode()
