"""What a mapping says of one field: where its value is found, in which unit and zone, which word is meant."""

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, Struct, UnsetType

from stream.sources.mapped.expressions import Expression, InvalidExpression

__all__ = ["InvalidTerm", "Term", "TermTable", "TermUnit", "Unusable", "ValueKind", "term_of"]

TermUnit = Literal["us", "ms", "s", "min", "h:m:s"]
ValueKind = Literal["instant", "length", "plain"]
"""What a field holds: a time, a length in milliseconds, or anything else."""

_MILLIS: Final = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Constant = str | int | float | bool


class TermTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The long form of a term; the short one is its `value` alone."""

    value: str | None = None
    """An expression."""
    constant: Constant | UnsetType = UNSET
    """What it is in every event."""
    words: dict[str, Constant] = {}
    """What each value means in our words."""
    otherwise: Constant | UnsetType = UNSET
    """What it is where the record has no value, or one without a word."""
    unit: TermUnit | None = None
    """Of a length, or of a time that is a number."""
    format: Annotated[str, Meta(min_length=1)] | None = None
    """Of a time that is no ISO 8601, as `strptime` has it."""
    zone: str | None = None
    """Of a time that is local, such as Europe/Berlin."""


class InvalidTerm(ValueError):
    """A term cannot mean anything; the message says what to do, `key` which of its keys is meant."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class Unusable(ValueError):
    """A record has a value that is none of this kind; the message does not quote it."""


class Term(Struct, frozen=True, kw_only=True):
    """A term that is ready for records."""

    value_kind: ValueKind
    table: TermTable
    expression: Expression | None = None
    zone: ZoneInfo | None = None

    def of(self, record: object) -> Any:  # noqa: ANN401  # whatever the field holds
        """Return the value of a field, None where the record has none; raises Unusable."""
        table = self.table
        if table.constant is not UNSET:
            return _or_nothing(table.constant)
        found = None if self.expression is None else self.expression.of(record)
        if found is None or found == "":  # tables have empty cells where nothing is known
            return None if table.otherwise is UNSET else _or_nothing(table.otherwise)
        if table.words:
            return self._meant(_word(found))
        match self.value_kind:
            case "plain":
                return found
            case "length":
                return _length(found, table.unit or "ms")
            case "instant":
                return _instant(found, self)

    def _meant(self, word: str) -> Constant | None:
        meant = self.table.words.get(word, self.table.otherwise)
        if meant is UNSET:
            raise Unusable("the value is none of its words; add it to words, or say otherwise")
        return _or_nothing(meant)


def term_of(told: str | TermTable, value_kind: ValueKind) -> Term:
    """Return the term that a mapping tells for a field; raises InvalidTerm."""
    table = TermTable(value=told) if isinstance(told, str) else told
    if (table.value is None) == (table.constant is UNSET):
        raise InvalidTerm("value", "say either value, an expression, or constant")
    _refuse_misplaced(table, value_kind)
    try:
        expression = None if table.value is None else Expression(table.value)
    except InvalidExpression as invalid:
        raise InvalidTerm("value", str(invalid)) from None
    return Term(value_kind=value_kind, table=table, expression=expression, zone=_zone(table.zone))


def _refuse_misplaced(table: TermTable, value_kind: ValueKind) -> None:
    if table.unit and value_kind == "plain":
        raise InvalidTerm("unit", "unit belongs to times and to lengths, the fields that end in _ms")
    if value_kind == "instant" and table.unit in {"min", "h:m:s"}:
        raise InvalidTerm("unit", "a time is told in us, ms or s since 1970")
    for key, given in (("format", table.format), ("zone", table.zone)):
        if given and value_kind != "instant":
            raise InvalidTerm(key, f"{key} belongs to times")
    if table.format and not _is_format(table.format):
        raise InvalidTerm("format", "no such format; formats look like %d.%m.%Y %H:%M:%S")
    told = {"constant": table.constant is not UNSET, "otherwise": table.otherwise is not UNSET, "words": table.words}
    for key in (key for key, given in told.items() if given and value_kind == "instant"):
        raise InvalidTerm(key, "a time that the record does not tell is none")


def _is_format(pattern: str) -> bool:
    try:
        datetime.strptime(_EPOCH.strftime(pattern), pattern)  # noqa: DTZ007  # only whether it can be read
    except ValueError:
        return False
    return True


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidTerm("zone", "there is no such zone; names look like Europe/Rome, or UTC") from None


def _or_nothing(meant: Constant) -> Constant | None:
    """Return what a mapping says itself; an empty text says that a field has no value."""
    return None if meant == "" else meant


def _word(found: object) -> str:
    """Return a value as the keys of `words` name it: as JSON writes it, text without quotes."""
    return str(found).lower() if isinstance(found, bool) else str(found)


def _number(found: object) -> float:
    """Return a finite number, also one that is told as text, as tables do."""
    if isinstance(found, str) and len(found) <= 40:
        try:
            found = float(found)
        except ValueError:
            raise Unusable("the value is no number") from None
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise Unusable("the value is no number")
    return found


def _length(found: object, unit: TermUnit) -> int:
    """Return a length in milliseconds."""
    if unit != "h:m:s":
        return round(_number(found) * _MILLIS[unit])
    parts = found.split(":") if isinstance(found, str) else []
    if len(parts) not in {2, 3} or not all(part.replace(".", "", 1).isdecimal() and len(part) < 10 for part in parts):
        raise Unusable("the value is no length such as 00:01:30")
    seconds = sum(float(part) * power for part, power in zip(reversed(parts), (1, 60, 3600), strict=False))
    return round(seconds * 1000)


def _instant(found: object, term: Term) -> datetime:
    table = term.table
    if table.unit is not None:
        try:
            # Whole microseconds: a float of seconds since 1970 has no more, and times are compared exactly.
            return _EPOCH + timedelta(microseconds=round(_number(found) * _MILLIS[table.unit] * 1000))
        except OverflowError:
            raise Unusable("the time is out of range; is it of another unit?") from None
    if not isinstance(found, str):
        raise Unusable("the time is a number: say its unit, s or ms")
    return _in_utc(_told(found, table.format), term.zone)


def _told(found: str, pattern: str | None) -> datetime:
    try:
        return datetime.fromisoformat(found) if pattern is None else datetime.strptime(found, pattern)  # noqa: DTZ007  # the zone follows
    except ValueError:
        hint = "no ISO 8601; say its format" if pattern is None else "not of its format"
        raise Unusable(f"the time is {hint}") from None


def _in_utc(told: datetime, zone: ZoneInfo | None) -> datetime:
    if told.tzinfo is None and zone is None:
        raise Unusable("the time is local: say its zone")
    try:
        return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unusable("the time is out of range") from None
