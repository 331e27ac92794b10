"""What Shopify posts: the fields that figures are made of, and no other."""

from typing import Annotated

from msgspec import Meta, Struct

from stream.core.cloudevents import Instant
from stream.families.customers.payloads import Currency
from stream.sources.shops.money import MoneyText, Quantity, money_in, money_sum
from stream.sources.shops.shop import ShopId

__all__ = ["Cart", "Checkout", "DeletedCustomer", "Order", "OrderRefund", "RedactedCustomer"]

_Token = Annotated[str, Meta(min_length=1, max_length=200)]


class _Amount(Struct, gc=False):
    amount: MoneyText
    currency_code: Currency


class _MoneySet(Struct):
    shop_money: _Amount


class _CartLine(Struct):
    price: MoneyText
    quantity: Quantity
    line_price: MoneyText | None = None
    """Of all of them, after discounts."""
    line_price_set: _MoneySet | None = None

    def worth(self) -> tuple[str, int]:
        if self.line_price_set is not None:
            return self.line_price_set.shop_money.amount, 1
        return (self.price, self.quantity) if self.line_price is None else (self.line_price, 1)


class Cart(Struct):
    """Of `carts/…`."""

    token: _Token
    created_at: Instant
    updated_at: Instant
    line_items: list[_CartLine]

    @property
    def cart(self) -> str:
        """What the cart is called, also by its checkout and order."""
        return _without_key(self.token)

    @property
    def value(self) -> float:
        """Of all that is in it."""
        return money_sum(line.worth() for line in self.line_items)

    @property
    def currency(self) -> str | None:
        """Of the shop; None where it is not told."""
        told = [line.line_price_set.shop_money.currency_code for line in self.line_items if line.line_price_set]
        return told[0] if told else None


class _Person(Struct):
    id: ShopId | None = None
    email: str | None = None


class _OfPerson(Struct, kw_only=True):
    cart_token: _Token | None = None
    customer: _Person | None = None
    email: str | None = None
    total_price: MoneyText
    currency: Currency | None = None

    @property
    def account(self) -> ShopId | None:
        """The id of its customer."""
        return None if self.customer is None else self.customer.id

    @property
    def address(self) -> str | None:
        """The address of its customer, which gets no further than `AddressIds`."""
        return self.email or (None if self.customer is None else self.customer.email)

    @property
    def value(self) -> float:
        """What is to be paid."""
        return money_in(self.total_price)


class Checkout(_OfPerson, kw_only=True):
    """Of `checkouts/…`."""

    token: _Token
    created_at: Instant
    updated_at: Instant

    @property
    def cart(self) -> str:
        """The cart; of what is bought at once, without one, the checkout."""
        return _without_key(self.cart_token or self.token)


class _Transaction(Struct):
    kind: str
    status: str
    amount: MoneyText
    currency: Currency | None = None


class OrderRefund(Struct):
    """Of an order, which has all of them."""

    id: ShopId
    created_at: Instant
    processed_at: Instant | None = None
    transactions: list[_Transaction] = []

    @property
    def value(self) -> float:
        """What was paid back by now."""
        return money_sum((one.amount, 1) for one in self._paid_back())

    @property
    def currency(self) -> str | None:
        """Of what was paid back."""
        return next((one.currency for one in self._paid_back()), None)

    def _paid_back(self) -> list[_Transaction]:
        return [one for one in self.transactions if one.kind == "refund" and one.status == "success"]


class Order(_OfPerson, kw_only=True):
    """Of `orders/…`."""

    id: ShopId
    created_at: Instant
    processed_at: Instant | None = None
    """When it was placed; of one that was imported long ago."""
    checkout_token: _Token | None = None
    test: bool = False
    financial_status: str | None = None
    cancelled_at: Instant | None = None
    refunds: list[OrderRefund] = []

    @property
    def cart(self) -> str | None:
        """The cart, as its checkout is called; None of an order that was made without."""
        token = self.cart_token or self.checkout_token
        return None if token is None else _without_key(token)


class DeletedCustomer(Struct):
    """Of `customers/delete`."""

    id: ShopId


class RedactedCustomer(Struct):
    """Of `customers/redact`: somebody wants to be forgotten."""

    customer: _Person


def _without_key(token: str) -> str:
    # Where a browser shows a cart's token, a secret follows behind a question mark, which webhooks may or may not tell.
    return token.partition("?")[0] or token
