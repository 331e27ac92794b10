"""`docker-compose.yml` and the image say what is so: schema, versions, commands, settings, paths, ports, topics."""

import fnmatch
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.stack.compose import Service, services
from scripts.stack.places import Places, PlacesError
from scripts.stack.topology import NAMED_BY_PROMETHEUS
from stream.app.demo import DEMO_POLICIES
from stream.app.policy_file import load_policies, policies_of
from stream.cli import group
from stream.gateway.keys import KeyFile
from stream.settings import settings_from
from tests.house.tree import ROOT
from tests.monitoring import program

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
READ = services()
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
LONG_RUNNING = SERVICES.keys() - {"topics"}
WITH_A_PAGE = LONG_RUNNING - {"simulator"}

PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*")
ADDRESS = re.compile(r"(?<![\w.-])([a-z][\w-]*):(\d{4,5})\b")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "grafana/prometheus/prometheus.yml").read_text())

KAFKA = SERVICES["kafka"]["environment"]


def environment(name: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[name].get("environment", {})
    return found


def test_it_is_what_the_compose_specification_says() -> None:
    schema = json.loads((ROOT / "tests/house/data/compose-spec.schema.json").read_text())

    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_one_version(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


def test_no_port_of_this_machine_is_given_twice() -> None:
    ports = [service.port for service in READ.values() if service.port is not None]

    assert len(ports) == len(set(ports))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_as_little_as_it_needs(name: str) -> None:
    service = SERVICES[name]
    user, _, _ = service["user"].partition(":")

    assert int(user) > 0
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only") or name == "kafka", "the image of Kafka writes its settings beside its programs"
    assert set(service["deploy"]["resources"]["limits"]) == {"memory", "cpus"}
    assert service["restart"] == ("unless-stopped" if name in LONG_RUNNING else "no")
    assert set(service["networks"]) <= COMPOSE["networks"].keys()


@pytest.mark.parametrize("name", sorted(WITH_A_PAGE))
def test_a_health_check_asks_a_port_that_is_served(name: str) -> None:
    check = " ".join(SERVICES[name]["healthcheck"]["test"])
    (port,) = re.findall(r"127\.0\.0\.1[:/](\d+)", check)

    assert int(port) in ports_of(name)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists(name: str) -> None:
    mounts = READ[name].mounts

    assert [mount for mount in mounts if mount.is_volume and mount.source not in COMPOSE["volumes"]] == []
    assert [mount for mount in mounts if not mount.is_volume and not mount.path.exists()] == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_of_this_checkout_is_mounted_read_only(name: str) -> None:
    assert [one for one in SERVICES[name].get("volumes", []) if one.startswith("./") and not one.endswith(":ro")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_depends_on_services(name: str) -> None:
    for other, waits in SERVICES[name].get("depends_on", {}).items():
        finished = waits["condition"] == "service_completed_successfully"
        assert finished == (other not in LONG_RUNNING)


@pytest.mark.parametrize("name", SERVICES)
def test_an_address_is_that_of_a_service_in_the_same_network(name: str) -> None:
    said = yaml.safe_dump([SERVICES[name].get("command"), environment(name)])
    for host, port in ADDRESS.findall(said):
        if host not in SERVICES:
            assert host == "localhost"
            continue
        assert set(SERVICES[name]["networks"]) & set(SERVICES[host]["networks"]) or host == name
        assert int(port) in ports_of(host)


def ports_of(name: str) -> set[int]:
    """Return the ports on which a service can be reached from the others."""
    if name in OURS:
        settings = settings_from(environment(name))
        return {settings.gateway_port if name == "gateway" else settings.http_port}
    listeners = re.findall(r":(\d+)", KAFKA["KAFKA_LISTENERS"]) if name == "kafka" else [READ[name].inside]
    return {int(port) for port in listeners if port is not None}


# --- ours


@pytest.mark.parametrize("name", OURS)
def test_environment_variables_are_settings(name: str) -> None:
    settings = settings_from(OURS[name]["environment"])

    assert settings.broker == "kafka:9092"
    assert settings.http_port == READ["worker"].inside


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_one_that_exists_with_options_that_exist(name: str) -> None:
    command, *arguments = OURS[name]["command"]

    group.commands[command].make_context(command, arguments)


def test_topics_are_made_by_the_one_shot_with_the_settings_of_the_workers() -> None:
    assert OURS["topics"]["environment"] == OURS["worker"]["environment"]
    assert settings_from(OURS["worker"]["environment"]).create_topics is False
    assert KAFKA["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_more_workers_are_like_the_first_but_for_its_port_and_prometheus_finds_them_by_its_name() -> None:
    networks = {"events": {}, "figures": {"aliases": ["worker"]}}

    assert SERVICES["more-workers"] == SERVICES["worker"] | {"scale": 0, "ports": [], "networks": networks}
    assert networks.keys() == set(SERVICES["worker"]["networks"])


def test_the_policies_that_are_mounted_are_those_of_the_demo() -> None:
    (mount,) = READ["worker"].mounts

    assert mount.inside == environment("worker")["CONTACT_STREAM_POLICIES"]
    assert load_policies(mount.path) == policies_of(DEMO_POLICIES, "demo")


def test_a_worker_may_take_as_long_to_stop_as_it_gives_itself() -> None:
    from stream.cli.services import STOP_SECONDS

    assert int(OURS["worker"]["stop_grace_period"].removesuffix("s")) > STOP_SECONDS


# --- Kafka


def test_the_broker_is_the_version_that_the_tests_run_on() -> None:
    pom = (ROOT / "scripts/apache_kafka/pom.xml").read_text()

    assert f"<version>{SERVICES['kafka']['image'].partition(':')[2]}</version>" in pom


def test_the_broker_advertises_where_it_listens() -> None:
    listeners = dict(re.findall(r"(\w+)://[\w.]*:(\d+)", KAFKA["KAFKA_LISTENERS"]))
    advertised = re.findall(r"(\w+)://([\w.]+):(\d+)", KAFKA["KAFKA_ADVERTISED_LISTENERS"])
    protocols = dict(pair.split(":") for pair in KAFKA["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))

    assert [(name, host) for name, host, port in advertised if listeners[name] != port] == []
    assert {host for _, host, _ in advertised} == {"kafka", "localhost"}
    assert protocols.keys() == listeners.keys()
    assert KAFKA["KAFKA_INTER_BROKER_LISTENER_NAME"] in listeners
    assert KAFKA["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"1@kafka:{listeners['CONTROLLER']}"
    assert int(listeners["HOST"]) == READ["kafka"].port
    assert KAFKA["KAFKA_LOG_DIRS"] in {mount.inside for mount in READ["kafka"].mounts}


# --- Prometheus, Alertmanager, Grafana


@pytest.mark.parametrize(
    ("tool", "service"), [("promtool check config", "prometheus"), ("amtool check-config", "alertmanager")]
)
def test_a_configuration_that_is_mounted_is_one_that_its_program_reads(tool: str, service: str) -> None:
    (flag,) = (option for option in READ[service].command if option.startswith("--config.file="))
    command, *arguments = tool.split()
    file = on_this_machine(READ[service], flag.partition("=")[2])

    checked = subprocess.run([program(command), *arguments, str(file)], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "WARN" not in checked.stdout.upper()


def on_this_machine(service: Service, inside: str) -> Path:
    """Return what a container sees as *inside*."""
    (mount,) = (one for one in service.mounts if not one.is_volume and PurePosixPath(inside).is_relative_to(one.inside))
    return mount.path / PurePosixPath(inside).relative_to(mount.inside)


def test_data_that_should_last_lie_in_volumes() -> None:
    folders = {
        "prometheus": "--storage.tsdb.path=",
        "alertmanager": "--storage.path=",
    }
    for name, flag in folders.items():
        (folder,) = (option.removeprefix(flag) for option in READ[name].command if option.startswith(flag))
        assert folder in {mount.inside for mount in READ[name].mounts if mount.is_volume}


def test_prometheus_scrapes_the_port_that_workers_serve() -> None:
    (discovery,) = PROMETHEUS["scrape_configs"][0]["dns_sd_configs"]

    assert discovery["names"] == ["worker"]
    assert set(SERVICES["prometheus"]["networks"]) <= set(SERVICES["worker"]["networks"])
    assert discovery["port"] == settings_from(OURS["worker"]["environment"]).http_port


def test_addresses_in_configurations_are_those_of_services() -> None:
    grafana = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    for host, port in ADDRESS.findall(yaml.safe_dump([PROMETHEUS, grafana["datasources"]])):
        assert int(port) in (ports_of(host) if host in SERVICES else {9090, 3000})
        assert host in {*SERVICES, "localhost"}
        assert host == "localhost" or "figures" in SERVICES[host]["networks"]


def test_grafana_asks_as_often_as_prometheus_scrapes() -> None:
    (source,) = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]

    assert source["jsonData"]["timeInterval"] == PROMETHEUS["global"]["scrape_interval"]


def test_secrets_that_alertmanager_reads_are_given_to_it() -> None:
    written = (ROOT / "grafana/alertmanager/alertmanager.yml").read_text()

    assert set(re.findall(r"/run/secrets/([\w-]+)", written)) == set(SERVICES["alertmanager"]["secrets"])
    assert {*SERVICES["alertmanager"]["secrets"], *SERVICES["gateway"]["secrets"]} == COMPOSE["secrets"].keys()


def test_keys_that_the_gateway_reads_are_given_to_it_and_open_nothing() -> None:
    read = settings_from(environment("gateway")).gateway_keys
    assert read is not None
    assert [read.parent.as_posix(), read.name] == ["/run/secrets", *SERVICES["gateway"]["secrets"]]
    # As the example is mounted: the gateway starts with it.
    assert KeyFile(ROOT / "grafana/secrets.example/gateway-keys").source_of("nobody.") is None


@pytest.mark.parametrize("name", COMPOSE["secrets"])
def test_a_secret_is_a_file_that_has_an_example(name: str) -> None:
    variable, default = re.fullmatch(r"\$\{(\w+):-\./([\w./-]+)\}/.*", COMPOSE["secrets"][name]["file"]).groups()  # type: ignore[union-attr]  # None fails the test

    assert variable == ("GATEWAY_SECRETS" if name in SERVICES["gateway"]["secrets"] else "ALERT_SECRETS")
    assert COMPOSE["secrets"][name]["file"].endswith(f"/{name}")
    assert (ROOT / default / name).is_file()


def test_grafana_finds_its_dashboards_where_they_are_mounted() -> None:
    provisioned = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/contact-stream.yaml").read_text())
    paths = [provider["options"]["path"] for provider in provisioned["providers"]]

    assert [path for path in paths if not any(on_this_machine(READ["grafana"], path).glob("*.json"))] == []
    home = on_this_machine(READ["grafana"], environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert "wallboard" in json.loads(home.read_text())["uid"]


def test_grafana_is_given_what_it_provisions_but_alerts_that_alertmanager_tells() -> None:
    mounted = {
        mount.inside.rpartition("/")[2]: mount.source
        for mount in READ["grafana"].mounts
        if "provisioning" in mount.inside
    }

    assert mounted == {kind: f"./grafana/provisioning/{kind}" for kind in ("datasources", "dashboards")}


def test_the_password_of_grafana_is_a_file_in_its_volume() -> None:
    file = PurePosixPath(environment("grafana")["GF_SECURITY_ADMIN_PASSWORD__FILE"])

    assert str(file.parent) in {mount.inside for mount in READ["grafana"].mounts if mount.is_volume}
    assert not any("PASSWORD" in name for service in SERVICES for name in environment(service) if "__FILE" not in name)


# --- what is started without Docker


def places(workers: int = 2) -> Places:
    found = {name: [f"127.0.0.1:{number}"] for number, name in enumerate(sorted(NAMED_BY_PROMETHEUS), 1)}
    return Places(found | {"worker:9108": [f"127.0.0.1:{7000 + number}" for number in range(workers)]})


def test_without_docker_prometheus_scrapes_every_worker_of_this_machine() -> None:
    here = places().configuration(PROMETHEUS, expected=NAMED_BY_PROMETHEUS)

    assert here["scrape_configs"][0] == {
        "job_name": "contact-stream",
        "static_configs": [{"targets": ["127.0.0.1:7000", "127.0.0.1:7001"]}],
    }
    assert "dns_sd_configs" not in json.dumps(here)


def test_a_configuration_that_names_a_service_no_more_is_refused() -> None:
    changed = PROMETHEUS | {"alerting": {}, "scrape_configs": PROMETHEUS["scrape_configs"][:2]}

    with pytest.raises(PlacesError, match="expected"):
        places().configuration(changed, expected=NAMED_BY_PROMETHEUS)


def test_a_configuration_that_names_another_port_is_refused() -> None:
    with pytest.raises(PlacesError, match="worker:9999 is no address"):
        places().configuration({"targets": ["worker:9999"]}, expected=NAMED_BY_PROMETHEUS)


# --- the image


def test_the_image_has_the_version_of_the_project() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()

    assert f'version = "{OURS["worker"]["image"].partition(":")[2]}"' in pyproject


def copied() -> Iterator[str]:
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        yield from sources.split()


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}

    assert ignored[0] == "*"
    assert [source for source in copied() if not (ROOT / source).exists() or source not in let_in] == []
    assert not any(fnmatch.fnmatch("stream/cli/__init__.py", line) for line in ignored[1:])


def test_the_image_is_given_all_that_a_wheel_is_made_of() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert {"pyproject.toml", "constraints.txt", project["project"]["readme"], *packages} <= set(copied())


def test_the_image_runs_the_console_script_as_nobody_in_particular() -> None:
    uid = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)

    assert uid == [SERVICES["worker"]["user"].partition(":")[0]]
    assert 'ENTRYPOINT ["contact-stream"]' in DOCKERFILE
    assert 'contact-stream = "stream.cli:main"' in (ROOT / "pyproject.toml").read_text()
    (command,) = re.findall(r'^CMD \["([\w-]+)"\]$', DOCKERFILE, re.MULTILINE)
    assert command in group.commands
    assert re.findall(r"^STOPSIGNAL (\w+)$", DOCKERFILE, re.MULTILINE) == ["SIGTERM"]
    assert len(set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))) == 1
    assert PINNED.fullmatch(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)[0])


def test_the_image_serves_and_asks_the_port_of_the_workers() -> None:
    port = str(READ["worker"].inside)

    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE) == [port]
    assert f"http://127.0.0.1:{port}/healthz" in DOCKERFILE
