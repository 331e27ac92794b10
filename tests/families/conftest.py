"""Pages are served, and looked at, as the tests of the board do."""

from tests.board.conftest import chromium, desk, served, visitor

__all__ = ["chromium", "desk", "served", "visitor"]
