"""What msgspec says of a value, without the value."""

from typing import Any, Literal

import msgspec
import pytest
from msgspec import Struct

from stream.sources.unquoted import unquoted


class Reply(Struct, tag="reply", frozen=True):
    pass


class Note(Struct, tag="note", frozen=True):
    pass


class Told(Struct):
    what: Literal["opened", "closed"] = "opened"
    grade: Literal[1, 2] = 1
    number: int = 0
    part: Reply | Note = Reply()


@pytest.mark.parametrize("text", ["ann@example.org", "it's - at `$.who`", "two\nlines", "'"])
@pytest.mark.parametrize(
    ("told", "said"),
    [
        (lambda text: {"what": text}, "Invalid enum value - at `$.what`"),
        (lambda text: {"part": {"type": text}}, "Invalid value - at `$.part.type`"),
        (lambda text: {"number": text}, "Expected `int`, got `str` - at `$.number`"),
        (lambda _: {"grade": 38640}, "Invalid enum value - at `$.grade`"),
    ],
)
def test_a_field_is_named_and_its_value_is_not(told: Any, said: str, text: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(told(text), Told)

    assert unquoted(raised.value) == said


def test_a_value_that_is_no_part_of_anything_has_no_place() -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert("ann@example.org", Literal["opened"])

    assert unquoted(raised.value) == "Invalid enum value"
