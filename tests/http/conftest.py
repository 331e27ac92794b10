"""The pages are served as the tests of the board serve them."""

from tests.board.conftest import served

__all__ = ["served"]
