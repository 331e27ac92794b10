"""WooCommerce as a source: a webhook that takes orders, each as it stands, and customers who are gone."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from stream.core.cloudevents import Event
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.shops.shop import AFTER_LEAVING, CustomersBy, ShopNames, ShopOptions, SourceName
from stream.sources.source import Received, Reply, Setup, Source
from stream.sources.woocommerce.documents import DeletedUser, ShopOrder, ShopSubscription

__all__ = ["SOURCE", "Options", "WooCommerceWebhook"]

_SIGNED: Final = VerifyTable(method="hmac-sha256", header="X-WC-Webhook-Signature", encoding="base64")
_TOPIC: Final = "x-wc-webhook-topic"
_PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}\s*")
_TAKEN: Final = 204

_OF_SUBSCRIPTIONS: Final = ("subscription.created", "subscription.updated", "subscription.switched")
"""Of a plugin, WooCommerce Subscriptions."""

_OF_NO_USE: Final = frozenset(
    {
        "ping",
        # An account alone makes no customer: whoever buys is one.
        *("customer.created", "customer.updated"),
        # What was sold stays sold; orders are deleted when a shop tidies up.
        "order.deleted",
        *("product.created", "product.updated", "product.deleted", "product.restored"),
        *("coupon.created", "coupon.updated", "coupon.deleted", "coupon.restored"),
        # Of one that is thrown away before it ended nothing is told but its number.
        "subscription.deleted",
    }
)


class Options(ShopOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a shop with WooCommerce."""

    source_name: SourceName = "/woocommerce"
    customers_by: CustomersBy = "id"
    id_prefix: Annotated[
        str,
        Meta(
            max_length=60,
            description="Before the ids of customers and orders, which are small numbers: those of two shops, or of a "
            "help desk, must not be the same.",
        ),
    ] = "woocommerce/"


class _WooCommerceEvents:
    """Makes the events of each topic."""

    def __init__(self, options: Options) -> None:
        self._names = ShopNames(options, options.customers_by, options.id_prefix)
        self._prefix = options.id_prefix

    def order(self, document: JsonDocument) -> Iterator[Event]:
        """How an order stands: the whole of it each time, so that one message that is lost does not matter."""
        told = msgspec.convert(document.content, ShopOrder)
        order = f"{self._prefix}{told.id}"
        customer = self._names.customer(told.account, told.billing.email)
        if told.is_cart:
            yield from self._cart(told, order, customer)
        if customer is not None and told.is_bought:
            yield from self._purchase(told, order, customer)

    def _cart(self, told: ShopOrder, cart: str, customer: str | None) -> Iterator[Event]:
        """Tell how far the cart came that the order was: no earlier one is told anywhere."""
        if told.is_at_the_till or told.is_placed:
            makes = self._names.named("order", told.id, "checked_out")
            yield makes.cart_checked_out(cart, at=told.created_at)
        if told.is_placed:
            at, makes = told.placed_at, self._names.named("order", told.id, "ordered", told.placed_at.isoformat())
            # With the number of its order it would be a purchase, which it is not before it is paid.
            order = cart if told.is_bought else None
            yield makes.cart_ordered(
                cart, order=order, at=at, value=told.value, currency=told.currency, customer=customer
            )
        elif told.is_at_the_till:
            at = told.modified_at
            makes = self._names.named("order", told.id, "changed", at.isoformat(), told.value)
            yield makes.cart_changed(cart, at=at, value=told.value, currency=told.currency, customer=customer)

    def _purchase(self, told: ShopOrder, order: str, customer: str) -> Iterator[Event]:
        at, currency = told.placed_at, told.currency
        makes = self._names.named("order", told.id, "purchased", at.isoformat())
        yield makes.purchased(customer, order, told.value, currency=currency, at=at)
        for refund in told.refunds:
            # When it was is not told: any later time would be another one with each message, and count once more.
            makes = self._names.named("order", told.id, "refund", refund.id)
            yield makes.refunded(customer, f"{order}/{refund.id}", refund.value, currency=currency, at=told.created_at)

    def subscription(self, document: JsonDocument) -> Iterator[Event]:
        """How a subscription stands; of one that waits for its money there is nothing to tell."""
        told = msgspec.convert(document.content, ShopSubscription)
        customer = self._names.customer(told.account, told.billing.email)
        if customer is None:
            return
        if told.is_running:
            at, plan, monthly = told.modified_at + AFTER_LEAVING, told.plan, told.monthly
            began = told.started_at + AFTER_LEAVING
            yield self._names.named("subscription", told.id, "joined").joined(customer, at=began)
            makes = self._names.named("subscription", told.id, "changed", at.isoformat(), plan, monthly)
            yield makes.changed(customer, plan=plan, monthly=monthly, currency=told.currency, at=at)
        elif told.is_over:
            yield self._names.named("subscription", told.id, "left").left(customer, at=told.ended_at)

    def customer_deleted(self, document: JsonDocument) -> Iterator[Event]:
        """The shop knows the customer no more."""
        told = msgspec.convert(document.content, DeletedUser)
        customer = self._names.customer(told.id)
        if customer is not None:
            yield self._names.named("customer", told.id, "deleted").left(customer, at=document.at)


class WooCommerceWebhook(JsonWebhook):
    """Takes what is signed, and the ping, which is not: a shop that gets no 200 for it does not begin to send."""

    def __init__(self, options: Options, intake: Intake) -> None:
        makes = _WooCommerceEvents(options)
        super().__init__(
            intake,
            verify=verifier_of(_SIGNED, SecretLines(options.secret_file)),
            documents=_documents,
            tell={
                "order.created": makes.order,
                "order.updated": makes.order,
                "order.restored": makes.order,
                "customer.deleted": makes.customer_deleted,
                **dict.fromkeys(_OF_SUBSCRIPTIONS, makes.subscription),
            },
            of_no_use=_OF_NO_USE,
        )

    def verified(self, request: Received) -> bool:
        """Tell whether the request is signed, or is a ping: of that nothing is read."""
        return _is_ping(request) or super().verified(request)

    def reply(self, request: Received, status: int) -> Reply:
        """Return the answer: a ping that is answered with anything but 200 counts as failed."""
        return super().reply(request, 200 if status == _TAKEN else status)


def _is_ping(request: Received) -> bool:
    return _PING.fullmatch(request.body) is not None


def _documents(request: Received) -> Iterator[JsonDocument | UnusablePart]:
    """Yield what a request tells, of the topic that a header names."""
    if _is_ping(request):
        yield JsonDocument(kind="ping", content={}, at=request.at)
        return
    topic = request.headers.get(_TOPIC, "")
    yield from json_documents(request, lambda _: topic)


SOURCE: Final = Source(
    name="woocommerce",
    about="WooCommerce's webhooks: orders, their refunds, and subscriptions.",
    options=Options,
    webhook=WooCommerceWebhook,
    setup=Setup(
        steps="""\
In WordPress: WooCommerce, Settings, Advanced, Webhooks, Add webhook; for the topics of the page.
   Delivery URL: {url}
   Secret: the line of {secret_file}
   Status: Active
More, with commands to paste: docs/sources/woocommerce.md""",
        empty_request=empty_request_by(_SIGNED),
    ),
)
"""Its entry of the registry."""
