"""A process ends when it is asked to, and does not flood the log meanwhile."""

import asyncio
import gc
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stream import cli
from stream.cli.services import SAME_AGAIN_SECONDS, QuotingNothing, RepeatFilter

ROOT = Path(__file__).parents[2]

_STUBBORN = """
import threading
from stream.cli import services

services.STOP_SECONDS = 0.2
threading.Thread(target=threading.Event().wait).start()
services.end_for_sure()
"""


def test_a_thread_that_does_not_end_cannot_hold_up_the_stop() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _STUBBORN], capture_output=True, text=True, timeout=30, cwd=ROOT, check=False
    )

    assert run.returncode == 1
    assert "not stopped after 0.2 s" in run.stderr


def test_what_a_library_repeats_is_written_once_a_minute_and_so_is_the_same_sentence_of_ours() -> None:
    repeats = RepeatFilter()

    def written(name: str, at: float, text: str = "Unable to connect to %s", host: str = "host") -> bool:
        record = logging.LogRecord(name, logging.ERROR, "file", 1, text, (host,), None)
        record.created = at
        return repeats.filter(record)

    assert [written("aiokafka", at) for at in (1e9, 1e9 + 1, 1e9 + SAME_AGAIN_SECONDS)] == [True, False, True]
    assert not written("aiokafka", 1e9 + 1, host="another")
    assert written("aiokafka", 1e9 + 1, "something else, %s")
    assert written("aiokafka", 1e9 - 3600)  # the clock was set back
    ours = "stream.runtime.checkpoint.checkpoint"
    assert [written(ours, at) for at in (1e9, 1e9 + 1, 1e9 + SAME_AGAIN_SECONDS)] == [True, False, True]
    assert written(ours, 1e9 + SAME_AGAIN_SECONDS, host="another")


READ = "marked"
"""What a puller has just read, such as of what customers wrote."""


def in_two_parts(**_: object) -> None:
    raise ExceptionGroup("both tasks", [KeyError(READ), ValueError(READ)])


def test_a_defect_is_told_by_its_place_and_not_by_what_it_quotes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli.group, "main", in_two_parts)

    with pytest.raises(SystemExit) as ended:
        cli.main()

    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert re.findall("a defect, by ([A-Za-z]+), in", said) == ["ExceptionGroup", "KeyError", "ValueError"]
    assert "in in_two_parts" in said
    assert READ not in said


async def test_nor_is_it_quoted_where_nobody_waits_for_the_task(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise KeyError(READ)

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()

    (record,) = [one for one in caplog.records if one.name == "asyncio"]
    record.exc_text = None  # what the formatter of the tests made of it
    written = QuotingNothing("%(message)s").format(record)
    assert READ in record.getMessage()
    assert written.startswith("Task exception was never retrieved\na defect, by KeyError, in\n")
    assert READ not in written


def test_nor_is_it_quoted_by_the_log() -> None:
    record = logging.makeLogRecord({"msg": "failed", "exc_info": (KeyError, KeyError(READ), None)})

    assert QuotingNothing("%(message)s").format(record) == "failed\na defect, by KeyError, in\n"
