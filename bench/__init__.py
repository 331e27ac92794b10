"""Benchmarks: programs that measure, and print what `bench/README.md` quotes."""

import logging

# A broker that has just started has no leaders and no coordinator for a moment; aiokafka tells so again and again.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
