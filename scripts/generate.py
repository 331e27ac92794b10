"""Write every generated file; with `--check`, change nothing and say what is out of date (exit code 1)."""

import argparse
import sys
from pathlib import Path

from scripts import metrics_page, settings_table
from scripts.alerts.files import alert_files
from scripts.contract import contract_files
from scripts.dashboards.files import dashboard_files
from scripts.json_schemas import SCHEMAS

__all__ = ["ROOT", "generated", "main", "out_of_date"]

ROOT = Path(__file__).parents[1]
DASHBOARDS = ROOT / "grafana" / "dashboards"


def generated() -> dict[Path, bytes]:
    """Return every generated file and what it must hold."""
    pages = {settings_table.OPERATIONS: settings_table.page(), ROOT / "docs" / "metrics.md": metrics_page.written()}
    return (
        contract_files() | dashboard_files() | {path: text.encode() for path, text in (pages | alert_files()).items()}
    )


def out_of_date(files: dict[Path, bytes]) -> list[Path]:
    """Return the files that differ, are missing, or belong to an event type or dashboard that is no more."""
    differing = [path for path, content in files.items() if not path.exists() or path.read_bytes() != content]
    written = [*SCHEMAS.glob("*.json"), *DASHBOARDS.glob("*/*.json")]
    return differing + [path for path in written if path not in files]


def main(arguments: list[str]) -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, name what is out of date")
    check = parser.parse_args(arguments).check
    files = generated()
    stale = out_of_date(files)
    for path in stale:
        name = path.relative_to(ROOT)
        print(f"{name} is out of date: run `make generate`" if check else f"{name} written", file=sys.stderr)
        if not check:
            _bring_up_to_date(path, files)
    return 1 if check and stale else 0


def _bring_up_to_date(path: Path, files: dict[Path, bytes]) -> None:
    if path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
    else:
        path.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
