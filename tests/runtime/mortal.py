"""A toy worker as a process of its own, which the kernel kills at a step of its n-th checkpoint.

python -m tests.runtime.mortal ADDRESS REAL NAME STEP N
"""

import asyncio
import logging
import os
import signal
import sys

from tests.brokers import Broker
from tests.runtime.cluster import Cluster


async def main(address: str, real: str, name: str, step: str, number: str) -> None:
    logging.disable(logging.CRITICAL)
    cluster = Cluster(Broker(address, real == "True"), name)
    left = int(number)

    async def die(reached: str) -> None:
        nonlocal left
        if reached == step:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    await cluster.new_worker(fault=die).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
