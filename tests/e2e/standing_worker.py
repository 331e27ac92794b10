"""`contact-stream worker` as it is started in the world, but for its clock, which stands at the instant given.

python -m tests.e2e.standing_worker 2026-11-20T12:00:00+00:00
"""

import sys
from datetime import datetime

from stream.cli import main, services

__all__: list[str] = []

if __name__ == "__main__":
    at = datetime.fromisoformat(sys.argv.pop())
    # Gauges are functions of the instant of the scrape: workers agree with a replay only at the same one.
    services.now = lambda: at  # type: ignore[attr-defined]  # imported there
    sys.argv.append("worker")
    main()
