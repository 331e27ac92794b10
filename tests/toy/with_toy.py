"""`contact-stream` when the registry of families has one line more: `python -m tests.toy.with_toy …`."""

from tests.registries import main_with

if __name__ == "__main__":
    main_with(
        "stream.families.registry",
        {
            "from stream.families.contacts import family as contacts\n": "from tests.toy import family as toy\n",
            "    agents.FAMILY,\n": "    toy.FAMILY,\n",
        },
    )
