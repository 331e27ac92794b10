"""What the page of Amazon Connect shows is what the gateway, a worker and AWS take."""

import json
import re
from datetime import timedelta
from pathlib import Path

from stream.app.policy_file import load_policies
from stream.families.contacts.rules import RULES
from stream.gateway.webhook_file import webhooks_of
from tests.house.tree import ROOT
from tests.sources.amazon_connect.aws import connected

PAGE = (ROOT / "docs" / "sources" / "amazon-connect.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the examples in a language, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_file_of_webhooks_is_one(tmp_path: Path) -> None:
    connected(tmp_path)  # which writes a list of queues
    for name in ("connect-events.key", "connect-records.key"):
        (tmp_path / name).write_text("a-key", encoding="utf-8")
    (tmp_path / "webhooks.toml").write_text(blocks("toml")[0], encoding="utf-8")

    assert webhooks_of(tmp_path / "webhooks.toml").keys() == {"connect-events", "connect-records"}


def test_the_policy_makes_the_board_remember_for_a_day(tmp_path: Path) -> None:
    (tmp_path / "policies.toml").write_text(blocks("toml")[1], encoding="utf-8")

    policy = load_policies(tmp_path / "policies.toml").of(RULES, "acme", "sales", "voice")

    assert policy.duplicate_window == timedelta(hours=25)


def test_what_aws_is_given_is_json() -> None:
    for block in blocks("json"):
        json.loads(block)
