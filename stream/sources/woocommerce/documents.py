"""What WooCommerce posts: the fields that figures are made of, and no other."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta, Struct

from stream.families.customers.payloads import Currency
from stream.sources.instants import instant_in
from stream.sources.shops.money import Interval, MoneyText, money_in, months_in

__all__ = ["DeletedUser", "ShopOrder", "ShopSubscription"]

_Number = Annotated[int, Meta(ge=0)]
_Gmt = Annotated[datetime, Meta(tz=False)]
"""A time in UTC that does not say so: of each there is one of the shop's own clock beside it, which is not read."""

_FROM_CARTS: Final = frozenset({"checkout", "store-api"})
"""How an order was made that began as a cart; others are of staff, of an API, or of a subscription."""

_BOUGHT: Final = frozenset({"processing", "completed", "refunded"})
_AT_THE_TILL: Final = frozenset({"checkout-draft", "pending", "failed"})

_RUNNING: Final = frozenset({"active", "pending-cancel"})
_OVER: Final = frozenset({"cancelled", "expired"})

_LONGEST_PLAN: Final = 128


class _Billing(Struct, frozen=True):
    email: str | None = None


class _Refund(Struct):
    id: _Number
    total: Annotated[str, Meta(pattern=r"^-?[0-9]{1,10}(\.[0-9]{1,6})?\Z")]
    """Below zero."""

    @property
    def value(self) -> float:
        """What was paid back."""
        return money_in(self.total.removeprefix("-"))


class _Document(Struct, kw_only=True):
    id: _Number
    status: str
    currency: Currency
    total: MoneyText
    customer_id: _Number = 0
    billing: _Billing = _Billing()
    date_modified_gmt: _Gmt

    @property
    def account(self) -> int | None:
        """The number of its customer; None of a guest."""
        return self.customer_id or None

    @property
    def modified_at(self) -> datetime:
        """When it was last touched."""
        return self.date_modified_gmt.replace(tzinfo=UTC)


class ShopOrder(_Document, kw_only=True):
    """Of `order.…`: as it stands then."""

    created_via: str = ""
    date_created_gmt: _Gmt
    date_paid_gmt: _Gmt | None = None
    refunds: list[_Refund] = []

    @property
    def value(self) -> float:
        """What was to be paid; refunds do not change it."""
        return money_in(self.total)

    @property
    def created_at(self) -> datetime:
        """When it was made: with checkout blocks, when the customer came to the till."""
        return self.date_created_gmt.replace(tzinfo=UTC)

    @property
    def placed_at(self) -> datetime:
        """When it was paid; of one that is paid on delivery or by a transfer, when it was made."""
        return (self.date_paid_gmt or self.date_created_gmt).replace(tzinfo=UTC)

    @property
    def is_cart(self) -> bool:
        """Whether a customer put it together."""
        return self.created_via in _FROM_CARTS

    @property
    def is_at_the_till(self) -> bool:
        """Whether it waits for its customer."""
        return self.status in _AT_THE_TILL

    @property
    def is_bought(self) -> bool:
        """Whether somebody is bound to pay it, or did; a plugin may have a status of its own for that."""
        return self.status in _BOUGHT or self.date_paid_gmt is not None

    @property
    def is_placed(self) -> bool:
        """Whether its customer is done with it; what is on hold waits for the money."""
        return self.is_bought or self.status == "on-hold"


class _Item(Struct):
    name: str = ""
    sku: str | None = None


class ShopSubscription(_Document, kw_only=True):
    """Of `subscription.…`, which a plugin sends: as it stands then."""

    billing_period: Interval
    billing_interval: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,2}\Z")] | Annotated[int, Meta(ge=1, le=999)]
    start_date_gmt: _Gmt
    # Empty where there is none.
    trial_end_date_gmt: str = ""
    end_date_gmt: str = ""
    line_items: list[_Item] = []

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.start_date_gmt.replace(tzinfo=UTC)

    @property
    def ended_at(self) -> datetime:
        """When it ended; when it was touched, where that is not told."""
        return instant_in(f"{self.end_date_gmt}Z") or self.modified_at

    @property
    def monthly(self) -> float:
        """What is paid in a month, with taxes and shipping; nothing while it is tried."""
        tried_until = instant_in(f"{self.trial_end_date_gmt}Z")
        if tried_until is not None and tried_until > self.modified_at:
            return 0.0
        return round(float(Decimal(self.total) / months_in(self.billing_period, int(self.billing_interval))), 2)

    @property
    def plan(self) -> str | None:
        """What is subscribed to: the first of its products."""
        return next((name for one in self.line_items if (name := (one.sku or one.name)[:_LONGEST_PLAN])), None)

    @property
    def is_running(self) -> bool:
        """Whether it goes on, or was cancelled and goes on to the end of what is paid."""
        return self.status in _RUNNING

    @property
    def is_over(self) -> bool:
        """Whether it ended."""
        return self.status in _OVER


class DeletedUser(Struct, forbid_unknown_fields=True):
    """
    Of `customer.deleted`, which has nothing else.

    The topic is not signed, and an order has such an id, too: sent again under this topic it must delete nobody.
    """

    id: _Number
