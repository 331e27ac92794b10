"""Shopify as a source: a webhook that takes carts, checkouts, orders with their refunds, and customers who are gone."""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.sources.instants import instant_in
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.shopify.documents import Cart, Checkout, DeletedCustomer, Order, OrderRefund, RedactedCustomer
from stream.sources.shops.shop import CustomersBy, ShopNames, ShopOptions, SourceName, in_utc
from stream.sources.source import Received, Setup, Source, Webhook

__all__ = ["SOURCE", "Options"]

_SIGNED: Final = VerifyTable(method="hmac-sha256", header="X-Shopify-Hmac-Sha256", encoding="base64")
_TOPIC: Final = "x-shopify-topic"
_TRIGGERED: Final = "x-shopify-triggered-at"
_TEST: Final = "x-shopify-test"
_OF_TEST: Final = "test"
"""What is counted of requests that an administrator sends to try a webhook: what they tell is invented."""

_NEVER_PAID: Final = frozenset({"pending", "authorized", "expired", "voided"})
"""An order with this `financial_status` that is cancelled was never paid: there is nothing to pay back."""

_OF_NO_USE: Final = frozenset(
    {
        # Told by the order, which has all its refunds, and the customer too.
        *("refunds/create", "order_transactions/create", "orders/edited", "orders/fulfilled"),
        *("orders/partially_fulfilled", "orders/delete", "checkouts/delete", "draft_orders/create"),
        *("draft_orders/update", "draft_orders/delete"),
        # An account alone makes no customer: whoever buys is one.
        *("customers/create", "customers/update", "customers/enable", "customers/disable"),
        _OF_TEST,
        # What every app has to take.
        *("customers/data_request", "shop/redact", "shop/update", "app/uninstalled"),
    }
)


class Options(ShopOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a shop at Shopify."""

    source_name: SourceName = "/shopify"
    customers_by: CustomersBy = "id"
    test_orders: Annotated[bool, Meta(description="Whether orders of tests count as others do.")] = False


class _ShopifyEvents:
    """Makes the events of each topic."""

    def __init__(self, options: Options) -> None:
        self._shop = ShopNames(options, options.customers_by)
        self._test_orders = options.test_orders

    def cart_created(self, document: JsonDocument) -> Iterator[Event]:
        """Something was put into a cart that there was not before."""
        told = msgspec.convert(document.content, Cart)
        if not told.line_items:  # made for somebody who has put nothing into it, and may never do
            return
        makes = self._shop.named("cart", told.cart, "created")
        yield makes.cart_created(told.cart, at=in_utc(told.created_at), value=told.value, currency=told.currency)

    def cart_changed(self, document: JsonDocument) -> Iterator[Event]:
        """There is something else in the cart."""
        told = msgspec.convert(document.content, Cart)
        at = in_utc(told.updated_at)
        # Of one instant both values are told: the id says which.
        makes = self._shop.named("cart", told.cart, "changed", at.isoformat(), told.value)
        yield makes.cart_changed(told.cart, at=at, value=told.value, currency=told.currency)

    def checkout(self, document: JsonDocument) -> Iterator[Event]:
        """The customer is at the till: told again with all that changes there."""
        told = msgspec.convert(document.content, Checkout)
        at = in_utc(told.updated_at)
        yield self._shop.named("cart", told.cart, "checked_out").cart_checked_out(told.cart, at=in_utc(told.created_at))
        yield self._shop.named("checkout", told.token, "changed", at.isoformat(), told.value).cart_changed(
            told.cart,
            at=at,
            value=told.value,
            currency=told.paid_in if told.value is not None else None,
            customer=self._shop.customer(told.account, told.address),
        )

    def order_created(self, document: JsonDocument) -> Iterator[Event]:
        """An order was placed: the end of its cart, and a purchase."""
        told = msgspec.convert(document.content, Order)
        if told.cart is not None and self._counts(told):
            yield self._shop.named("order", told.id, "ordered").cart_ordered(
                told.cart,
                order=str(told.id),
                at=in_utc(told.processed_at or told.created_at),
                value=told.value,
                currency=told.currency,
                customer=self._shop.customer(told.account, told.address),
            )
        yield from self._order(told)

    def order(self, document: JsonDocument) -> Iterator[Event]:
        """How an order stands: the whole of it each time, so that one message that is lost does not matter."""
        yield from self._order(msgspec.convert(document.content, Order))

    def _order(self, told: Order) -> Iterator[Event]:
        customer = self._shop.customer(told.account, told.address)
        if customer is None or not self._counts(told):
            return
        at, order = in_utc(told.processed_at or told.created_at), str(told.id)
        makes = self._shop.named("order", order, "purchased")
        yield makes.purchased(customer, order, told.value, currency=told.currency, at=at)
        for refund in told.refunds:
            yield from self._refund(refund, told, customer)
        if told.cancelled_at is not None and told.financial_status in _NEVER_PAID:
            makes, at = self._shop.named("order", order, "cancelled"), in_utc(told.cancelled_at)
            yield makes.refunded(customer, order, told.value, currency=told.currency, at=at)

    def _refund(self, told: OrderRefund, order: Order, customer: str) -> Iterator[Event]:
        at = in_utc(told.processed_at or told.created_at)
        for paid in told.paid_back:
            amount, currency = order.in_shop_money(paid)
            makes = self._shop.named("order", order.id, "refund", told.id, paid.id)
            # Two refunds of one order may have the same second, and the same amount.
            yield makes.refunded(customer, f"{order.id}/{told.id}/{paid.id}", amount, currency=currency, at=at)

    def _counts(self, told: Order) -> bool:
        return self._test_orders or not told.test

    def customer_deleted(self, document: JsonDocument) -> Iterator[Event]:
        """The shop knows the customer no more."""
        customer = self._shop.customer(msgspec.convert(document.content, DeletedCustomer).id)
        if customer is not None:
            yield self._shop.named("customer", customer, "deleted").left(customer, at=document.at)

    def customer_redacted(self, document: JsonDocument) -> Iterator[Event]:
        """The customer is to be forgotten here, too."""
        told = msgspec.convert(document.content, RedactedCustomer).customer
        for customer in self._shop.all_ids(told.id, told.email):
            yield self._shop.named("customer", customer, "redacted").forgotten(customer, at=document.at)


def shopify_webhook(options: Options, intake: Intake) -> Webhook:
    """Return the webhook; raises SettingsError."""
    makes = _ShopifyEvents(options)
    tell: dict[str, Callable[[JsonDocument], Iterable[Event]]] = {
        "carts/create": makes.cart_created,
        "carts/update": makes.cart_changed,
        "checkouts/create": makes.checkout,
        "checkouts/update": makes.checkout,
        "orders/create": makes.order_created,
        "orders/updated": makes.order,
        "orders/paid": makes.order,
        "orders/cancelled": makes.order,
        "customers/delete": makes.customer_deleted,
        "customers/redact": makes.customer_redacted,
    }
    verify = verifier_of(_SIGNED, SecretLines(options.secret_file))
    return JsonWebhook(
        intake,
        verify=verify,
        documents=lambda request: _documents(request, test_orders=options.test_orders),
        tell=tell,
        of_no_use=_OF_NO_USE,
    )


def _documents(request: Received, *, test_orders: bool) -> Iterator[JsonDocument | UnusablePart]:
    """Yield what a request tells, of the topic that a header names; some topics tell no other time than a header."""
    is_left_out = request.headers.get(_TEST) == "true" and not test_orders
    topic = _OF_TEST if is_left_out else request.headers.get(_TOPIC, "")
    at = instant_in(request.headers.get(_TRIGGERED, "")) or request.at
    for document in json_documents(request, lambda _: topic):
        yield replace(document, at=at) if isinstance(document, JsonDocument) else document


SOURCE: Final = Source(
    name="shopify",
    about="Shopify's webhooks: carts, checkouts, orders and refunds.",
    options=Options,
    webhook=shopify_webhook,
    setup=Setup(
        secret_of_system=True,
        steps="""\
1. In Shopify: Settings, Notifications, Webhooks. "Your webhooks will be signed with" shows the line of {secret_file}.
2. Create webhook, for each event of the page, format JSON:
   URL: {url}
More: docs/sources/shopify.md""",
        empty_request=empty_request_by(_SIGNED),
    ),
)
"""Its entry of the registry."""
