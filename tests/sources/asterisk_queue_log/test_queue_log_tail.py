import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import SourceError
from stream.sources.asterisk_queue_log.tail import Tail


class Pbx:
    """Writes a numbered line at a time to a log that is rotated in every way; its clock ticks with each act."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "queue_log"
        self.written: list[str] = []
        self._ticks = 1_700_000_000
        self._writes_to = self.path

    def line(self) -> None:
        text = f"{self._ticks}|call.{len(self.written)}|q1|NONE|ENTERQUEUE|"
        with self._writes_to.open("a") as log:
            log.write(text[:20])
            log.flush()
            log.write(text[20:] + "\n")
        self.written.append(text)
        self._touch(self._writes_to)

    def rename(self) -> None:
        """logrotate with `create`, before the PBX is told to reopen its logs."""
        if self._writes_to == self.path and self.path.exists():
            self._shift()
            self.path.rename(self._rotated(1))
            self.path.touch()
            self._writes_to = self._rotated(1)
            self._touch(self.path)

    def reopen(self) -> None:
        self._writes_to = self.path

    def copy_and_cut(self) -> None:
        if self._writes_to == self.path and self.path.exists():
            self._shift()
            shutil.copy(self.path, self._rotated(1))
            self._touch(self._rotated(1))
            os.truncate(self.path, 0)
            self._touch(self.path)

    def _shift(self) -> None:
        for number in range(20, 0, -1):
            if self._rotated(number).exists():
                self._rotated(number).rename(self._rotated(number + 1))

    def _rotated(self, number: int) -> Path:
        return self.path.with_name(f"queue_log.{number}")

    def _touch(self, path: Path) -> None:
        self._ticks += 1
        os.utime(path, (self._ticks, self._ticks))


class Reader:
    """Reads, and is restarted from its bookmark."""

    def __init__(self, path: Path) -> None:
        self.read: list[str] = []
        self._path = path
        self.tail = Tail(path)

    def catch_up(self) -> list[str]:
        while lines := self.tail.read():
            self.read += [line.text.decode() for line in lines if line.text is not None]
        return self.read

    def restart(self) -> None:
        bookmark = self.tail.bookmark
        self.tail.close()
        self.tail = Tail(self._path, bookmark)


@given(
    st.lists(
        st.sampled_from(["line", "line", "line", "rename", "reopen", "copy_and_cut", "catch_up", "restart"]),
        max_size=25,
    )
)
def test_every_line_is_read_once_and_in_order_through_rotations_and_restarts(acts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        pbx = Pbx(Path(folder))
        reader = Reader(pbx.path)
        pbx.line()
        reader.catch_up()  # a follower that starts later begins with the log as it is, not with older ones
        for act in acts:
            step: Callable[[], object] = getattr(pbx if hasattr(pbx, act) else reader, act)
            step()
        pbx.reopen()
        pbx.line()

        assert reader.catch_up() == pbx.written
        assert reader.tail.gaps == 0
        reader.tail.close()


@pytest.fixture
def pbx(tmp_path: Path) -> Pbx:
    return Pbx(tmp_path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


def texts(tail: Tail) -> list[bytes | None]:
    return [line.text for line in tail.read()]


def test_a_file_that_is_not_there_yet_is_waited_for(log: Path) -> None:
    tail = Tail(log)

    assert texts(tail) == []
    assert tail.bookmark is None
    log.write_bytes(b"one\n")
    assert texts(tail) == [b"one"]
    tail.close()


def test_a_last_line_waits_for_its_newline_also_over_a_restart(log: Path) -> None:
    log.write_bytes(b"one\ntw")
    tail = Tail(log)
    assert texts(tail) == [b"one"]
    assert texts(tail) == []
    bookmark = tail.bookmark
    tail.close()

    log.write_bytes(b"one\ntwo\n")
    tail = Tail(log, bookmark)

    (line,) = tail.read()
    assert (line.text, line.place.line, line.place.offset) == (b"two", 2, 4)
    tail.close()


def test_the_last_line_of_a_rotated_file_needs_no_newline(log: Path) -> None:
    log.write_bytes(b"one\ntwo")
    tail = Tail(log)
    assert texts(tail) == [b"one"]

    log.rename(log.with_name("queue_log.1"))
    assert texts(tail) == []
    log.write_bytes(b"three\n")

    assert [*texts(tail), *texts(tail)] == [b"two", b"three"]
    tail.close()


def test_a_file_that_was_cut_without_a_copy_is_read_from_its_begin_and_the_gap_is_counted(log: Path) -> None:
    log.write_bytes(b"one\ntwo\n")
    tail = Tail(log)
    texts(tail)

    os.truncate(log, 0)
    log.write_bytes(b"a much longer line than the two before\n")

    assert texts(tail) == [b"a much longer line than the two before"]
    assert tail.gaps == 1
    tail.close()


def test_a_log_that_was_rotated_and_compressed_while_nobody_looked_is_a_gap(log: Path) -> None:
    log.write_bytes(b"one\n")
    tail = Tail(log)
    texts(tail)
    bookmark = tail.bookmark
    tail.close()

    log.unlink()
    log.write_bytes(b"two\n")
    tail = Tail(log, bookmark)

    assert texts(tail) == [b"two"]
    assert tail.gaps == 1
    tail.close()


def test_a_copy_of_the_log_that_takes_its_place_is_the_same_log(log: Path) -> None:
    """As rsync does it: a new file, with another inode, and the same lines and some more."""
    log.write_bytes(b"one\n")
    tail = Tail(log)
    texts(tail)
    bookmark = tail.bookmark
    tail.close()
    copy = log.with_name("incoming")
    copy.write_bytes(b"one\ntwo\n")
    copy.rename(log)

    tail = Tail(log, bookmark)

    assert texts(tail) == [b"two"]
    assert tail.gaps == 0
    tail.close()


def test_other_files_beside_the_log_are_left_alone(pbx: Pbx, log: Path) -> None:
    pbx.line()
    reader = Reader(log)
    reader.catch_up()
    for name in ("queue_log.bak", "queue_log.1.gz", "queue_log_custom", "queue_log-"):
        log.with_name(name).write_bytes(b"not ours\n")
    pbx.rename()
    pbx.reopen()
    pbx.line()

    assert reader.catch_up() == pbx.written
    reader.tail.close()


def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="the log cannot be read"):
        Tail(tmp_path).read()


def test_a_log_that_is_a_fifo_is_refused_and_not_waited_for(log: Path) -> None:
    os.mkfifo(log)

    with pytest.raises(SourceError, match="queue_log: the log cannot be followed: it is no regular file"):
        Tail(log).read()


def test_a_folder_that_is_named_as_a_rotated_log_is_left_alone(log: Path) -> None:
    log.write_bytes(b"one\n")
    tail = Tail(log)
    texts(tail)
    bookmark = tail.bookmark
    tail.close()
    log.with_name("queue_log.1").mkdir()
    tail = Tail(log, bookmark)

    assert texts(tail) == []
    assert tail.gaps == 0
    tail.close()


def test_a_log_whose_folder_is_gone_is_waited_for(log: Path) -> None:
    log.write_bytes(b"one\n")
    tail = Tail(log)
    texts(tail)
    bookmark = tail.bookmark
    tail.close()

    assert texts(Tail(log.parent / "gone" / "queue_log", bookmark)) == []
