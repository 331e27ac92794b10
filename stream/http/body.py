"""The body of an answer, plain or gzipped: takes text in pieces, so that a large page is never there as a whole."""

from collections.abc import Iterable

from zlib_ng import zlib_ng

__all__ = ["Body", "GzippedBody"]


class Body:
    """Text as it is."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def add(self, texts: Iterable[bytes]) -> None:
        """Take *texts* one after the other; if they raise, none of them has been taken."""
        # As a list first: texts are made while they are read, and may raise in their midst.
        self._pieces += list(texts)

    def end(self) -> bytes:
        """Return the body; nothing is added after that."""
        return b"".join(self._pieces)


class GzippedBody(Body):
    """Text compressed as fast as can be: a page shrinks fifteenfold and more at any level."""

    def __init__(self) -> None:
        super().__init__()
        # `wbits=31` makes it gzip, with header and check sum, and not bare zlib.
        # Level 1 is a fifth faster, and its pages are a third larger. The zlib of Python takes three times as long.
        self._packer = zlib_ng.compressobj(level=2, wbits=31)

    def add(self, texts: Iterable[bytes]) -> None:
        """As of any body: the packer goes back to where it was when *texts* raise."""
        # A copy: compression remembers what it has seen, and a section that fails must leave no trace in it.
        packer = self._packer.copy()  # type: ignore[attr-defined]  # it is there, and unknown to its types
        super().add(map(packer.compress, texts))
        self._packer = packer

    def end(self) -> bytes:
        """Return the body as one gzip member."""
        return b"".join([*self._pieces, self._packer.flush()])
