"""`make stack` says what is missing, and why something does not run."""

import sys
from pathlib import Path

import pytest

from scripts.stack.places import Places, PlacesError
from scripts.stack.program import Program, StackError
from scripts.stack.topology import Topology


def test_without_prometheus_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StackError, match="apt-get install prometheus prometheus-alertmanager"):
        Topology(tmp_path / "home")


def test_a_program_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    failing = Program([sys.executable, "-c", "raise SystemExit('no such topic')"], tmp_path / "log", environment={})

    with pytest.raises(StackError, match="no such topic"):
        failing.finish()


def test_a_program_that_ends_before_it_is_well_is_not_waited_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('port taken')"]
    ending = Program(command, tmp_path / "log", environment={}, address="http://127.0.0.1:1")
    ending.start()

    with pytest.raises(StackError, match="port taken"):
        ending.wait()


def test_paths_and_addresses_of_containers_become_those_of_this_machine() -> None:
    here = Places({"kafka:9092": ["127.0.0.1:7"]}, {"/prometheus": "/x/data", "/etc/prometheus": "/x/prometheus"})

    assert here.text("--config.file=/etc/prometheus/prometheus.yml") == "--config.file=/x/prometheus/prometheus.yml"
    assert here.text("--storage.tsdb.path=/prometheus") == "--storage.tsdb.path=/x/data"
    assert here.text("kafka:9092") == "127.0.0.1:7"


def test_one_address_cannot_stand_for_several() -> None:
    with pytest.raises(PlacesError, match="worker:9108 is 2 addresses"):
        Places({"worker:9108": ["127.0.0.1:1", "127.0.0.1:2"]}).text("http://worker:9108/")
