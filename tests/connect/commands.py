"""`contact-stream connect` as a process: with flags alone, or with a person at its terminal."""

import asyncio
import os
import pty
import subprocess
import sys
from pathlib import Path
from select import select

from tests.house.tree import ROOT

_PATIENCE = 60

__all__ = ["ENVIRONMENT", "Person", "connected"]

ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "140"}


async def connected(folder: Path, *arguments: str, stdin: str = "") -> tuple[int | None, str]:
    """Return status and words of `contact-stream connect`, which never shows what comes by *stdin*."""
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream", "connect", *arguments),
        cwd=folder,
        env=ENVIRONMENT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(run.communicate(stdin.encode()), 100)
    text = said.decode()
    assert not any(secret and secret in text for secret in stdin.splitlines())
    assert "Traceback" not in text, text
    return run.returncode, text


class Person:
    """Sits at a terminal, reads, and types."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            (sys.executable, "-m", "stream", "connect", *arguments),
            cwd=folder,
            env=ENVIRONMENT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._terminal = ours
        self.seen = ""
        self._read = 0

    def reads(self, text: str) -> None:
        """Read until a text that was not read before."""
        while text not in self.seen[self._read :]:
            if not select([self._terminal], [], [], _PATIENCE)[0]:
                raise AssertionError(f"it waits, and has not said: {text}\n{self.seen}")
            try:
                self.seen += os.read(self._terminal, 4096).decode(errors="replace")
            except OSError as gone:
                raise AssertionError(self.seen) from gone
        self._read = self.seen.index(text, self._read) + len(text)

    def types(self, text: str) -> None:
        """Press these keys."""
        os.write(self._terminal, text.encode())

    def answers(self, question: str, text: str) -> None:
        """Read a question up to its colon, and answer it."""
        self.reads(question)
        self.reads(": ")
        self.types(f"{text}\n")

    def leaves(self) -> int:
        """Wait for the end of the command; return its exit status."""
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            os.close(self._terminal)
