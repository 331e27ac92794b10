"""A process of its own that writes large pages: in the worker's own they would hold up the events.

It takes inputs of pages from its standard input until that ends, so it outlives no worker, however that ends.
"""

import gc
import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from threading import Lock, Timer
from time import perf_counter
from typing import IO, Any

import msgspec

from stream.core.family import Family
from stream.http.page_input import PageInput, PageWire, get, put, write_body

__all__ = ["PageWriter", "serve"]

PATIENCE_SECONDS = 8.0
"""Who takes longer is ended: there must be time left to write the page here."""

_log = logging.getLogger(__name__)


class PageWriter:
    """The worker's end: starts the process for the first page, keeps it, and starts it anew when it is gone."""

    def __init__(self, families: Sequence[Family[Any]], registry: str) -> None:
        """*registry* says where the other process finds the *families*: `module:NAME`."""
        self._wire = PageWire(families)
        self._registry = registry
        self._process: subprocess.Popen[bytes] | None = None
        self._in_turn = Lock()
        self._stopped = False
        self._complained = False

    @property
    def pid(self) -> int | None:
        """The process id; None while there is none."""
        return None if self._process is None else self._process.pid

    def written(self, page_input: PageInput) -> bytes | None:
        """
        Return the page; None when the process cannot write it, and the log says why.

        To be called in a thread: waits for pages that are asked for at the same time.
        """
        with self._in_turn:
            try:
                page, complaints = self._asked(page_input)
            except Exception:  # noqa: BLE001 - whatever it is, the page can be written here
                self._end()
                if not (self._complained or self._stopped):
                    _log.exception(
                        "large pages are written beside the events, not in a process of their own: logged once"
                    )
                # Once, until it has worked again: a page is asked for every few seconds.
                self._complained = True
                return None
        self._complained = False
        for complaint in complaints:
            _log.error("%s", complaint)
        return page

    def stop(self) -> None:
        """End the process, and let it be; a page that it was writing is lost."""
        self._stopped = True
        if (process := self._process) is not None:
            # There is nothing to flush, and whoever waits for a page learns at once that none will come.
            process.kill()
        with self._in_turn:
            self._end()

    def _asked(self, page_input: PageInput) -> tuple[bytes, list[str]]:
        process = self._process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        # Reads of a pipe know no time limit. Killing the process ends them: the pipe closes, and EOFError follows.
        patience = Timer(PATIENCE_SECONDS, process.kill)
        patience.start()
        try:
            self._wire.send(page_input, process.stdin)
            return get(process.stdout), _complaints.decode(get(process.stdout))
        finally:
            patience.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        # It may have been stopped while this page waited for its turn: no process is to be started for that.
        if self._stopped:
            raise EOFError
        # It finds our modules where we do.
        program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve({self._registry!r})"
        # Not multiprocessing: a fork would copy threads' locks, and its spawn would run the main module again.
        return subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # In a group of its own, where a Ctrl-C at the terminal does not reach it.
            process_group=0,
        )

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            # Leaving the block closes the pipes, where what could not be sent any more raises, and waits for
            # the process: else it would stay as a zombie.
            with suppress(BrokenPipeError), process:
                pass


_complaints = msgspec.msgpack.Decoder(list[str])


class _Complaints(logging.Handler):
    """Keeps what is logged for the worker's log."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(self.format(record))


def serve(registry: str) -> None:
    """Be the process: write page after page until standard input ends; *registry* is `module:NAME` of the families."""
    module, _, name = registry.partition(":")
    families: Sequence[Family[Any]] = getattr(import_module(module), name)
    # When the worker is gone nobody reads: not worth a word.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Boards and pages hold no cycles: looking for some took a tenth of the time.
    gc.disable()
    with suppress(EOFError):
        _write_on(families, sys.stdin.buffer, sys.stdout.buffer)


def _write_on(families: Sequence[Family[Any]], inputs: IO[bytes], pages: IO[bytes]) -> None:
    # What is logged here travels with the page: only the worker knows where its log goes.
    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    wire = PageWire(families)
    while True:
        put(write_body(wire.receive(inputs), families, perf_counter), pages)
        put(msgspec.msgpack.encode(complaints.kept), pages)
        pages.flush()
        complaints.kept.clear()
