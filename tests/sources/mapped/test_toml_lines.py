"""Each key of a TOML file has its line, however the file is written."""

import tomllib

import pytest

from stream.sources.mapped.toml_lines import KeyPath, TomlLines

TEXT = """# comment
source = "x"

[common]
id = "a"
[common.data]
queue.value = "q"

[[rules]]
when = '''
a
b = 1
[[rules]]
'''
event = "e"
[rules.data]
x = { value = "a", words = { A = "b" } }

[[rules]]
event = "f"
data.q = "1"
data.list = [
    1,
    2,
]
[[rules.deeper]]
z = 1
[[rules.deeper]]
z = 2

[[rules]]
"quoted.key" = 1"""

LINES: dict[KeyPath, int] = {
    ("source",): 2,
    ("common",): 4,
    ("common", "id"): 5,
    ("common", "data"): 6,
    ("common", "data", "queue", "value"): 7,
    ("rules", 0): 9,
    ("rules", 0, "when"): 10,
    ("rules", 0, "event"): 15,
    ("rules", 0, "data"): 16,
    ("rules", 0, "data", "x", "words", "A"): 17,
    ("rules", 1): 19,
    ("rules", 1, "data", "q"): 21,
    ("rules", 1, "data", "list"): 22,
    ("rules", 1, "deeper", 0, "z"): 27,
    ("rules", 1, "deeper", 1): 28,
    ("rules", 1, "deeper", 1, "z"): 29,
    ("rules", 2, "quoted.key"): 32,
}


@pytest.mark.parametrize("path", LINES, ids=str)
def test_a_key_has_its_line(path: KeyPath) -> None:
    assert tomllib.loads(TEXT)

    assert TomlLines(TEXT).of(path) == LINES[path]


@pytest.mark.parametrize(
    ("path", "line"), [(("rules", 1, "when"), 19), (("nothing",), 1), ((), 1), (("rules", 1, "data", "list", 1), 22)]
)
def test_what_is_not_there_has_the_line_of_what_it_belongs_to(path: KeyPath, line: int) -> None:
    assert TomlLines(TEXT).of(path) == line
