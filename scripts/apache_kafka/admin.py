"""An admin client for as long as it is needed; of any broker, whichever way it was started."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

__all__ = ["admin_of"]


@asynccontextmanager
async def admin_of(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Ask, or tell, a broker of its topics and settings."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
