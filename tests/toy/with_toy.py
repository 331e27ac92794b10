"""
`contact-stream` as it is when the registry of families has one line more: `python -m tests.toy.with_toy …`.

The line is added to the registry's own text, which is then run in its place.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

LINE = "    agents.FAMILY,\n"
IMPORT = "from stream.families.contacts import family as contacts\n"


def add_the_line() -> None:
    """Run the registry with the toy family in it; to be called before anybody imports it."""
    spec = find_spec("stream.families.registry")
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    assert text.count(LINE) == text.count(IMPORT) == 1
    text = text.replace(LINE, LINE + "    toy.FAMILY,\n").replace(
        IMPORT, IMPORT + "from tests.toy import family as toy\n"
    )
    registry = ModuleType("stream.families.registry")
    sys.modules["stream.families.registry"] = registry
    exec(compile(text, spec.origin, "exec"), vars(registry))  # our own text, and one line


if __name__ == "__main__":
    add_the_line()
    from stream.cli import main

    main()
