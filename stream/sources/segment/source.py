"""Segment as a source: a webhook that takes calls to track and identify, of Segment or of what speaks as it does."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from stream.core.cloudevents import Event
from stream.core.identity import opaque_id
from stream.sdk.customers import AccountFields, CartFields
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, TellJson, json_documents
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.segment.documents import (
    CartProperties,
    OrderProperties,
    RefundProperties,
    SegmentCall,
    SubscriptionProperties,
    UserDeletion,
)
from stream.sources.shops.shop import ShopNames, ShopOptions, SourceName, in_utc
from stream.sources.source import Setup, Source, Webhook

__all__ = ["SOURCE", "Options"]

T = TypeVar("T")

_SIGNED: Final = tuple(
    VerifyTable(method="hmac-sha1", header=header) for header in ("X-Signature", "X-Segment-Signature")
)
"""The second is of batches: under the first name Segment signs no more than the first call of one."""

_VISITS: Final = (
    *("identify", "page", "screen", "Signed In", "Application Opened", "Product Viewed", "Product Clicked"),
    *("Products Searched", "Product List Viewed", "Product List Filtered"),
)
_CHANGES: Final = (
    *("Product Added", "Product Removed", "Cart Viewed", "Checkout Step Viewed", "Checkout Step Completed"),
    *("Payment Info Entered", "Coupon Applied", "Coupon Removed"),
)
_OF_ONE_PRODUCT: Final = frozenset({"Product Added", "Product Removed"})
_JOINS: Final = ("Signed Up", "Subscription Created", "Subscription Started", "Subscription Reactivated")
_CHANGES_OF_PLAN: Final = ("Subscription Changed", "Subscription Updated", "Subscription Renewed")
_LEAVES: Final = (
    *("Subscription Cancelled", "Subscription Canceled", "Subscription Ended", "Subscription Expired"),
    "Account Deleted",
)

_OF_NO_USE: Final = frozenset(
    {
        *("group", "alias", "Signed Out", "Account Created", "Trial Started", "Trial Ended", "Invite Sent"),
        *("Account Added User", "Account Removed User", "Order Updated", "Order Cancelled", "Cart Shared"),
        *("Coupon Entered", "Coupon Denied", "Promotion Viewed", "Promotion Clicked", "Product Shared"),
        *("Product Reviewed", "Product Added to Wishlist", "Product Removed from Wishlist"),
        *("Wishlist Product Added to Cart", "Experiment Viewed", "Application Installed", "Application Updated"),
        *("Application Backgrounded", "Application Crashed", "Application Uninstalled", "Install Attributed"),
        *("Push Notification Received", "Push Notification Tapped", "Push Notification Bounced", "Deep Link Opened"),
        # The chat itself has a source: told by both, a conversation would be two.
        *("Live Chat Conversation Started", "Live Chat Conversation Ended"),
        *("Live Chat Message Sent", "Live Chat Message Received"),
    }
)


class Options(ShopOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a workspace of Segment."""

    source_name: SourceName = "/segment"
    carts_by: Annotated[
        Literal["order_id", "cart_id"],
        Meta(
            description="`order_id`: a cart begins at `Checkout Started`, which names the order. `cart_id`: it begins "
            "with its first product; then the site must add `cart_id` to `Checkout Started` and `Order Completed`."
        ),
    ] = "order_id"
    ignored_events: Annotated[
        tuple[str, ...], Meta(description="Names of events of your own, of which nothing is to be told.")
    ] = ()


class _SegmentEvents:
    """Makes the events of each kind of call."""

    def __init__(self, options: Options) -> None:
        self._names = ShopNames(options)
        self._by_cart = options.carts_by == "cart_id"

    def visit(self, document: JsonDocument) -> Iterator[Event]:
        """A customer was seen, and may be told to have another plan."""
        call = msgspec.convert(document.content, SegmentCall)
        customer = self._customer(call)
        yield from self._seen(call, customer)
        if customer is not None and call.plan is not None:
            yield self._names.named(call.message_id, "plan").changed(customer, plan=call.plan, at=call.at)

    def cart_changed(self, document: JsonDocument) -> Iterator[Event]:
        """Something was put into a cart, or out of it, or its customer looked at it."""
        call, told = _read(document, CartProperties)
        cart, customer = self._cart(told), self._customer(call)
        if cart is not None:
            content = _content(told, customer)
            if document.kind in _OF_ONE_PRODUCT:  # money there is what the product costs, not the cart
                content["value"] = None
            yield self._names.named(call.message_id, "cart").cart_changed(cart, at=call.at, **content)
        yield from self._seen(call, customer)

    def checkout_started(self, document: JsonDocument) -> Iterator[Event]:
        """A customer is at the till."""
        call, told = _read(document, CartProperties)
        cart, customer = self._cart(told), self._customer(call)
        if cart is not None:
            makes = self._names.named(call.message_id, "cart")
            yield makes.cart_checked_out(cart, at=call.at, **_content(told, customer))
        yield from self._seen(call, customer)

    def order_completed(self, document: JsonDocument) -> Iterator[Event]:
        """An order was placed: the end of its cart, and a purchase."""
        call, told = _read(document, OrderProperties)
        cart, customer, order = self._cart(told), self._customer(call), str(told.order_id)
        if cart is not None:
            makes = self._names.named(call.message_id, "cart")
            yield makes.cart_ordered(cart, order=order, at=call.at, **_content(told, customer))
        if customer is not None and told.worth is not None:
            makes = self._names.named(call.message_id, "purchased")
            yield makes.purchased(customer, order, told.worth, currency=told.currency, at=call.at)

    def order_refunded(self, document: JsonDocument) -> Iterator[Event]:
        """Some of an order was paid back."""
        call, told = _read(document, RefundProperties)
        customer = self._customer(call)
        if customer is not None:
            makes, order = self._names.named(call.message_id, "refunded"), f"{told.order_id}/{call.message_id}"
            yield makes.refunded(customer, order, float(told.total), currency=told.currency, at=call.at)

    def joined(self, document: JsonDocument) -> Iterator[Event]:
        """Somebody became a customer."""
        call, told = _read(document, SubscriptionProperties)
        customer = self._customer(call)
        if customer is not None:
            makes = self._names.named(call.message_id, "joined")
            yield makes.joined(customer, referred=told.is_referred, at=call.at, **_account(told))

    def changed(self, document: JsonDocument) -> Iterator[Event]:
        """A customer has another plan, or pays something else."""
        call, told = _read(document, SubscriptionProperties)
        customer = self._customer(call)
        if customer is not None:
            yield self._names.named(call.message_id, "changed").changed(customer, at=call.at, **_account(told))

    def left(self, document: JsonDocument) -> Iterator[Event]:
        """A customer is none any more."""
        call = msgspec.convert(document.content, SegmentCall)
        customer = self._customer(call)
        if customer is not None:
            yield self._names.named(call.message_id, "left").left(customer, at=call.at)

    def deleted(self, document: JsonDocument) -> Iterator[Event]:
        """Somebody has asked to be forgotten, everywhere."""
        told = msgspec.convert(document.content, UserDeletion)
        customer = self._customer_of(told.user_id, None)
        if customer is not None:
            at = document.at if told.timestamp is None else in_utc(told.timestamp)
            yield self._names.named("user", customer, "deleted").forgotten(customer, at=at)

    def _seen(self, call: SegmentCall, customer: str | None) -> Iterator[Event]:
        if customer is not None:
            yield self._names.named(call.message_id, "seen").active(customer, at=call.at)

    def _customer(self, call: SegmentCall) -> str | None:
        return self._customer_of(call.user_id, call.address)

    def _customer_of(self, user: str | int | None, address: str | None) -> str | None:
        # Sites that know nobody but by address or telephone have that as the id: it must get no further either.
        if isinstance(user, str) and opaque_id(user) is None:
            return self._names.customer(address=user if "@" in user else address)
        return self._names.customer(user, address)

    def _cart(self, told: CartProperties) -> str | None:
        found = told.cart_id if self._by_cart else told.order_id
        return None if found is None else str(found)


def _read(document: JsonDocument, kind: type[T]) -> tuple[SegmentCall, T]:
    call = msgspec.convert(document.content, SegmentCall)
    told = call.properties or {}
    if isinstance(currency := told.get("currency"), str):  # some sites write it as they write anything
        told = {**told, "currency": currency.upper()}
    return call, msgspec.convert(told, kind)


def _content(told: CartProperties, customer: str | None) -> CartFields:
    return CartFields(value=told.worth, currency=told.currency, customer=customer)


def _account(told: SubscriptionProperties) -> AccountFields:
    monthly = None if told.monthly is None else float(told.monthly)
    return AccountFields(plan=told.plan, monthly=monthly, currency=told.currency)


def segment_webhook(options: Options, intake: Intake) -> Webhook:
    """Return the webhook; raises SettingsError."""
    makes = _SegmentEvents(options)
    tell: dict[str, TellJson] = {
        **dict.fromkeys(_VISITS, makes.visit),
        **dict.fromkeys(_CHANGES, makes.cart_changed),
        "Checkout Started": makes.checkout_started,
        "Order Completed": makes.order_completed,
        "Order Refunded": makes.order_refunded,
        **dict.fromkeys(_JOINS, makes.joined),
        **dict.fromkeys(_CHANGES_OF_PLAN, makes.changed),
        **dict.fromkeys(_LEAVES, makes.left),
        "delete": makes.deleted,
    }
    secrets = SecretLines(options.secret_file)
    verifiers = [verifier_of(table, secrets) for table in _SIGNED]
    return JsonWebhook(
        intake,
        verify=lambda request: any(verify(request) for verify in verifiers),
        documents=lambda request: json_documents(request, _kind_of),
        tell=tell,
        of_no_use=_OF_NO_USE | {*options.ignored_events},
    )


def _kind_of(call: dict[str, Any]) -> str:
    kind = call.get("type", call.get("action"))
    if kind == "track":
        kind = call.get("event")
    return kind if isinstance(kind, str) else ""


SOURCE: Final = Source(
    name="segment",
    about="Calls as Segment's specification has them: carts, orders, subscriptions, visits.",
    options=Options,
    webhook=segment_webhook,
    setup=Setup(
        steps="""\
In Segment: Connections, Destinations, Webhooks.
   Webhook URL: {url}
   Shared Secret: the line of {secret_file}
More: docs/sources/segment.md""",
        empty_request=empty_request_by(_SIGNED[0]),
    ),
)
"""Its entry of the registry."""
