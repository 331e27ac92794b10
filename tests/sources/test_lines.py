from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from stream.sources.lines import Line, LineSplitter, read_lines


@given(st.lists(st.binary(max_size=8)), st.data())
def test_however_a_file_is_cut_into_chunks_its_lines_are_the_same(parts: list[bytes], data: st.DataObject) -> None:
    content = b"\n".join(parts)
    splitter = LineSplitter("log", limit=5)
    found: list[Line] = []
    rest = content
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += splitter.feed(rest[:size])
        rest = rest[size:]
    found += splitter.end()

    assert found == list(read_lines(BytesIO(content), "log", limit=5))
    assert [line.text for line in found if line.text] == [
        text for part in content.split(b"\n") if len(part) <= 5 and (text := part.removesuffix(b"\r"))
    ]
    assert all(content[line.place.offset :].startswith(line.text or b"") for line in found)


def test_a_line_that_is_too_long_is_told_without_its_text_and_the_next_one_is_read() -> None:
    first, second = read_lines(BytesIO(b"x" * 3_000_000 + b"\nfine"), "log")

    assert first.text is None
    assert (second.text, str(second.place)) == (b"fine", "log:2")


def test_an_unfinished_line_takes_no_more_memory_than_the_limit() -> None:
    splitter = LineSplitter("log", limit=10)

    assert all(list(splitter.feed(b"x" * 1000)) == [] for _ in range(1000))
    assert len(splitter._rest) <= 11
    assert splitter.seen == 1_000_000
