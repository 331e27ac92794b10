"""Opens what a person names: a file, plain or compressed, or standard input."""

import bz2
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from stream.errors import SourceError
from stream.sources.source import STDIN

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["COMPRESSED", "opened"]

COMPRESSED: Final = frozenset({".gz", ".xz", ".zst", ".bz2"})
"""How the names of compressed files end; what is in a file is told by its first bytes all the same."""

# As many as the longest of these marks has.
_BEGIN_BYTES = 6
_OPENERS: Final[tuple[tuple[bytes, Callable[[Any], Any]], ...]] = (
    (b"\x1f\x8b", gzip.open),
    (b"\xfd7zXZ\x00", lzma.open),
    (b"\x28\xb5\x2f\xfd", zstd.open),
    (b"BZh", bz2.open),
)
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError, OSError)


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    """Give the bytes of a file, or of standard input for `-`, and its name for messages; raises SourceError."""
    name = "stdin" if path == STDIN else str(path)
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as raw:
            yield _plain(raw), name
    except _BROKEN as failure:
        why = getattr(failure, "strerror", None) or "its end is missing, or it is damaged"
        raise SourceError(f"{name}: the file cannot be read: {why}") from failure


def _plain(raw: BinaryIO) -> BinaryIO:
    """Return the bytes as they were before they were compressed."""
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", raw))
    # Looked at without being taken: the opener reads them again.
    begin = buffered.peek(_BEGIN_BYTES)
    for magic, opener in _OPENERS:
        if begin.startswith(magic):
            return cast("BinaryIO", opener(buffered))
    return buffered
