"""A sink for dry runs: events go to standard output, one CloudEvent in each line, and nowhere else."""

import sys
from collections.abc import Iterable, Sequence

from stream.core.cloudevents import Event, encode
from stream.sdk.producer import EncodedEvent

__all__ = ["Printer"]


class Printer:
    """Prints events instead of sending them."""

    async def send_many(self, events: Iterable[Event]) -> int:
        """Print them, which is all that can go wrong."""
        return self._print([encode(event) for event in events])

    async def send_encoded(self, events: Sequence[EncodedEvent]) -> int:
        """As `send_many`, for events that were encoded before."""
        return self._print([event.value for event in events])

    def _print(self, lines: Sequence[bytes]) -> int:
        sys.stdout.buffer.writelines(line + b"\n" for line in lines)
        # With each batch: whoever follows a log through a pipe sees lines at once.
        sys.stdout.buffer.flush()
        return len(lines)
