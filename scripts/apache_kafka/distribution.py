"""Apache Kafka's own classes, from Maven Central into a cache: `pom.xml` names the version."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

__all__ = ["HERE", "JAVA_NEEDED", "KafkaUnavailable", "class_path", "java"]

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "apache-kafka"
JAVA_NEEDED = 17
"""Kafka 4 does not start on an older one."""


class KafkaUnavailable(Exception):
    """Apache Kafka cannot run on this machine; the message says what to install."""


def java() -> str:
    """Return the Java to run brokers with; raises KafkaUnavailable when there is none, or too old a one."""
    home = os.environ.get("JAVA_HOME")
    command = shutil.which("java", path=f"{home}/bin" if home else None)
    if command is None:
        raise KafkaUnavailable(
            f"Apache Kafka needs Java {JAVA_NEEDED}; on Debian: apt-get install default-jre-headless"
        )
    told = subprocess.run([command, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if found is None or int(found[1]) < JAVA_NEEDED:
        raise KafkaUnavailable(
            f"Apache Kafka needs Java {JAVA_NEEDED} or newer, and {command} says {told.splitlines()[:1]}; "
            f"on Debian: apt-get install default-jre-headless, or set JAVA_HOME"
        )
    return command


def class_path() -> str:
    """Return the class path of a broker, fetched by Maven where it is not in the cache; raises KafkaUnavailable."""
    pom = HERE / "pom.xml"
    # A new version in the pom is a new folder: nothing is mixed, and a half-filled folder is never used.
    jars = CACHE / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if not jars.is_dir():
        _fetch(pom, jars)
    return f"{HERE}{os.pathsep}{jars}/*"


def _fetch(pom: Path, jars: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable("Maven fetches Apache Kafka, and is missing; on Debian: apt-get install maven")
    filling = jars.with_name(f"{jars.name}.{os.getpid()}")
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={filling}"]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    if fetched.returncode:
        shutil.rmtree(filling, ignore_errors=True)
        raise KafkaUnavailable(f"Maven could not fetch Apache Kafka: {fetched.stdout.strip()[-1000:]}")
    try:
        filling.rename(jars)
    except OSError:  # another process was first
        shutil.rmtree(filling, ignore_errors=True)
