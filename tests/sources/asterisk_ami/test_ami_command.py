"""`contact-stream source asterisk-ami`, as a stranger runs it first."""

import asyncio
import json
import sys
from pathlib import Path

from tests.house.tree import ROOT
from tests.sources.manager_messages import WELCOME, messages_of, serving

JOIN = messages_of("0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1 CallerIDNum=+38640000001")


async def test_a_dry_run_prints_what_a_pbx_tells_and_leaves_nothing_but_a_summary(tmp_path: Path) -> None:
    async with serving(WELCOME + JOIN) as pbx:
        file = pbx.write_file(tmp_path)
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream", "source", "asterisk-ami", str(file), "--dry-run"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert run.stdout is not None
        line = await run.stdout.readline()
        run.terminate()
        more, said = await run.communicate()

    event = json.loads(line)
    assert (event["type"], event["source"], event["data"]["queue"]) == ("contact.enqueued", "/asterisk/berlin", "q1")
    assert run.returncode == 0
    assert (more, b"Traceback" in said) == (b"", False)
    assert not any(secret in line + said for secret in (b"pa55word", b"38640000001"))
    assert {path.name for path in tmp_path.iterdir()} == {"pbx.toml", "secret"}


async def test_a_file_that_is_not_there_is_named_and_nothing_begins(tmp_path: Path) -> None:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream", "source", "asterisk-ami", str(tmp_path / "none.toml"), "--dry-run"),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await run.communicate()

    assert run.returncode != 0
    assert b"none.toml cannot be read" in said
    assert b"Traceback" not in said
