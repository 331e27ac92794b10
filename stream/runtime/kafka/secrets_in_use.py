"""Secrets of a client that lives for months: files that are rotated meanwhile are read again.

aiokafka takes passwords and certificates when a client is made, and uses them for every later connection.
"""

import logging
from collections.abc import Iterator
from typing import Any

from stream.errors import SettingsError
from stream.security.kafka_security import KafkaSecurity

__all__ = ["SecretsInUse"]

logger = logging.getLogger(__name__)


class SecretsInUse:
    """What an aiokafka client uses, and of which state of the files it is."""

    def __init__(self, security: KafkaSecurity) -> None:
        self._security = security
        self._files = [*self._states()]

    def hand_to(self, client: Any) -> None:
        """Have a client use what is in the files now; raises SettingsError."""
        for name, value in self._security.client_options().items():
            setattr(client, f"_{name}", value)

    def renew(self, client: Any) -> None:
        """Do that if a file has changed; what cannot be used, as of a half-written file, is left alone."""
        found = [*self._states()]
        if found == self._files:
            return
        self._files = found
        try:
            self.hand_to(client)
        except SettingsError as mistake:
            logger.warning("Changed secrets cannot be used, those of before stay in use: %s", mistake)
        else:
            logger.info("Secrets were read again: they count from the next connection on")

    def _states(self) -> Iterator[tuple[int, int, int]]:
        for file in self._security.files:
            try:
                state = file.stat()  # follows links: an orchestrator swaps those
            except OSError:
                yield (0, 0, 0)
            else:
                yield (state.st_ino, state.st_mtime_ns, state.st_size)
