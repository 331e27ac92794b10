"""
`contact-stream` when the registry of sources has two lines more: `python -m tests.sources.with_new_sources …`.

The lines are added to the registry's own text, which is then run in its place.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

LINE = "    asterisk_queue_log.SOURCE,\n"
IMPORT = "from stream.sources.source import Source\n"


def add_the_lines() -> None:
    """Run the registry with the new sources in it; to be called before anybody imports it."""
    spec = find_spec("stream.sources.registry")
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    assert text.count(LINE) == text.count(IMPORT) == 1
    text = text.replace(LINE, f"{LINE}    new_sources.PAGER,\n    new_sources.DESK,\n")
    text = text.replace(IMPORT, f"{IMPORT}from tests.sources import new_sources\n")
    registry = ModuleType("stream.sources.registry")
    sys.modules["stream.sources.registry"] = registry
    exec(compile(text, spec.origin, "exec"), vars(registry))  # our own text, and two lines


if __name__ == "__main__":
    add_the_lines()
    from stream.cli import main

    main()
