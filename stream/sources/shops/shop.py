"""Whose orders and carts are, and how the events of a shop are called: the same for all sources of shops."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Name
from stream.errors import SettingsError
from stream.sdk.customers import CustomerEvents
from stream.sdk.factory import EventFactory
from stream.sources.address_ids import AddressIds
from stream.sources.requests.parts import UnusablePart

__all__ = ["AFTER_LEAVING", "CustomersBy", "ShopId", "ShopNames", "ShopOptions", "SourceName", "in_utc"]

AFTER_LEAVING: Final = timedelta(milliseconds=1)
"""
Of subscriptions, which have whole seconds: who leaves and joins in one has changed from an old one to a new one.

What a customer has from then on is told so much later, whichever of the two came first.
"""

ShopId = Annotated[str, Meta(min_length=1, max_length=120)] | Annotated[int, Meta(ge=0)]
"""An id as shops give them: a number, or a text."""

CustomersBy = Annotated[
    Literal["id", "address"],
    Meta(
        description="`address`: all customers are known by the keyed hash of their address, as mailboxes and help "
        "desks know them; by default by the id of their account."
    ),
]

SourceName = Annotated[str, Meta(description="What events have as their source.", min_length=1, max_length=100)]


class ShopOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of any shop."""

    secret_file: Annotated[Path, Meta(description="A secret in each line: with which requests are signed.")]
    source_name: SourceName
    tenant: Annotated[Name, Meta(description="Whose customers they are.")] = DEFAULT_TENANT
    address_key_file: Annotated[
        Path | None,
        Meta(description="A key: guests are known by a keyed hash of their address. Without it they are nobody."),
    ] = None


class ShopNames:
    """Tells customers by id or address, and names events; raises SettingsError."""

    def __init__(self, options: ShopOptions, customers_by: CustomersBy = "id", customer_prefix: str = "") -> None:
        if customers_by == "address" and options.address_key_file is None:
            raise SettingsError('customers_by = "address" needs an address_key_file')
        self._options = options
        self._by_address = customers_by == "address"
        self._prefix = customer_prefix
        self._addresses = AddressIds(options.address_key_file)

    def named(self, *parts: object) -> CustomerEvents:
        """Return what makes one event, with an id made of *parts*: of what happened, never of the delivery."""
        name = "/".join(map(str, parts))
        new_id: Callable[[], str] = lambda: name  # noqa: E731  # with its type
        return CustomerEvents(EventFactory(self._options.source_name, tenant=self._options.tenant, new_id=new_id))

    def customer(self, account: object = None, address: str | None = None) -> str | None:
        """Return the id of who has this account, or is a guest with this address; None of who cannot be known."""
        if account is None or self._by_address:
            return self._addresses.of(address)
        return f"{self._prefix}{account}"

    def all_ids(self, account: object, address: str | None) -> list[str]:
        """Return every id of a person: with an account, and as a guest, who may have been here before there was one."""
        known = [self.customer(account, address), self.customer(address=address)]
        return [*dict.fromkeys(one for one in known if one is not None)]


def in_utc(at: datetime) -> datetime:
    """Return the instant in UTC; raises UnusablePart of one that has none."""
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the first and the last hours that there are
        raise UnusablePart("not_an_instant", "a time is out of all years") from None
