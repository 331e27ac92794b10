"""
What decoding and folding cost beside another checkout, in instructions: `python -m bench.beside ../other`.

Instructions, counted by valgrind (a package of Debian), move by a thousandth from run to run, where times on a machine
that others share move by a third. The other checkout needs an environment of its own: `make install` there.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.judged import Judged
from bench.material import material
from bench.report import at_most, fact, table

__all__ = ["main"]

HERE = Path(__file__).parents[1]
EVENTS = 30_000
QUEUES = 200
PARTITIONS = 16
MOST = 1.03
"""So many times the instructions of the other checkout are a promise kept."""


def main() -> int:
    """Count, print, and judge."""
    arguments = argparse.ArgumentParser(prog="python -m bench.beside", description=__doc__)
    arguments.add_argument("checkout", type=Path, help="of an earlier commit, with an environment of its own")
    other = arguments.parse_args().checkout.resolve()
    if shutil.which("valgrind") is None:
        arguments.error("valgrind is missing; on Debian: apt-get install valgrind")
    if not _python_of(other).exists():
        arguments.error(f"{other} has no environment: run `make install` there")
    with tempfile.NamedTemporaryFile() as records:
        # By both from the same bytes: what the other checkout would simulate may differ.
        shares = material(EVENTS, QUEUES, PARTITIONS).by_partition
        lines = [b"%d\t%s\n" % (number, sent.value) for number, share in enumerate(shares) for sent in share]
        records.write(b"".join(lines))
        records.flush()
        found = _compared(_counted(HERE, records.name), _counted(other, records.name))
    print(table(found))
    return 0 if all(figure.held for figure in found) else 1


def _compared(ours: tuple[int, int], others: tuple[int, int]) -> list[Judged]:
    parts = ", ".join(
        f"{name} {one / 1e6:,.0f} for {other / 1e6:,.0f} M"
        for name, one, other in zip(("decode", "fold"), ours, others, strict=True)
    )
    return [
        at_most(
            f"instructions to decode and fold {EVENTS:,} events, here : there", sum(ours) / sum(others), MOST, "{:.3f}"
        ),
        fact("… parts", parts),
    ]


def _counted(checkout: Path, records: str) -> tuple[int, int]:
    """Return the instructions of decoding and of folding: those of a second pass, less those of one."""
    once, decoded_twice, folded_twice = (_run(checkout, records, *times) for times in ((1, 1), (2, 1), (1, 2)))
    return decoded_twice - once, folded_twice - once


def _run(checkout: Path, records: str, decodings: int, folds: int) -> int:
    command = [
        *("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"),
        *(str(_python_of(checkout)), str(HERE / "bench" / "fold_once.py"), records, str(decodings), str(folds)),
    ]
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(checkout)}
    run = subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, check=False)
    counted = re.search(r"I +refs: +([\d,]+)", run.stderr)
    if run.returncode or counted is None:
        raise SystemExit(f"{checkout}: {run.stderr[-2000:]}")
    return int(counted[1].replace(",", ""))


def _python_of(checkout: Path) -> Path:
    return checkout / ".venv" / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main())
