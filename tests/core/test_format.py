import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.board import files
from stream.core import format as written
from stream.core.format import (
    NO_SAMPLE,
    amount,
    change,
    count,
    duration,
    elapsed,
    level,
    limit,
    printable,
    rate,
    score,
    share,
)

FORMAT_JS = Path(files.__file__).parent / "static" / "format.js"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, NO_SAMPLE),
        (0, "0:00"),
        (41.9, "0:41"),
        (59.999, "0:59"),
        (60, "1:00"),
        (725, "12:05"),
        (3599, "59:59"),
        (3600, "1 h 00"),
        (3725, "1 h 02"),
        (86_400, "1 d 00 h"),
        (183_600, "2 d 03 h"),
        (-3, "0:00"),
    ],
)
def test_a_wait_shows_the_seconds_that_have_passed(seconds: float | None, text: str) -> None:
    assert elapsed(seconds) == text


def test_a_mean_is_rounded_to_the_nearest_second() -> None:
    assert [duration(17.49), duration(17.5), duration(None)] == ["0:17", "0:18", NO_SAMPLE]


def test_a_threshold_is_written_as_people_name_it() -> None:
    assert [limit(20), limit(90), limit(120), limit(3600)] == ["20 s", "90 s", "2:00", "1 h 00"]


@given(st.floats(0, 1), st.integers(0, 100))
def test_a_missed_target_never_reads_as_kept(ratio: float, target: int) -> None:
    if ratio < target / 100 - 1e-9:
        assert int(level(ratio).removesuffix(" %")) < target


@given(st.integers(0, 100))
def test_whole_percents_read_as_themselves(percent: int) -> None:
    assert level(percent / 100) == f"{percent} %"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, NO_SAMPLE),
        (0, "0 %"),
        (0.00001, "0.1 %"),
        (0.0226, "2.3 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.174, "17 %"),
        (1, "100 %"),
    ],
)
def test_only_nothing_at_all_is_zero_percent(ratio: float | None, text: str) -> None:
    assert share(ratio) == text


def test_a_score_has_one_decimal_and_is_rounded_half_up() -> None:
    assert [*map(score, (4.25, 4.249, 0, -33.35, 100, None))] == ["4.3", "4.2", "0.0", "-33.3", "100.0", NO_SAMPLE]


def test_a_rate_has_two_decimals_and_is_rounded_half_up() -> None:
    assert [*map(rate, (0.125, 0.1249, 0, 2, None))] == ["0.13", "0.12", "0.00", "2.00", NO_SAMPLE]


def test_a_difference_says_its_direction_and_its_margin_of_error() -> None:
    assert [*map(change, ((0.306, 0.12), (-0.5, 0.04), None))] == ["+0.31 ± 0.12", "\u22120.50 ± 0.04", NO_SAMPLE]
    assert change((0, 0)) == "0.00 ± 0.00"


def test_a_difference_has_as_many_decimals_as_it_takes_to_be_one() -> None:
    told = ((-0.0049, 0.0043), (0.0049, 0.0021), (2, 0.00096), (-1e-9, 1e-9))
    assert [*map(change, told)] == [
        *("\u22120.005 ± 0.004", "+0.005 ± 0.002", "+2.0000 ± 0.0010", "\u22120.000000 ± 0.000000")
    ]


def test_an_amount_is_whole_and_names_its_currency_where_one_is_told() -> None:
    assert [amount(1234.5, "EUR"), amount(-0.4, "USD"), amount(99.4), amount(None, "EUR")] == [
        *("1\u2009235 EUR", "0 USD", "99", NO_SAMPLE)
    ]


def test_thousands_stand_apart() -> None:
    assert [count(999), count(1000), count(1_234_567), count(None)] == [
        "999",
        "1\u2009000",
        "1\u2009234\u2009567",
        NO_SAMPLE,
    ]


@pytest.mark.parametrize(
    "steering",
    [
        "\x1b[2J",
        "\x9b2J",
        "\n",
        "\r",
        "\x00",
        "\x7f",
        "\u202e",
        "\u2066",
        "\u200b",
        "\u2028",
        "\u2029",
        "\ue000",
        "\ud800",
    ],
    ids=ascii,
)
def test_what_could_steer_a_terminal_is_replaced(steering: str) -> None:
    assert printable(f"sales{steering}") == "sales\ufffd" + steering[1:]


def test_a_moment_is_a_day_of_the_week_and_a_time_of_this_machine() -> None:
    monday = datetime(2026, 11, 30, 8, 5).astimezone()  # local, as the machine has it

    assert written.moment(monday.astimezone(UTC)) == "Mon 08:05"
    assert written.moment(None) == "–"


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp"))))
def test_a_name_in_any_script_is_left_as_it_is(name: str) -> None:
    assert printable(name) == name


SECONDS = [None, 0, 0.4, 0.5, 0.999, 20, 41.5, 59.4999, 59.5, 119.9, 120, 3599.5, 3600, 86399.6, 90061.2, 1e7, -1]
RATIOS = [None, 0, 1, *(number / 997 for number in range(0, 998, 7)), *(number / 100 for number in range(101)), 1e-7]
COUNTS = [None, 0, 7, 999, 1000, 10_000, 999_999, 1_000_000, 1_234_567_890]


def bare(text: str) -> str:
    """A figure without what languages put between digits and units: the terminal sets them apart by spaces."""
    return re.sub(r"[\s,]", "", text)


def test_the_page_rounds_figures_as_the_terminal_does() -> None:
    if shutil.which("node") is None:
        pytest.skip("no Node.js: apt-get install -y --no-install-recommends nodejs")
    cases: dict[str, Sequence[object]] = {
        "elapsed": SECONDS,
        "duration": SECONDS,
        "limit": [one for one in SECONDS if one is not None and one >= 0],
        "level": RATIOS,
        "share": RATIOS,
        "count": COUNTS,
        "rate": [None, 0, 0.125, 12, *(number / 997 for number in range(-99, 2000, 7))],
        "change": [
            None,
            *((number / 97, abs(number) / 331) for number in range(-300, 300, 11)),
            *((-(0.6**number), 0.55**number) for number in range(40)),
            (0, 0.2),
        ],
        "amount": [None, 0, -0.4, -1234.5, *(number / 7 for number in range(0, 90_000, 1301))],
        "score": [None, 0, 4.25, 4.3, 10, *(number / 7 for number in range(-700, 700, 13))],
    }
    program = (
        f"import {{ formatsOf }} from {json.dumps(FORMAT_JS.as_uri())};"
        "const f = formatsOf('en');"
        f"const cases = {json.dumps(cases)};"
        "console.log(JSON.stringify(Object.entries(cases).map(([name, of]) => [name, of.map((one) => f[name](one))])))"
    )

    told = subprocess.run(
        ["node", "--no-warnings", "--input-type=module", "--eval", program], capture_output=True, check=True, text=True
    ).stdout

    expected = [[name, [bare(getattr(written, name)(one)) for one in of]] for name, of in cases.items()]
    assert [[name, [bare(one) for one in of]] for name, of in json.loads(told)] == expected
