"""An environment of its own for each peer, in `.cache/peers`: a venv of pinned packages, or jars from Maven Central."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "java_command", "python_of"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache" / "peers"


def python_of(peer: str) -> str:
    """Return the Python that has the packages of `<peer>/requirements.txt`, and install them where they are missing."""
    requirements = HERE / peer / "requirements.txt"
    home = _home(peer, requirements)
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        print(f"Installing {peer} ...", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(home))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements))
        (home / "complete").touch()
    return str(python)


def java_command(peer: str, main: str, *options: str) -> list[str]:
    """Return the command that runs the Java program of a peer, and have Maven build it where it has changed."""
    sources = HERE / peer
    home = _home(peer, *sorted(sources.glob("*.java")), sources / "pom.xml")
    if not (home / "complete").exists():
        print(f"Building {peer} ...", flush=True)
        maven = shutil.which("mvn")
        if maven is None:
            sys.exit("Maven builds the Kafka Streams peer, and is missing; on Debian: apt-get install maven")
        goals = ("package", "dependency:copy-dependencies")
        _run(maven, "-q", "-B", "-f", str(sources / "pom.xml"), f"-Dout={home}", *goals)
        (home / "complete").touch()
    return ["java", *options, "-cp", f"{home / 'classes'}:{home / 'dependency'}/*", main]


def _home(peer: str, *made_from: Path) -> Path:
    """A folder for what these files say: whatever changes is made anew, and nothing is mixed."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()[:12]
    return CACHE / f"{peer}-{digest}"


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
