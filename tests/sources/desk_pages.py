"""What the page of a help desk says can be done: its file of webhooks is served as it stands there."""

import re
from collections.abc import Mapping
from pathlib import Path

from stream.gateway.webhook_file import webhooks_of
from stream.sources.source import Webhook

__all__ = ["page_of", "served_by"]


def page_of(source: str) -> str:
    """Return the page of a source."""
    return (Path(__file__).parents[2] / f"docs/sources/{source}.md").read_text(encoding="utf-8")


def served_by(page: str, name: str, folder: Path, files: Mapping[str, str]) -> Webhook:
    """Return the one webhook of a page's file of webhooks, beside the files that it names."""
    for file, content in files.items():
        (folder / file).write_text(content)
    (block,) = re.findall(r"```toml\n(# webhooks.toml.*?)```", page, re.DOTALL)
    (folder / "webhooks.toml").write_text(block)
    served = webhooks_of(folder / "webhooks.toml")
    assert served.keys() == {name}
    return served[name].webhook
