"""How time zones travel between processes: msgspec has no word for them."""

from zoneinfo import ZoneInfo

__all__ = ["zone_name", "zone_of"]


def zone_name(value: object) -> str:
    """Return what a time zone is on the wire, where no other type is without a word of its own."""
    if isinstance(value, ZoneInfo):
        return value.key
    raise NotImplementedError(type(value).__name__)  # how a hook tells msgspec that it knows no such type


def zone_of(_: type, name: str) -> ZoneInfo:
    """Return the time zone of a name; KeyError where this machine knows none."""
    return ZoneInfo(name)
