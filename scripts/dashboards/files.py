"""The files of all dashboards, one set for each language, and how Grafana finds them."""

import json
from pathlib import Path

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.dashboards.cases import cases
from scripts.dashboards.customers import customers
from scripts.dashboards.frame import TAG, page_of
from scripts.dashboards.pipeline import pipeline
from scripts.dashboards.queue_detail import queue_detail
from scripts.dashboards.queues import queues
from scripts.dashboards.satisfaction import satisfaction
from scripts.dashboards.wallboard import shared_wallboard, wallboard
from stream.languages.words import LANGUAGES, Language, name_of

__all__ = ["GRAFANA", "dashboard_files", "dashboards_of", "encoded"]

GRAFANA = Path(__file__).parents[2] / "grafana"

MOUNTED = "/var/lib/grafana/dashboards"
"""Where docker-compose.yml puts `grafana/dashboards`."""


def dashboards_of(language: Language) -> dict[str, Dashboard]:
    """Return every dashboard of a language by the name of its file."""
    page, shared = page_of(language), page_of(language, variables=False)
    return {
        "wallboard": wallboard(page),
        "wallboard-shared": shared_wallboard(shared),
        "queues": queues(page),
        "queue-detail": queue_detail(page),
        "cases": cases(page),
        "satisfaction": satisfaction(page),
        "customers": customers(page),
        "pipeline": pipeline(page),
    }


def encoded(dashboard: Dashboard) -> str:
    """Return the JSON that Grafana reads."""
    tree = json.loads(json.dumps(dashboard, cls=JSONEncoder))
    for link in tree.get("links") or []:
        # The SDK knows one place for links only, behind a menu; without a place they stand where all see them.
        link.pop("placement", None)
    return json.dumps(tree, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def dashboard_files() -> dict[Path, bytes]:
    """Return every file by its path, and what it must hold."""
    files = {
        GRAFANA / "dashboards" / language / f"{name}.json": encoded(dashboard)
        for language in LANGUAGES
        for name, dashboard in dashboards_of(language).items()
    }
    files[GRAFANA / "provisioning" / "dashboards" / f"{TAG}.yaml"] = _provider()
    return {path: text.encode() for path, text in files.items()}


def _provider() -> str:
    folders = {language: f"{name_of(language)} · {TAG}" for language in LANGUAGES}
    providers = [
        {
            "name": f"{TAG}-{language}",
            "folder": folder,
            "folderUid": f"{TAG}-{language}",
            "type": "file",
            "disableDeletion": False,
            "allowUiUpdates": False,
            "options": {"path": f"{MOUNTED}/{language}"},
        }
        for language, folder in folders.items()
    ]
    text = yaml.safe_dump({"apiVersion": 1, "providers": providers}, allow_unicode=True, sort_keys=False)
    return f"# One folder for each language; written by `make generate`.\n{text}"
