"""Customers and their carts: who comes again, who stays, what they are worth, and what they leave behind."""

from typing import Final

from stream.core.family import Family, FoldOptions
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.events import EVENTS
from stream.families.customers.figures import FIGURES
from stream.families.customers.fold import CustomersFold
from stream.families.customers.parts import CUSTOMER_WINDOWS
from stream.families.customers.rules import RULES
from stream.families.customers.shown import (
    CUSTOMER_COLUMNS,
    CUSTOMER_FACTS,
    CUSTOMER_NOW,
    CUSTOMER_SECTIONS,
    CUSTOMER_SHOWN_FACTS,
    customer_states,
    plans_before_queues,
)
from stream.families.customers.snapshot import CUSTOMERS, CustomersSnapshot
from stream.families.customers.tables import CART_ROWS, CUSTOMER_COUNTS, CUSTOMER_ROWS

__all__ = ["FAMILY"]


def _new_fold(options: FoldOptions) -> CustomersFold:
    return CustomersFold(
        options.policies,
        keys=options.customer_keys,
        max_queues_per_tenant=options.max_queues_per_tenant,
        max_queues=options.max_queues,
        max_customers=options.max_customers,
        keep_silent=options.keep_silent,
    )


FAMILY: Final[Family[CustomersSnapshot]] = Family(
    name="customers",
    summary="What customers did, what they pay, and what became of their carts.",
    rows="customers",
    keyed_by="`tenant/customer` in UTF-8, such as `acme/c-4711`, or `tenant/cart`: one partition knows all of it.",
    events=EVENTS,
    tables={"customer_counts": CUSTOMER_COUNTS, "customers": CUSTOMER_ROWS, "carts": CART_ROWS},
    new_fold=_new_fold,
    snapshot=CustomersSnapshot,
    counts=CustomerCounts,
    windows=CUSTOMER_WINDOWS,
    labels=CUSTOMERS,
    figures=FIGURES,
    columns=CUSTOMER_COLUMNS,
    now=CUSTOMER_NOW,
    sections=CUSTOMER_SECTIONS,
    facts=CUSTOMER_FACTS,
    shows=CUSTOMER_SHOWN_FACTS,
    state=customer_states,
    urgency=plans_before_queues,
    rules=RULES,
    # The customers of one plan are on many partitions, since their names decide where each is.
    parts=True,
    words="stream.families.customers",
)
