"""`docker-compose.yml` names only what exists, pins what it runs, and opens no port to the world."""

import re
from typing import Any

import pytest
import yaml

from stream.cli import group
from stream.settings import settings_from
from tests.house.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}

PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+")


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_one_version(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists(name: str) -> None:
    sources = [volume.split(":")[0] for volume in SERVICES[name].get("volumes", [])]

    assert [source for source in sources if source not in COMPOSE["volumes"] and not (ROOT / source).exists()] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_depends_on_services(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", [])) <= SERVICES.keys()


@pytest.mark.parametrize("name", OURS)
def test_environment_variables_are_settings(name: str) -> None:
    settings = settings_from(OURS[name]["environment"])

    assert settings.broker == "kafka:9092"


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_one_that_exists_with_options_that_exist(name: str) -> None:
    command, *arguments = OURS[name]["command"]

    group.commands[command].make_context(command, arguments)


def test_prometheus_scrapes_the_port_that_workers_serve() -> None:
    prometheus = yaml.safe_load((ROOT / "grafana/prometheus/prometheus.yml").read_text())
    (discovery,) = prometheus["scrape_configs"][0]["dns_sd_configs"]

    assert discovery["names"] == ["worker"]
    assert discovery["port"] == settings_from(OURS["worker"]["environment"]).http_port


def test_the_image_has_the_version_of_the_project() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()

    assert f'version = "{OURS["worker"]["image"].partition(":")[2]}"' in pyproject
