"""Files as they lie on a PBX: plain, or compressed by logrotate; and damaged ones."""

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.errors import SourceError
from stream.sources.files.opening import opened
from stream.sources.source import STDIN

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"".join(b"%d|c|q|NONE|ENTERQUEUE|\n" % number for number in range(1_700_000_000, 1_700_020_000))
WAYS: dict[str, Callable[[bytes], bytes]] = {
    "log": bytes,
    "log.gz": gzip.compress,
    "log.xz": lzma.compress,
    "log.zst": zstd.compress,
    "log.bz2": bz2.compress,
}


def content(path: Path) -> bytes:
    with opened(path) as (stream, _):
        return stream.read()


@pytest.mark.parametrize("name", WAYS)
def test_what_was_compressed_is_read_as_it_was(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(WAYS[name](TEXT))

    assert content(path) == TEXT


def test_the_first_bytes_count_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(gzip.compress(TEXT[:100_000]) + gzip.compress(TEXT[100_000:]))

    assert content(path) == TEXT


@pytest.mark.parametrize("name", [name for name in WAYS if name != "log"])
def test_a_compressed_file_that_was_cut_off_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(WAYS[name](TEXT)[:-100])

    with pytest.raises(SourceError, match=f"{name}: the file cannot be read: its end is missing, or it is damaged"):
        content(path)


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "log").touch()

    assert content(tmp_path / "log") == b""


def test_standard_input_may_be_compressed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT))))

    assert content(STDIN) == TEXT
