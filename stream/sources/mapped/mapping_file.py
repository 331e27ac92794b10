"""The file of a mapping: read and checked as a whole at the start; what is wrong is named with its line."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from stream.core.cloudevents import DEFAULT_TENANT, Event, Id
from stream.errors import SettingsError
from stream.sources.mapped.event_kinds import DataField, choices_of, data_fields, event_kinds
from stream.sources.mapped.expressions import Expression, InvalidExpression
from stream.sources.mapped.mapping import ENVELOPE, EventMapping, FieldTerm, IgnoreRule, MappingRule
from stream.sources.mapped.payloads import PayloadFormat
from stream.sources.mapped.terms import InvalidTerm, TermTable, Unusable, term_of
from stream.sources.mapped.toml_lines import KeyPath, TomlLines
from stream.sources.requests.verification import InvalidVerification, VerifyTable, check_verification

__all__ = ["MappingFile", "read_mapping"]

_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_UNKNOWN_KEY: Final = re.compile(r"Object contains unknown field `(.+)`")

TermText = str | TermTable
Ignored = Annotated[str, Meta(min_length=1, max_length=64)]


class _EnvelopeTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: TermText | None = None
    time: TermText | None = None
    subject: TermText | None = None
    tenant: TermText | None = None
    data: dict[str, TermText] = {}


class _RuleTable(_EnvelopeTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    when: str | None = None
    event: str | None = None
    ignore: Ignored | None = None


class _FileTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: Id
    rules: Annotated[list[_RuleTable], Meta(min_length=1)]
    format: Literal["json", "csv"] = "json"
    records: str | None = None
    columns: tuple[str, ...] = ()
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    verify: VerifyTable | None = None
    common: _EnvelopeTable = _EnvelopeTable()


class MappingFile(Struct, frozen=True):
    """A mapping that was checked: rules, the form of payloads, and how requests are verified."""

    path: Path
    mapping: EventMapping
    format: PayloadFormat
    verify: VerifyTable | None

    def named(self, source: str | None, tenant: str = DEFAULT_TENANT) -> "MappingFile":
        """Return it for another system, or tenant."""
        return replace(
            self, mapping=replace(self.mapping, source=source or self.mapping.source, tenant=tenant or DEFAULT_TENANT)
        )


def read_mapping(path: Path) -> MappingFile:
    """Return the mapping in a file; raises SettingsError, which names the line."""
    try:
        text = path.read_text(encoding="utf-8")
        told = tomllib.loads(text)
    except OSError as failure:
        raise SettingsError(f"{path} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as failure:
        line = re.search(r"line (\d+)", str(failure))
        raise SettingsError(f"{path}:{line[1] if line else 1}: {failure}") from None
    reader = _Reader(path, TomlLines(text))
    try:
        table = msgspec.convert(told, _FileTable)
    except msgspec.ValidationError as failure:
        problem, _, place = str(failure).partition(" - at `$")
        reader.refuse(*_explained(_path_of(place, told), problem))
    return reader.mapping_of(table)


class _Reader:
    """Makes rules of tables, and knows the line of each thing that it says about them."""

    def __init__(self, path: Path, lines: TomlLines) -> None:
        self._path = path
        self._lines = lines

    def refuse(self, path: Iterable[str | int], problem: str) -> NoReturn:
        """Raise the error that names the line of a key."""
        keys: KeyPath = tuple(path)
        # What the place of a rule says, its line says better.
        named = ".".join(key for key in keys if isinstance(key, str) and key != "rules")
        where = f"{self._path}:{self._lines.of(keys)}: "
        raise SettingsError(f"{where}{named}: {problem}" if named else where + problem)

    def mapping_of(self, table: _FileTable) -> MappingFile:
        if table.format == "json" and table.columns:
            self.refuse(["columns"], "columns belong to the format csv")
        if table.format == "csv" and table.records:
            self.refuse(["records"], "records belong to the format json")
        if table.verify:
            self._check_verify(table.verify)
        self._check_common(table)
        return MappingFile(
            self._path,
            EventMapping(
                str(self._path), table.source, tuple(self._rule(n, rule, table) for n, rule in enumerate(table.rules))
            ),
            PayloadFormat(
                format=table.format,
                records=self._expression(("records",), table.records),
                columns=table.columns,
                delimiter=table.delimiter,
            ),
            table.verify,
        )

    def _check_verify(self, verify: VerifyTable) -> None:
        try:
            check_verification(verify)
        except InvalidVerification as invalid:
            self.refuse(["verify", invalid.key], str(invalid))

    def _check_common(self, table: _FileTable) -> None:
        """Refuse a field that no event has: nobody would miss what a misspelt one should have told."""
        kinds = [event_kinds[rule.event] for rule in table.rules if rule.event in event_kinds]
        known = dict.fromkeys(name for kind in kinds for name in data_fields(kind))
        for name in table.common.data:
            if kinds and name not in known:
                self.refuse(["common", "data", name], f"no event of the rules has such a field{_meant(name, known)}")

    def _expression(self, path: KeyPath, text: str | None) -> Expression | None:
        try:
            return None if text is None else Expression(text)
        except InvalidExpression as invalid:
            self.refuse(path, str(invalid))

    def _rule(self, number: int, rule: _RuleTable, table: _FileTable) -> MappingRule | IgnoreRule:
        path: KeyPath = ("rules", number)
        line = self._lines.of(path)
        when = self._expression((*path, "when"), rule.when)
        if (rule.event is None) == (rule.ignore is None):
            self.refuse(path, "say either event, its type, or ignore, why such records are of no use")
        if rule.ignore is not None:
            return IgnoreRule(line, when, rule.ignore)
        assert rule.event is not None
        kind = event_kinds.get(rule.event)
        if kind is None:
            self.refuse((*path, "event"), f"there is no such event{_meant(rule.event, event_kinds)}")
        return MappingRule(
            line, when, kind, rule.event, self._envelope(path, rule, table.common), self._data(path, kind, rule, table)
        )

    def _envelope(self, path: KeyPath, rule: _RuleTable, common: _EnvelopeTable) -> Mapping[str, FieldTerm]:
        found = {}
        for name, field in ENVELOPE.items():
            own, shared = getattr(rule, name), getattr(common, name)
            if own is not None or shared is not None:
                place = (*path, name) if own is not None else ("common", name)
                found[name] = self._field(place, field, shared if own is None else own)
            elif field.required and name != "id":
                self.refuse(path, f"{name} is missing; say where it is found, here or under [common]")
        return found

    def _data(self, path: KeyPath, kind: type[Event], rule: _RuleTable, table: _FileTable) -> Mapping[str, FieldTerm]:
        fields = data_fields(kind)
        for name in rule.data.keys() - fields.keys():
            self.refuse((*path, "data", name), f"{rule.event} has no such field{_meant(name, fields)}")
        found = {}
        for name, field in fields.items():
            if name in rule.data:
                found[name] = self._field((*path, "data", name), field, rule.data[name])
            elif name in table.common.data:
                found[name] = self._field(("common", "data", name), field, table.common.data[name])
            elif field.required:
                self.refuse((*path, "data"), f"{name} is missing, which {rule.event} wants")
        return found

    def _field(self, path: KeyPath, field: DataField, told: TermText) -> FieldTerm:
        try:
            term = term_of(told, field.value_kind)
        except InvalidTerm as invalid:
            self.refuse((*path, invalid.key) if isinstance(told, TermTable) else path, str(invalid))
        for key, constant in _constants(term.table):
            if constant == "" and not field.required:
                continue
            try:
                field.converted(constant)
            except Unusable as unusable:
                self.refuse((*path, *key), str(unusable))
        return FieldTerm(field, term, self._lines.of(path))


def _constants(table: TermTable) -> Iterable[tuple[KeyPath, object]]:
    """Yield what the mapping itself says a field may be, which can be checked before there is a record."""
    for key in ("constant", "otherwise"):
        if (value := getattr(table, key)) is not msgspec.UNSET:
            yield (key,), value
    yield from ((("words", word), meant) for word, meant in table.words.items())


def _path_of(place: str, told: Any) -> KeyPath:  # noqa: ANN401  # TOML may be anything
    """Return where msgspec found something wrong. It names no key of `data`: that is the one that is no value."""
    before, unnamed, behind = place.partition("[...]")
    path = _steps(before)
    if unnamed:
        data = told
        for step in path:
            data = data[step]
        path = (*path, next(key for key, value in data.items() if not _is_term(value)))
    return path + _steps(behind)


def _steps(place: str) -> KeyPath:
    return tuple(int(number) if number else key for key, number in _STEP.findall(place))


def _is_term(value: object) -> bool:
    try:
        msgspec.convert(value, TermText)
    except msgspec.ValidationError:
        return False
    return True


_TABLES: Final[Mapping[str, type[Struct]]] = {"verify": VerifyTable, "common": _EnvelopeTable, "rules": _RuleTable}
_VALUES: Final = {
    field.name: choices_of(field.type)
    for table in (TermTable, VerifyTable, _FileTable)
    for field in msgspec.structs.fields(table)
    if choices_of(field.type)
}
"""By key, where a key has only certain values."""


def _explained(path: KeyPath, problem: str) -> tuple[KeyPath, str]:
    """Say what would be right, where msgspec says only that something is wrong."""
    if unknown := _UNKNOWN_KEY.fullmatch(problem):
        named = [step for step in path if isinstance(step, str)]
        table = _FileTable if not named else _TABLES.get(named[0], TermTable) if len(named) == 1 else TermTable
        return (*path, unknown[1]), f"there is no such key{_meant(unknown[1], table.__struct_fields__)}"
    if problem.startswith("Invalid enum value"):
        return path, f"it must be one of {', '.join(_VALUES[str(path[-1])])}"
    return path, problem


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, [*known], n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
