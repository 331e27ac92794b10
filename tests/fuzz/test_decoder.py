"""The fuzzer itself runs in every test run, for a while, from a fixed seed and good examples."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
RUNS = 40_000


def test_the_decoder_survives_the_fuzzer(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python: pip install atheris")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for example in EXAMPLES.glob("*.json"):
        (corpus / example.name).write_bytes(example.read_bytes())
    found = tmp_path / "found-"

    run = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("decoder.py")),
            *(f"-runs={RUNS}", "-seed=20261121", "-max_len=600", "-verbosity=0", f"-artifact_prefix={found}"),
            str(corpus),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-3000:]
