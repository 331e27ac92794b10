"""
`contact-stream` when the registry of sources has three lines more: `python -m tests.sources.with_new_sources …`.
"""

from tests.registries import main_with

if __name__ == "__main__":
    main_with(
        "stream.sources.registry",
        {
            "from stream.sources.source import Source\n": "from tests.sources import new_sources\n",
            "    asterisk_queue_log.SOURCE,\n": "".join(
                f"    new_sources.{name},\n" for name in ("PAGER", "DESK", "LEDGER")
            ),
        },
    )
