"""The registry: one line for each family of figures."""

from typing import Any, Final

from msgspec.structs import replace

from stream.core.cloudevents import EventDecoder
from stream.core.family import Family
from stream.families import about_customers, follow_ups
from stream.families.agents import family as agents
from stream.families.cases import family as cases
from stream.families.contacts import family as contacts
from stream.families.customers import family as customers
from stream.families.derivers import all_of
from stream.families.surveys import family as surveys

__all__ = ["DECODER", "EVENT_TYPES", "FAMILIES"]

FAMILIES: Final[tuple[Family[Any], ...]] = (
    replace(contacts.FAMILY, derive=all_of(follow_ups.after_contact, about_customers.told_by_contact)),
    agents.FAMILY,
    replace(cases.FAMILY, derive=all_of(follow_ups.after_case, about_customers.told_by_case)),
    replace(surveys.FAMILY, derive=about_customers.told_by_survey),
    replace(customers.FAMILY, derive=about_customers.told_by_cart),
)

DECODER: Final = EventDecoder([kind for family in FAMILIES for kind in family.events])
"""Reads the events of every family."""

EVENT_TYPES: Final = DECODER.kinds
"""Every event class by its CloudEvents `type`."""
