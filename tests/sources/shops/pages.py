"""Pages about shops: their files of webhooks are read as they stand there."""

import re
import tomllib
from pathlib import Path
from typing import Final

from stream.gateway.webhook_file import webhooks_of

__all__ = ["page_of", "webhooks_on"]

PAGES: Final = Path(__file__).parents[3] / "docs/sources"


def page_of(source: str) -> str:
    """Return the page about a source."""
    return (PAGES / f"{source}.md").read_text(encoding="utf-8")


def webhooks_on(source: str, folder: Path) -> dict[str, str]:
    """Return the webhooks of the file on a page, which the gateway must be able to read, with their sources."""
    (text,) = re.findall(r"```toml\n(# webhooks\.toml\n.*?)```", page_of(source), re.DOTALL)
    tables = tomllib.loads(text)["webhooks"]
    for table in tables.values():
        for name in {option for key, option in table.items() if key.endswith("_file")}:
            (folder / name).write_text("a secret of the tests")
    (folder / "webhooks.toml").write_text(text)
    assert webhooks_of(folder / "webhooks.toml").keys() == tables.keys()
    return {name: table["source"] for name, table in tables.items()}
