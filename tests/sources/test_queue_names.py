"""Names of queues are read again when their file changes, whatever the source."""

import os
from pathlib import Path

import msgspec
import pytest

from stream.security import watched_file
from stream.sources.queue_names import QueueNames


def names_in(file: Path | None) -> QueueNames:
    return QueueNames(file, lambda content: msgspec.json.decode(content, type=dict[str, str]), "an object")


def test_a_queue_that_is_renamed_has_its_new_name_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0.0)
    file = tmp_path / "queues.json"
    file.write_text('{"q-1": "sales", "q-3": ""}')
    names = names_in(file)
    assert [names.of(queue) for queue in ("q-1", "q-2", "q-3")] == ["sales", "q-2", "q-3"]
    file.write_text('{"q-1": "sales", "q-2": "support"}')
    assert names.of("q-2") == "support"
    # Half written: what was known before stays.
    file.write_text('{"q-1": ')
    os.utime(file, ns=(1, 1))
    assert names.of("q-2") == "support"


def test_without_a_file_a_queue_is_called_by_its_id() -> None:
    assert names_in(None).of("q-1") == "q-1"
