"""
JMESPath within bounds: what may be said is a list, and how long an answer takes is bounded.

An expression selects parts of a record; it cannot loop, nor build what is larger than record and expression together,
nor reach anything but the record. What it does not find is None.
"""

import difflib
import math
import warnings
from collections.abc import Iterable
from typing import Any, Final

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

__all__ = ["FUNCTIONS", "MAX_EXPRESSION_CHARS", "Expression", "InvalidExpression"]

MAX_EXPRESSION_CHARS: Final = 1000
"""More than any readable one; how long an expression is bounds how long it takes."""

FUNCTIONS: Final = {
    "contains": 2,
    "ends_with": 2,
    "join": 2,
    "length": 1,
    "lower": 1,
    "minus": 2,
    "not_null": 0,
    "plus": 2,
    "split": 2,
    "starts_with": 2,
    "to_number": 1,
    "to_string": 1,
    "upper": 1,
}
"""What may be called, with how many arguments; 0: with any number."""

_SELECTORS: Final = frozenset(
    {
        *("field", "index", "slice", "identity", "current", "subexpression", "index_expression", "pipe"),
        *("projection", "value_projection", "filter_projection"),
    }
)
"""They return parts of what they are given, each once."""

_COMBINING: Final = frozenset(
    {
        *("literal", "comparator", "or_expression", "and_expression", "not_expression"),
        *("function_expression", "multi_select_list"),
    }
)
"""
They may return what is larger than a part of the record, so they are given nothing but the record.

Applied again and again to what they returned they could double it each time: `[@, @] | [@, @] | ...`.
"""

_NAMES: Final = {
    "expref": "&",
    "flatten": "[]",
    "multi_select_dict": "{...}",
    "multi_select_list": "[a, b]",
    "function_expression": "a function",
}


class InvalidExpression(ValueError):
    """It is none, or says more than it may; the message has the place and what to do."""


class _Functions(functions.Functions):  # type: ignore[misc]  # it ships no types
    """The functions, and some of ours. They are total: what they are not made for is None, as what is missing is."""

    def call_function(self, function_name: str, resolved_args: list[Any]) -> object:
        try:
            return super().call_function(function_name, resolved_args)
        except (JMESPathError, TypeError):
            return None

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]  # ditto
    def _func_lower(self, text: str) -> str:
        return text.lower()

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]  # ditto
    def _func_upper(self, text: str) -> str:
        return text.upper()

    @functions.signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]  # ditto
    def _func_split(self, text: str, separator: str) -> list[str] | None:
        return text.split(separator) if separator else None

    @functions.signature({"types": ["number"]}, {"types": ["number"]})  # type: ignore[untyped-decorator]  # ditto
    def _func_plus(self, one: float, other: float) -> float | None:
        return _finite(one + other)

    @functions.signature({"types": ["number"]}, {"types": ["number"]})  # type: ignore[untyped-decorator]  # ditto
    def _func_minus(self, one: float, other: float) -> float | None:
        return _finite(one - other)

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]  # ditto
    def _func_to_number(self, given: object) -> float | None:
        # The library's own one would read `inf`, and text of any length.
        if isinstance(given, bool) or not isinstance(given, int | float | str) or len(str(given)) > 40:
            return None
        try:
            return int(given) if isinstance(given, str) and given.strip().lstrip("+-").isdecimal() else _finite(given)
        except (ValueError, OverflowError):
            return None


_EVALUATION: Final = TreeInterpreter(jmespath.Options(custom_functions=_Functions()))
"""It keeps nothing of a record, so one is enough; `search` would make one each time."""


class Expression:
    """A compiled expression. Raises InvalidExpression."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MAX_EXPRESSION_CHARS:
            raise InvalidExpression(f"it has more than {MAX_EXPRESSION_CHARS} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # of what stands in backticks and is no JSON
                self._parsed: dict[str, Any] = jmespath.compile(text).parsed
            _check(self._parsed, anything=True)
        except RecursionError:
            raise InvalidExpression("it is nested too deeply") from None
        except JMESPathError as failure:
            raise InvalidExpression(_explained(text, failure)) from None
        except Warning:
            raise InvalidExpression("between backticks stands what is no JSON; text stands between '...'") from None

    def of(self, record: object) -> Any:  # noqa: ANN401  # any part of a JSON value
        """Return what it finds in a record, None where there is nothing; it never raises."""
        try:
            return _EVALUATION.visit(self._parsed, record)
        except (JMESPathError, RecursionError):
            return None

    def holds(self, record: object) -> bool:
        """Tell whether it is true of a record: what is missing, empty or false is not."""
        found = self.of(record)
        return found is not None and found is not False and found not in ("", [], {})


def _finite(number: float | str) -> float | None:
    found = number if isinstance(number, int) else float(number)
    return found if math.isfinite(found) else None


def _check(node: dict[str, Any], *, anything: bool) -> None:
    """Raise InvalidExpression where a node is none that may stand there."""
    kind, children = node["type"], node["children"]
    if kind not in (_SELECTORS | _COMBINING if anything else _SELECTORS):
        name = _NAMES.get(kind, kind.replace("_", " "))
        where = "" if kind not in _COMBINING else " behind a dot, bracket or |"
        raise InvalidExpression(f"{name} may not be used{where}")
    if kind == "slice" and children[2] == 0:
        raise InvalidExpression("a slice cannot have the step 0")
    if kind == "function_expression":
        _check_call(node["value"], children)
    for place, child in enumerate(children):
        if isinstance(child, dict):  # the bounds of a slice are numbers
            # What stands on the right is applied to what the left has returned; a condition only tells yes or no.
            behind = kind in _SELECTORS and place == 1
            _check(child, anything=(anything and not behind) or (kind == "filter_projection" and place == 2))


def _check_call(name: str, given: Iterable[object]) -> None:
    if name not in FUNCTIONS:
        meant = difflib.get_close_matches(name, FUNCTIONS, n=1)
        hint = f"; did you mean {meant[0]}?" if meant else f"; there are {', '.join(FUNCTIONS)}"
        raise InvalidExpression(f"there is no function {name}{hint}")
    count, wanted = len(list(given)), FUNCTIONS[name]
    if (wanted and count != wanted) or not count:
        raise InvalidExpression(f"{name} wants {wanted or 'at least 1'} arguments, and has {count}")


def _explained(text: str, failure: JMESPathError) -> str:
    place = getattr(failure, "lex_position", None)
    if not text.strip():
        return "it is empty"
    if place is None or place >= len(text):
        return "it ends too early"
    return f"it cannot be read at character {place + 1}: {text[:place]}>>>{text[place:]}"
