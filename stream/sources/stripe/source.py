"""Stripe as a source: a webhook that takes subscriptions, paid invoices and checkouts, and refunds."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from stream.core.cloudevents import Event
from stream.sdk.customers import AccountFields
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, TellJson, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.shops.money import money_of
from stream.sources.shops.shop import ShopNames, ShopOptions, SourceName
from stream.sources.source import Setup, Source, Webhook
from stream.sources.stripe.documents import (
    CheckoutSession,
    PaidInvoice,
    RefundedCharge,
    StripeCustomer,
    StripeEvent,
    StripeSubscription,
)
from stream.sources.stripe.signature import empty_stripe_request, is_signed_by_stripe

__all__ = ["SOURCE", "Options"]

T = TypeVar("T")

_THERE: Final = frozenset({"active", "trialing", "past_due"})
"""While a subscription has one of these statuses its customer is one; who is late to pay still is."""

_GONE: Final = frozenset({"canceled", "unpaid", "paused"})

_STATUSES: Final = _THERE | _GONE | {"incomplete", "incomplete_expired"}

_OF_NO_USE: Final = frozenset(
    {
        *("customer.created", "customer.updated", "customer.subscription.trial_will_end"),
        *("customer.subscription.pending_update_applied", "customer.subscription.pending_update_expired"),
        # Each of them is told by `invoice.paid`, a checkout, or `charge.refunded`, too, or is no money yet.
        *("invoice.payment_succeeded", "invoice.created", "invoice.updated", "invoice.finalized", "invoice.sent"),
        *("invoice.upcoming", "invoice.payment_failed", "invoice.payment_action_required", "invoice.voided"),
        *("invoice.marked_uncollectible", "invoice.deleted", "invoice_payment.paid", "checkout.session.expired"),
        *("checkout.session.async_payment_failed", "charge.succeeded", "charge.updated", "charge.failed"),
        *("charge.pending", "charge.captured", "charge.refund.updated", "refund.created", "refund.updated"),
        *("payment_intent.created", "payment_intent.succeeded", "payment_intent.payment_failed"),
        *("payment_intent.processing", "payment_intent.requires_action", "payment_intent.canceled"),
        *("payment_method.attached", "payment_method.detached", "setup_intent.created", "setup_intent.succeeded"),
    }
)


class Options(ShopOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of an account at Stripe."""

    source_name: SourceName = "/stripe"
    test_mode: Annotated[bool, Meta(description="Whether what happens in test mode counts as all else does.")] = False
    tolerance_seconds: Annotated[int, Meta(ge=1, le=86_400, description="How old a signed request may be.")] = 300


class _StripeEvents:
    """Makes the events of each kind."""

    def __init__(self, options: Options) -> None:
        self._names = ShopNames(options)
        self._test_mode = options.test_mode

    def telling(self, tell: Callable[[StripeEvent, T], Iterator[Event]], kind: type[T]) -> TellJson:
        """Return what tells events about an object of this *kind*."""

        def told(document: JsonDocument) -> Iterator[Event]:
            event = msgspec.convert(document.content, StripeEvent)
            if event.livemode or self._test_mode:
                yield from tell(event, msgspec.convert(event.data.object, kind))

        return told

    def subscription_created(self, event: StripeEvent, told: StripeSubscription) -> Iterator[Event]:
        """Somebody subscribed; who has not paid yet, but has to, is no customer before that."""
        if _is_there(told):
            yield self._names.named(event.id, "joined").joined(told.customer, at=event.terms_at, **_account(told))

    def subscription_updated(self, event: StripeEvent, told: StripeSubscription) -> Iterator[Event]:
        """A subscription is another one now: from then on the customer has all that it tells."""
        was = event.data.previous_attributes.status or told.status
        if told.status in _GONE:
            yield self._names.named(event.id, "left").left(told.customer, at=event.at)
        elif not _is_there(told):
            return
        elif was in _THERE:
            yield self._names.named(event.id, "changed").changed(told.customer, at=event.terms_at, **_account(told))
        else:
            yield self._names.named(event.id, "joined").joined(told.customer, at=event.terms_at, **_account(told))

    def subscription_deleted(self, event: StripeEvent, told: StripeSubscription) -> Iterator[Event]:
        """A subscription ended, which may be long after it was cancelled."""
        yield self._names.named(event.id, "left").left(told.customer, at=told.ended or event.at)

    def customer_deleted(self, event: StripeEvent, told: StripeCustomer) -> Iterator[Event]:
        """The customer is known no more, and so has no subscription any more."""
        yield self._names.named(event.id, "left").left(told.id, at=event.at)

    def invoice_paid(self, event: StripeEvent, told: PaidInvoice) -> Iterator[Event]:
        """Another period was paid, or anything else by an invoice; that of a trial is one of nothing."""
        customer = self._names.customer(told.customer, told.customer_email)
        if customer is not None and told.amount_paid:
            yield self._purchase(event, customer, told.id, told.amount_paid, told.currency)

    def checkout_paid(self, event: StripeEvent, told: CheckoutSession) -> Iterator[Event]:
        """Something was bought once; with an invoice, that is told by `invoice.paid`."""
        address = None if told.customer_details is None else told.customer_details.email
        customer = self._names.customer(told.customer, address)
        is_purchase = told.mode == "payment" and told.payment_status == "paid" and told.invoice is None
        if customer is not None and is_purchase and told.amount_total and told.currency:
            yield self._purchase(event, customer, told.id, told.amount_total, told.currency)

    def _purchase(self, event: StripeEvent, customer: str, order: str, units: int, currency: str) -> Event:
        iso = currency.upper()
        makes = self._names.named(order, "paid")
        return makes.purchased(customer, order, money_of(units, iso), currency=iso, at=event.at)

    def refunded(self, event: StripeEvent, told: RefundedCharge) -> Iterator[Event]:
        """Some of a charge was paid back: what had been before is told beside all of it."""
        address = None if told.billing_details is None else told.billing_details.email
        customer = self._names.customer(told.customer, address)
        paid_back = max(0, told.amount_refunded - event.data.previous_attributes.amount_refunded)
        if customer is not None and paid_back:
            currency = told.currency.upper()
            # Two refunds of one charge may have the same second, and the same amount.
            order = f"{told.id}/{told.amount_refunded}"
            makes = self._names.named(event.id, "refunded")
            yield makes.refunded(customer, order, money_of(paid_back, currency), currency=currency, at=event.at)


def _account(told: StripeSubscription) -> AccountFields:
    return AccountFields(plan=told.plan, monthly=told.monthly, currency=told.currency.upper())


def _is_there(told: StripeSubscription) -> bool:
    if told.status not in _STATUSES:
        raise UnusablePart("unknown_status", "the status of the subscription is not known")
    return told.status in _THERE


def stripe_webhook(options: Options, intake: Intake) -> Webhook:
    """Return the webhook; raises SettingsError."""
    makes, secrets = _StripeEvents(options), SecretLines(options.secret_file)
    tolerance = timedelta(seconds=options.tolerance_seconds)
    tell: dict[str, TellJson] = {
        "customer.subscription.created": makes.telling(makes.subscription_created, StripeSubscription),
        "customer.subscription.updated": makes.telling(makes.subscription_updated, StripeSubscription),
        "customer.subscription.paused": makes.telling(makes.subscription_updated, StripeSubscription),
        "customer.subscription.resumed": makes.telling(makes.subscription_created, StripeSubscription),
        "customer.subscription.deleted": makes.telling(makes.subscription_deleted, StripeSubscription),
        "customer.deleted": makes.telling(makes.customer_deleted, StripeCustomer),
        "invoice.paid": makes.telling(makes.invoice_paid, PaidInvoice),
        "checkout.session.completed": makes.telling(makes.checkout_paid, CheckoutSession),
        "checkout.session.async_payment_succeeded": makes.telling(makes.checkout_paid, CheckoutSession),
        "charge.refunded": makes.telling(makes.refunded, RefundedCharge),
    }
    return JsonWebhook(
        intake,
        verify=lambda request: is_signed_by_stripe(request, secrets, tolerance),
        documents=lambda request: json_documents(request, _kind_of),
        tell=tell,
        of_no_use=_OF_NO_USE,
    )


def _kind_of(document: dict[str, Any]) -> str:
    kind = document.get("type")
    return kind if isinstance(kind, str) else ""


SOURCE: Final = Source(
    name="stripe",
    about="Stripe's webhooks: subscriptions, paid invoices, checkouts, refunds.",
    options=Options,
    webhook=stripe_webhook,
    setup=Setup(
        secret_of_system=True,
        steps="""\
1. In Stripe: Developers, Webhooks, Add destination; events of your account, snapshot payloads, and those of the page.
   Endpoint URL: {url}
2. The signing secret, whsec_…, is the line of {secret_file}.
More, with the command to paste: docs/sources/stripe.md""",
        empty_request=lambda _, secret, url, at: empty_stripe_request(secret, url, at),
    ),
)
"""Its entry of the registry."""
