"""Where the services of `docker-compose.yml` are on this machine, and texts and configurations that say so."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Places", "PlacesError"]


class PlacesError(Exception):
    """A configuration does not name what should be replaced in it, or names what has no place here."""


class Places:
    """
    For each `service:port` the addresses (`127.0.0.1:port`) that stand for it.

    A service may have several where it is discovered by name, and one wherever an address is written.
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]], paths: Mapping[str, str] | None = None) -> None:
        self._addresses = addresses
        self._paths = dict(sorted((paths or {}).items(), key=lambda pair: -len(pair[0])))
        names = {name.partition(":")[0] for name in addresses}
        self._written = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, names))}):(\d+)")
        self._used: set[str] = set()

    def text(self, text: str) -> str:
        """Return *text* with addresses and paths as they are here; raises PlacesError for an unknown address."""
        for inside, here in self._paths.items():
            text = re.sub(rf"(?<![\w./]){re.escape(inside)}(?=/|$)", here, text)
        return self._written.sub(lambda found: self._one(found[0]), text)

    def configuration(self, document: dict[str, Any], *, expected: set[str]) -> dict[str, Any]:
        """Return a parsed configuration as it is here; raises PlacesError unless it names exactly the *expected*."""
        self._used = set()
        changed = {key: self._changed(value) for key, value in document.items()}
        if self._used != expected:
            raise PlacesError(f"expected {sorted(expected)} in the configuration, found {sorted(self._used)}")
        return changed

    def _changed(self, document: object) -> object:
        match document:
            case str():
                return self.text(document)
            case list():
                return [self._changed(item) for item in document]
            case dict() if "dns_sd_configs" in document:
                rest = {key: self._changed(value) for key, value in document.items() if key != "dns_sd_configs"}
                return rest | {"static_configs": [self._discovered(one) for one in document["dns_sd_configs"]]}
            case dict():
                return {key: self._changed(value) for key, value in document.items()}
            case _:
                return document

    def _discovered(self, discovery: Mapping[str, Any]) -> dict[str, list[str]]:
        found = [self._all(f"{name}:{discovery['port']}") for name in discovery["names"]]
        return {"targets": [address for addresses in found for address in addresses]}

    def _all(self, name: str) -> Sequence[str]:
        if name not in self._addresses:
            raise PlacesError(f"{name} is no address of a service")
        self._used.add(name)
        return self._addresses[name]

    def _one(self, name: str) -> str:
        addresses = self._all(name)
        if len(addresses) != 1:
            raise PlacesError(f"{name} is {len(addresses)} addresses, where one is written")
        return addresses[0]
