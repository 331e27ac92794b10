"""The worked examples of mappings, and what the tests make of them."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from stream.sources.mapped.mapping_file import MappingFile, read_mapping
from tests.sources.new_sources import BEGIN

__all__ = ["EXAMPLES", "HOME_MADE", "PAYLOADS", "RUMOUR", "SAMPLES", "home_made_call", "mapping_of", "signed_headers"]

FOLDER: Final = Path(__file__).parents[3] / "examples" / "mappings"
SAMPLES: Final = {
    "genesys-like": FOLDER / "genesys-like.jsonl",
    "3cx-like": FOLDER / "3cx-like.csv",
    "home-made": FOLDER / "home-made.jsonl",
}
EXAMPLES: Final = {name: FOLDER / f"{name}.toml" for name in SAMPLES}
HOME_MADE: Final = EXAMPLES["home-made"]
PAYLOADS: Final = SAMPLES["home-made"].read_bytes().splitlines()[:3]
"""Posts of the home-made PBX that tell events."""
RUMOUR: Final = b'{"events": [{"no": 1, "kind": "rumour", "call": 1, "line": "orders", "at": "2026-03-02T09:00:00Z"}]}'
"""A post of a kind that the mapping does not know."""


def home_made_call(number: int) -> bytes:
    """A post of the home-made PBX about one call that came in."""
    at = BEGIN + timedelta(milliseconds=number)
    told = {"no": number, "kind": "queued", "call": number, "line": "orders", "at": at.isoformat()}
    return json.dumps({"events": [told]}).encode()


def signed_headers(body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """Return the headers with which the home-made PBX signs a post."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-timestamp": stamp, "x-signature": f"sha256={digest}"}


def mapping_of(folder: Path, text: str) -> MappingFile:
    """Return the mapping that a text tells."""
    path = folder / "calls.toml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path)
