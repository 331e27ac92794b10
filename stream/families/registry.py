"""The registry: one line for each family of figures."""

from typing import Any, Final

from msgspec.structs import replace

from stream.core.cloudevents import EventDecoder
from stream.core.family import Family
from stream.families import follow_ups
from stream.families.agents import family as agents
from stream.families.cases import family as cases
from stream.families.contacts import family as contacts
from stream.families.surveys import family as surveys

__all__ = ["DECODER", "EVENT_TYPES", "FAMILIES"]

FAMILIES: Final[tuple[Family[Any], ...]] = (
    replace(contacts.FAMILY, derive=follow_ups.after_contact),
    agents.FAMILY,
    replace(cases.FAMILY, derive=follow_ups.after_case),
    surveys.FAMILY,
)

DECODER: Final = EventDecoder([kind for family in FAMILIES for kind in family.events])
"""Reads the events of every family."""

EVENT_TYPES: Final = DECODER.kinds
"""Every event class by its CloudEvents `type`."""
