"""
From one record to the events that it tells: every rule whose condition holds of the record makes one.

Knows neither files nor requests. Whatever a record holds, it never raises: what cannot be used is a fault, with the
line of the mapping that wanted it.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import orjson
from msgspec import Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Id, Instant, Name
from stream.errors import InvalidEvent
from stream.sdk.producer import checked
from stream.sources.mapped.event_kinds import DataField, data_type
from stream.sources.mapped.expressions import Expression
from stream.sources.mapped.terms import Term, Unusable

__all__ = ["ENVELOPE", "EventMapping", "FieldTerm", "IgnoreRule", "MappedRecord", "MappingFault", "MappingRule"]

ENVELOPE: Final = {
    "id": DataField("id", Id, required=True),
    "time": DataField("time", Instant, required=True),
    "subject": DataField("subject", Id, required=True),
    "tenant": DataField("tenant", Name, required=False),
}
"""What a rule says of an event besides its data. Where it says no id there is one all the same."""


class FieldTerm(Struct, frozen=True):
    """Where the value of one field is found, and the line that says so."""

    field: DataField
    term: Term
    line: int

    def of(self, record: object) -> Any:  # noqa: ANN401  # whatever the field holds
        """Return the value, None where a field that may be missing has none; raises Unusable."""
        value = self.term.of(record)
        if value is None:
            if self.field.required:
                raise Unusable("the record has no value for it")
            return None
        return self.field.converted(value)


class IgnoreRule(Struct, frozen=True):
    """Records that are known to be of no use, under the name by which they are counted."""

    line: int
    when: Expression | None
    ignore: str


class MappingRule(Struct, frozen=True):
    """The event that a record tells."""

    line: int
    when: Expression | None
    kind: type[Event]
    event: str
    envelope: Mapping[str, FieldTerm]
    data: Mapping[str, FieldTerm]


class MappingFault(Struct, frozen=True):
    """Why a rule that matched made no event; `line` is the mapping's."""

    line: int
    reason: str
    detail: str


class MappedRecord(Struct, frozen=True):
    """What became of a record."""

    events: list[Event]
    rules: list[MappingRule]
    """Of each event the rule that made it."""
    faults: list[MappingFault]
    ignored: list[IgnoreRule]


class EventMapping(Struct, frozen=True):
    """The rules of a mapping, and the name of the system whose records they read."""

    name: str
    """The file, for messages."""
    source: str
    rules: tuple[MappingRule | IgnoreRule, ...]
    tenant: str = DEFAULT_TENANT
    """Of records that name none."""

    def of(self, record: object) -> MappedRecord:
        """Return what a record tells."""
        mapped = MappedRecord([], [], [], [])
        for rule in self.rules:
            if rule.when is not None and not rule.when.holds(record):
                continue
            match rule:
                case IgnoreRule():
                    mapped.ignored.append(rule)
                case MappingRule():
                    self._tell(rule, record, mapped)
        return mapped

    def _tell(self, rule: MappingRule, record: object, mapped: MappedRecord) -> None:
        event = self._event(rule, record)
        if isinstance(event, MappingFault):
            mapped.faults.append(event)
        elif any(event.id == other.id for other in mapped.events):
            detail = "another rule made the same event of this record; say an id that tells them apart"
            mapped.faults.append(MappingFault(rule.line, "same_id", detail))
        else:
            mapped.events.append(event)
            mapped.rules.append(rule)

    def _event(self, rule: MappingRule, record: object) -> Event | MappingFault:
        envelope = _values(rule.envelope, record)
        if isinstance(envelope, MappingFault):
            return envelope
        data = _values(rule.data, record)
        if isinstance(data, MappingFault):
            return data
        named = envelope["id"] if "id" in rule.envelope else _digest(record)
        if named is None:
            return MappingFault(rule.line, "no_id", "the record has no id, and is nested too deeply to make one of it")
        event = rule.kind(
            # Of one record there may be several events, so the kind is part of the id.
            id=f"{named}/{rule.event}",
            source=self.source,
            time=envelope["time"],
            subject=envelope["subject"],
            specversion="1.0",
            tenantid=envelope.get("tenant", self.tenant),
            data=data_type(rule.kind)(**data),
        )
        try:
            checked(event)
        except InvalidEvent as invalid:
            return MappingFault(_line_of(rule, invalid.field), invalid.reason, invalid.detail)
        return event


def _values(fields: Mapping[str, FieldTerm], record: object) -> dict[str, Any] | MappingFault:
    """Return the values of the fields that have one, or the first fault."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        try:
            value = field.of(record)
        except Unusable as unusable:
            return MappingFault(field.line, "unusable_value", f"{name}: {unusable}")
        if value is not None:
            found[name] = value
    return found


def _line_of(rule: MappingRule, path: str | None) -> int:
    """Return the line of the field that an invalid event is at fault in."""
    name = (path or "").removeprefix("data.")
    field = rule.data.get(name) or rule.envelope.get("tenant" if name == "tenantid" else name)
    return rule.line if field is None else field.line


def _digest(record: object) -> str | None:
    """Return an id for a record that has none: the same for the same content, in whatever order its keys are."""
    try:
        text = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # less deep than what can be read
        return None
    return blake2b(text, digest_size=16).hexdigest()
