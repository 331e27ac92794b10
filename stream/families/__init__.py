"""Every event of every family."""

from stream.core.cloudevents import EventDecoder
from stream.families.agents import events as agents
from stream.families.contacts import events as contacts

__all__ = ["DECODER", "EVENT_TYPES"]

DECODER = EventDecoder([*contacts.EVENTS, *agents.EVENTS])
EVENT_TYPES = DECODER.kinds
