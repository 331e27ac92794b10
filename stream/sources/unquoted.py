"""What msgspec says of a value: it names the field, and quotes a word that is none of those that may stand there."""

import re
from typing import Final

__all__ = ["unquoted"]

_QUOTED: Final = re.compile(r"^(Invalid (?:enum )?value) .*?(?P<place> - at `[^`]*`)?$", re.DOTALL)


def unquoted(failure: Exception) -> str:
    """Return what a failure of msgspec's says, without the value at fault: it may be personal."""
    found = _QUOTED.match(str(failure))
    return str(failure) if found is None else found[1] + (found["place"] or "")
