"""The commands as a person types them: what they print, and how they say what is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stream.cli import group
from tests.samples import sample

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def contact_stream(
    *arguments: str, stdin: bytes = b"", environ: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "stream", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, "COLUMNS": "140", **(environ or {})},
        cwd=cwd or ROOT,
        timeout=100,
        check=False,
    )
    return subprocess.CompletedProcess(run.args, run.returncode, run.stdout.decode(), run.stderr.decode())


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour of the small office, as the simulator writes it."""
    path = tmp_path_factory.mktemp("day") / "day.jsonl"
    run = contact_stream(
        "simulate", "--centre", "office", "--start", "2025-11-20T09:00:00Z", "--hours", "0.5", "--seed", "4"
    )
    assert run.returncode == 0, run.stderr
    path.write_text(run.stdout)
    return path


def test_help_names_every_command() -> None:
    run = contact_stream("--help")

    assert run.returncode == 0
    assert all(name in run.stdout for name in group.commands)


def test_a_command_that_runs_nothing_does_not_wait_for_the_import_of_what_runs() -> None:
    asked = "import sys, stream.cli; sys.exit('faust' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False).returncode == 0


def test_replay_prints_a_table_and_the_same_as_json(day: Path) -> None:
    table = contact_stream("replay", str(day), "--window", "all")
    rows = json.loads(contact_stream("replay", str(day), "--window", "all", "--json").stdout)["queues"]

    assert table.returncode == 0
    assert all(row["queue"] in table.stdout for row in rows)
    for row in rows:
        assert row["window"] == "all"
        assert (
            row["offered"] == row["answered"] + row["abandoned"] + row["dequeued"] + row["expired"] + row["open_cases"]
        )


def test_replay_at_an_instant_knows_nothing_of_what_comes_after(day: Path) -> None:
    def offered(*more: str) -> int:
        run = contact_stream("replay", str(day), "--json", "--window", "all", *more)
        return sum(row["offered"] for row in json.loads(run.stdout)["queues"])

    assert 0 < offered("--at", "2025-11-20T09:10:00Z") < offered()
    assert offered("--at", "09:10") == offered("--at", "2025-11-20T10:10:00+01:00")


def test_replay_shows_what_a_worker_would_and_over_all_of_a_record_also_what_has_been_silent_since() -> None:
    line = (
        b'{"specversion":"1.0","id":"1","source":"/p","type":"contact.answered","time":"2025-11-%02dT10:00:00Z",'
        b'"subject":"c%d","data":{"queue":"%b","wait_ms":0}}\n'
    )
    log = b"".join(line % (day, day, queue) for day, queue in [(3, b"once"), (3, b"weekly"), (10, b"weekly")])

    def answered(window: str) -> dict[str, int]:
        run = contact_stream("replay", "-", "--json", "--window", window, stdin=log)
        return {row["queue"]: row["answered"] for row in json.loads(run.stdout)["queues"]}

    assert answered("today") == {"weekly": 1}
    assert answered("all") == {"once": 1, "weekly": 2}


def test_replay_reads_standard_input(day: Path) -> None:
    piped = contact_stream("replay", "-", "--json", stdin=day.read_bytes())

    assert piped.stdout == contact_stream("replay", str(day), "--json").stdout


def test_replay_shows_the_same_by_any_key_of_customers_and_names_what_is_wrong_with_one(
    day: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "customer.keys"
    keys.write_text("0123456789abcdef" * 4)
    by_key = contact_stream("replay", str(day), "--json", "--customer-key-file", str(keys))
    keys.write_text("too short")
    refused = contact_stream("replay", str(day), "--customer-key-file", str(keys))

    assert by_key.stdout == contact_stream("replay", str(day), "--json").stdout
    assert refused.returncode == 1
    assert "CONTACT_STREAM_CUSTOMER_KEY_FILE" in refused.stderr
    assert "too short" not in refused.stderr


def test_where_there_is_no_sample_json_says_null_and_the_table_a_dash() -> None:
    blocked = b'{"specversion":"1.0","id":"1","source":"/p","type":"contact.enqueued","time":"2025-11-20T10:00:00Z",'
    blocked += b'"subject":"c","data":{"queue":"sales"}}\n'

    (row,) = json.loads(contact_stream("replay", "-", "--json", stdin=blocked).stdout)["queues"]
    table = contact_stream("replay", "-", stdin=blocked).stdout

    assert row["service_level"] is row["asa_seconds"] is row["abandonment_ratio"] is row["aht_seconds"] is None
    assert row["blocking_ratio"] == 0.0
    assert "–" in table


def test_bad_lines_are_named_by_place_never_by_content_and_the_rest_counts(day: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    lines = day.read_text().splitlines()
    mixed.write_text("\n".join([lines[0], "+38640123456 rang", *lines[1:], '{"id": 1}']))

    run = contact_stream("replay", str(mixed), "--json")

    assert json.loads(run.stdout) == json.loads(contact_stream("replay", str(day), "--json").stdout)
    assert f"{mixed}:2:" in run.stderr
    assert "2 lines were set aside" in run.stderr
    assert "38640123456" not in run.stdout + run.stderr


@pytest.mark.parametrize("at", [(), ("--at", "09:20")])
def test_an_event_of_2099_is_set_aside_and_the_board_stays_that_of_the_day(
    day: Path, tmp_path: Path, at: tuple[str, ...]
) -> None:
    first, *others = day.read_text().splitlines()
    absurd = json.dumps(json.loads(first) | {"id": "38640123456", "time": "2099-01-01T00:00:00Z"})
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text("\n".join([absurd, first, *others, absurd]))

    run = contact_stream("replay", str(mixed), "--json", *at)

    assert json.loads(run.stdout) == json.loads(contact_stream("replay", str(day), "--json", *at).stdout)
    assert json.loads(run.stdout)["queues"]
    assert run.stderr == "2 lines were set aside: 2 future\n"


def test_an_event_of_a_queue_log_of_2099_is_set_aside_too() -> None:
    log = b"1763629200|c1|q1|NONE|ENTERQUEUE||x|1\n4070908800|c2|q1|NONE|ENTERQUEUE||x|1\n"

    run = contact_stream("replay", "-", "--source", "asterisk-queue-log", "--json", stdin=log)

    (row,) = json.loads(run.stdout)["queues"]
    assert row["open_cases"] == 1
    assert run.stderr == "1 lines were set aside: 1 future\n"


def test_a_file_of_another_source_is_not_taken_for_an_empty_day(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text("1266833361|NONE|NONE|NONE|QUEUESTART|\n")

    run = contact_stream("replay", str(log))

    assert run.returncode == 1
    assert "--source" in run.stderr


def test_the_same_seed_gives_the_same_day_byte_for_byte() -> None:
    def play(seed: str) -> str:
        arguments = ("simulate", "--start", "2025-11-20T09:00:00Z", "--hours", "0.1", "--seed", seed)
        return contact_stream(*arguments, environ={"PYTHONHASHSEED": seed}).stdout

    assert play("1") == play("1")
    assert play("1") != play("2")


def test_days_of_cases_are_simulated_and_replayed(tmp_path: Path) -> None:
    (month := tmp_path / "month.jsonl").write_text(
        contact_stream(
            *("simulate", "--centre", "office", "--start", "2025-11-17T00:00:00Z", "--hours", "72", "--seed", "4")
        ).stdout
    )

    run = contact_stream("replay", str(month), "--window", "7d", "--json")

    rows = json.loads(run.stdout)["case_queues"]
    assert {(row["queue"], row["channel"]) for row in rows} >= {("service", "email"), ("orders", "task")}
    assert sum(row["opened"] for row in rows) > 50


def test_a_simulated_day_with_surveys_is_the_same_day_and_surveys() -> None:
    arguments = ("simulate", "--start", "2025-11-20T09:00:00Z", "--hours", "0.5", "--seed", "4")
    plain, asked = (contact_stream(*arguments, *more).stdout.splitlines() for more in ((), ("--surveys",)))

    assert [line for line in asked if '"survey.' not in line and '"quality.' not in line] == plain
    assert len(asked) > len(plain)


def test_with_customers_a_simulated_day_tells_of_them_first_and_then_whose_each_contact_is() -> None:
    arguments = ("simulate", "--centre", "office", "--start", "2025-11-20T09:00:00Z", "--hours", "0.5", "--seed", "4")
    plain, known = (contact_stream(*arguments, *more).stdout.splitlines() for more in ((), ("--customers",)))

    told = ('"type":"customer.', '"type":"cart.')
    assert len([line for line in known if not any(kind in line for kind in told)]) == len(plain)
    assert "customer.joined" in known[0]
    assert any('"customer":"' in line for line in known if "contact." in line)


def test_a_simulated_queue_log_is_replayed_like_a_real_one(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text(
        contact_stream(
            *("simulate", "--centre", "office", "--start", "2025-11-20T09:00:00Z", "--hours", "1"),
            *("--format", "asterisk-queue-log"),
        ).stdout
    )

    run = contact_stream("replay", str(log), "--source", "asterisk-queue-log", "--window", "all", "--json")

    assert re.match(r"^\d{10}\|", log.read_text())
    assert sum(row["answered"] for row in json.loads(run.stdout)["queues"]) > 10
    assert run.stderr == ""


def test_the_golden_numbers_of_a_real_log() -> None:
    log = sample("asterisk/queue_log_2010_freepbx.txt")

    run = contact_stream("replay", str(log), "--source", "asterisk-queue-log", "--window", "all", "--json")

    (row,) = json.loads(run.stdout)["queues"]
    assert (row["answered"], row["answered_in_target"], row["abandoned"]) == (8, 6, 12)
    assert (row["abandoned_in_target"], row["abandoned_short"], row["dequeued"]) == (8, 2, 0)
    assert (row["offered"], row["open_cases"], row["handled"]) == (21, 1, 7)
    levels = {name: round(level * 100, 2) for name, level in row["service_levels"].items()}
    assert levels == {"A": 75.0, "B": 30.0, "C": 33.33, "D": 50.0, "E": 70.0, "F": 40.0, "G": 33.33, "H": 70.0}
    assert (row["asa_seconds"], row["abandonment_ratio"]) == (17.875, 0.6)
    assert round(row["abandonment_excluding_short_ratio"] * 100, 2) == 55.56


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (("replay", "missing.jsonl"), {}, "missing.jsonl"),
        (("replay", "x", "--at", "noon"), {}, "noon is no time such as"),
        (("replay", "-"), {"CONTACT_STREAM_PARTITION": "3"}, "did you mean CONTACT_STREAM_PARTITIONS?"),
        (("replay", "-", "--policies", "none.toml"), {}, "none.toml"),
        (("produce", "x"), {}, "--broker host:port"),
        (("produce",), {}, "name the file to send once"),
        (("produce", "x", "--from", "x"), {}, "name the file to send once"),
        (("produce", "x", "--speed", "fast"), {}, "fast is no factor such as 1 or 60, nor max"),
        (("produce", "x", "--speed", "nan"), {}, "time does not run backwards"),
        (("produce", "x", "--follow", "--times", "now"), {}, "takes neither --speed nor --times"),
        (("produce", "-", "--speed", "60", "--broker", "127.0.0.1:1"), {}, "name one with --state"),
        (("produce", "no/such", "--speed", "60", "--broker", "127.0.0.1:1"), {}, "the position cannot be kept there"),
        (("topics",), {}, "CONTACT_STREAM_BROKER"),
        (("topics", "--broker", "127.0.0.1:1"), {}, "127.0.0.1:1"),
        (("worker", "--broker", "nowhere", "--port", "0"), {}, "CONTACT_STREAM_BROKER: expected host:port"),
        (("produce", "-", "--follow", "--broker", "127.0.0.1:1"), {}, "--follow needs a file"),
        (
            (
                "produce",
                "x",
                "--source",
                "asterisk-queue-log",
                "--follow",
                "--broker",
                "127.0.0.1:1",
                "--state",
                "no/such/state",
            ),
            {},
            "no/such/state: the position cannot be kept there",
        ),
        (
            (
                "produce",
                ".",
                "--source",
                "asterisk-queue-log",
                "--follow",
                "--broker",
                "127.0.0.1:1",
                "--state",
                "nothing.position",
            ),
            {},
            "the log cannot be read",
        ),
        (("schema", "contact.teleported"), {}, "contact.enqueued"),
        (("worker",), {"CONTACT_STREAM_LOG_LEVEL": "LOUD"}, "CONTACT_STREAM_LOG_LEVEL: must be one of DEBUG"),
    ],
)
def test_what_is_wrong_is_one_clear_sentence(arguments: tuple[str, ...], environ: dict[str, str], said: str) -> None:
    run = contact_stream(*arguments, environ=environ)

    assert run.returncode not in {0, None}
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_a_reader_that_has_seen_enough_causes_no_complaint() -> None:
    command = f"{sys.executable} -m stream simulate --hours 1 | head -1"
    run = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, cwd=ROOT, check=False)

    assert run.stderr == b""
    assert len(run.stdout.splitlines()) == 1


def test_the_schema_of_an_event_is_printed() -> None:
    document = json.loads(contact_stream("schema", "contact.answered").stdout)

    assert "contact.answered" in json.dumps(document)
    assert contact_stream("schema").stdout.split() == sorted(contact_stream("schema").stdout.split())
