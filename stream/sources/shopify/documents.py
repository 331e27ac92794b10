"""What Shopify posts: the fields that figures are made of, and no other."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from stream.core.cloudevents import Instant
from stream.families.customers.payloads import Currency
from stream.sources.shops.money import MoneyText, Quantity, money_in, money_sum
from stream.sources.shops.shop import ShopId

__all__ = ["Cart", "Checkout", "DeletedCustomer", "Order", "OrderRefund", "RedactedCustomer", "Transaction"]

_Token = Annotated[str, Meta(min_length=1, max_length=200)]


class _Amount(Struct, gc=False):
    amount: MoneyText
    currency_code: Currency


class _MoneySet(Struct):
    shop_money: _Amount
    presentment_money: _Amount | None = None
    """The same, as the customer saw it."""


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


class Checkout(_OfPerson, kw_only=True):
    """Of `checkouts/…`."""

    token: _Token
    created_at: Instant
    updated_at: Instant
    presentment_currency: Currency | None = None
    """In which the customer pays, and all amounts are told; `currency` is that of the shop."""

    @property
    def cart(self) -> str:
        """The cart; of what is bought at once, without one, the checkout."""
        return _without_key(self.cart_token or self.token)

    @property
    def paid_in(self) -> str | None:
        """The currency of what is to be paid."""
        return self.presentment_currency or self.currency

    @property
    def value(self) -> float | None:
        """What is to be paid; None where it is foreign money, and the cart has told its worth in the shop's."""
        is_foreign = self.paid_in != self.currency
        return None if is_foreign and self.cart_token else money_in(self.total_price)


class Transaction(Struct):
    """Of a refund, which may have several: one of them may be done while another still waits."""

    id: ShopId
    kind: str
    status: str
    amount: MoneyText
    currency: Currency | None = None
    """As the customer paid."""


class OrderRefund(Struct):
    """Of an order, which has all of them."""

    id: ShopId
    created_at: Instant
    processed_at: Instant | None = None
    transactions: list[Transaction] = []

    @property
    def paid_back(self) -> list[Transaction]:
        """What the customer has got by now."""
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
    total_price_set: _MoneySet | None = None

    @property
    def value(self) -> float:
        """What is to be paid, in the currency of the shop."""
        return money_in(self.total_price)

    def in_shop_money(self, paid: Transaction) -> tuple[float, str | None]:
        """Return what was paid back in the currency of the order, by the rate at which it was bought; else as it is."""
        total = self.total_price_set
        seen = None if total is None else total.presentment_money
        if total is None or seen is None or paid.currency in (None, self.currency) or not float(seen.amount):
            return money_in(paid.amount), paid.currency or self.currency
        if paid.currency != seen.currency_code:
            return money_in(paid.amount), paid.currency
        rate = Decimal(total.shop_money.amount) / Decimal(seen.amount)
        return round(float(Decimal(paid.amount) * rate), 2), total.shop_money.currency_code

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
    orders_to_redact: list[ShopId]
    """Not read, but no other document has them: the topic is not signed, and an order has a customer, too."""


def _without_key(token: str) -> str:
    # Where a browser shows a cart's token, a secret follows behind a question mark, which webhooks may or may not tell.
    return token.partition("?")[0] or token
