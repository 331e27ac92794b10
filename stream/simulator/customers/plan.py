"""What the customers of a simulated tenant are like: how many, where they come to us. Frozen, and checked when made."""

from typing import Final

from msgspec import Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel
from stream.simulator.times import require

__all__ = ["GROUPS", "SUBSCRIPTIONS", "TOPICS", "TOPIC_KNOWN", "ContactWay", "CustomerBase", "Subscription"]


class Subscription(Struct, frozen=True, kw_only=True):
    """A plan that customers subscribe to."""

    name: str
    monthly: float
    """What it costs in a month, in the currency of the policy."""
    chosen: float
    """The share of customers who choose it."""
    churn: float
    """The share of its customers who leave in a month."""


SUBSCRIPTIONS: Final = (
    Subscription(name="basic", monthly=9.90, chosen=0.5, churn=0.045),
    Subscription(name="plus", monthly=19.90, chosen=0.35, churn=0.030),
    Subscription(name="premium", monthly=49.90, chosen=0.15, churn=0.015),
)
"""From the cheapest to the dearest."""

GROUPS: Final = (("private", 0.8), ("business", 0.2))
"""Groups of customers, and the share of each."""

TOPICS: Final = ("billing", "delivery", "contract", "technical")
"""What contacts are about."""

TOPIC_KNOWN: Final = 0.7
"""The share of contacts of which somebody knows it."""


class ContactWay(Struct, frozen=True, kw_only=True):
    """A queue and channel through which customers come to us."""

    queue: str
    channel: Channel = "voice"
    usually: float
    """How large a part of their contacts comes through it, beside the other ways."""
    after_purchase: float
    """The same of the contacts that a purchase brings with it."""


class CustomerBase(Struct, frozen=True, kw_only=True):
    """The customers of one tenant."""

    tenant: str = DEFAULT_TENANT
    number: int
    """How many there are at first; it grows a little, since more join than leave."""
    ways: tuple[ContactWay, ...]

    def __post_init__(self) -> None:
        require(f"customers of {self.tenant}: there must be at least one", that=self.number >= 1)
        require(f"customers of {self.tenant}: they need a way to us", that=bool(self.ways))
