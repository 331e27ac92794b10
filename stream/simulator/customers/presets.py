"""Customers ready made: two thousand for the demo, some for the office."""

from stream.core.cloudevents import Channel
from stream.simulator.customers.plan import ContactWay, CustomerBase

__all__ = ["demo_customers", "office_customers"]


def demo_customers() -> tuple[CustomerBase, ...]:
    """
    Return the customers of two tenants, 2000 together: their history of 100 days has about 42,000 events.

    They come to queues that the demo has. Who has just bought something asks by chat most of all.
    """
    northwind = (
        _way("support", "voice", 0.35, 0.15),
        _way("sales", "voice", 0.15, 0.05),
        _way("support-chat", "chat", 0.2, 0.6),
        _way("support", "email", 0.3, 0.2),
    )
    fabrikam = (
        _way("claims", "voice", 0.5, 0.2),
        _way("claims-chat", "chat", 0.2, 0.6),
        _way("claims", "email", 0.3, 0.2),
    )
    return (
        CustomerBase(tenant="northwind", number=1400, ways=northwind),
        CustomerBase(tenant="fabrikam", number=600, ways=fabrikam),
    )


def office_customers() -> tuple[CustomerBase, ...]:
    """Return the 300 customers of a small office."""
    ways = (
        _way("service", "voice", 0.4, 0.2),
        _way("orders", "voice", 0.1, 0.1),
        _way("service-chat", "chat", 0.2, 0.5),
        _way("service", "email", 0.3, 0.2),
    )
    return (CustomerBase(number=300, ways=ways),)


def _way(queue: str, channel: Channel, usually: float, after_purchase: float) -> ContactWay:
    return ContactWay(queue=queue, channel=channel, usually=usually, after_purchase=after_purchase)
