import math
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric as ClientMetric
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_text

from stream.app.catalogue import SECTIONS, metric
from stream.core.collector import family_of_section, sections_of
from stream.core.samples import MetricFamily, single
from stream.families.customers.family import FAMILY
from stream.families.registry import FAMILIES
from stream.http.body import Body, GzippedBody
from stream.http.build import build_families
from stream.http.client_library import ProcessPage, registry_of
from stream.http.exposition import RenderedSection, SectionWriter, TextFormat, page, rendered, section_writer, written
from stream.status.metrics import feed_families
from tests.board.boards import EVERYTHING, a_board, a_queue, agents, families_of
from tests.families.everything import a_busy_board, a_busy_feed, ones

pytestmark = pytest.mark.slow

parse_openmetrics: Callable[[str], Iterable[ClientMetric]] = openmetrics_parser.text_string_to_metric_families
"""The library's own functions have no types."""
generate_openmetrics: Callable[[CollectorRegistry], bytes] = openmetrics_exposition.generate_latest

Parsed = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]

FORMATS = pytest.mark.parametrize("form", TextFormat)

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20) | st.sampled_from(
    ['"', "\\", "\n", "\\n", '\\"', "{}", "%s", "%d", "\0", "a,b", "æøå", "客服", "💬", " ", "=", "#"]
)


def everything() -> list[MetricFamily]:
    return [*families_of(a_busy_board()), *feed_families(a_busy_feed()), *build_families()]


def ours(families: Iterable[MetricFamily], form: TextFormat) -> list[Parsed]:
    text = written(families, form).decode()
    if form is TextFormat.TEXT:
        return parsed(parse_text(text))
    return parsed(parse_openmetrics(text + "# EOF\n"))


def theirs(registry: CollectorRegistry, form: TextFormat) -> list[Parsed]:
    if form is TextFormat.TEXT:
        return parsed(parse_text(generate_latest(registry).decode()))
    return parsed(parse_openmetrics(generate_openmetrics(registry).decode()))


def parsed(families: Iterable[ClientMetric]) -> list[Parsed]:
    return [
        (one.name, one.type, one.documentation, [(s.name, s.labels, s.value) for s in one.samples]) for one in families
    ]


@FORMATS
def test_our_writer_says_exactly_what_the_client_library_says(form: TextFormat) -> None:
    assert ours(everything(), form) == theirs(registry_of(everything), form)


@FORMATS
@given(names, names)
def test_no_name_of_a_queue_breaks_the_page(form: TextFormat, tenant: str, queue: str) -> None:
    def families() -> list[MetricFamily]:
        board = a_board(
            a_queue(queue, tenant=tenant, tally=ones()),
            a_queue("next", tenant=tenant, tally=ones(2)),
            staff=(agents(queue, tenant=tenant, available=1), agents(None, tenant=tenant, available=1)),
        )
        return list(families_of(board))

    assert ours(families(), form) == theirs(registry_of(families), form)


def test_a_name_that_is_no_unicode_still_leaves_a_page() -> None:
    text = written(families_of(a_board(a_queue("\ud800"))), TextFormat.TEXT).decode()

    assert 'queue="?"' in text


@given(st.floats())
def test_every_number_comes_back_as_it_was(number: float) -> None:
    [(_, _, _, [(_, _, read)])] = ours(single(metric("contact_ready"), [((), number)]), TextFormat.TEXT)

    assert read == number or (math.isnan(read) and math.isnan(number))


def test_units_are_told_where_the_standard_allows_it() -> None:
    text = written(everything(), TextFormat.OPENMETRICS).decode()

    assert "# UNIT contact_asa_seconds seconds\n" in text
    assert "# UNIT contact_service_level_ratio ratio\n" in text
    assert "# UNIT contact_open_cases" not in text


def test_nothing_is_said_of_when_a_counter_was_created() -> None:
    page = written(everything(), TextFormat.OPENMETRICS).decode()
    counters = {
        line.split()[2] for line in page.splitlines() if line.startswith("# TYPE") and line.endswith(" counter")
    }

    assert counters
    assert not {line.partition("{")[0] for line in page.splitlines()} & {f"{name}_created" for name in counters}


def full_page(form: TextFormat, body: Body | None = None) -> bytes:
    sections = sections_of(a_busy_board(), FAMILIES, EVERYTHING) | {
        "feed": lambda: feed_families(a_busy_feed()),
        "build": build_families,
    }
    parts: dict[str, SectionWriter | RenderedSection] = {
        name: section_writer(section) for name, section in sections.items()
    }
    ticks = iter(range(1000))
    body = body or Body()
    parts |= {"process": rendered("process", ProcessPage().written, form, timer=lambda: 0.0)}
    page(parts, form, body, timer=lambda: next(ticks) / 8, family_of=family_of_section(FAMILIES))
    return body.end()


@FORMATS
def test_the_whole_page_can_be_read(form: TextFormat) -> None:
    parse = parse_text if form is TextFormat.TEXT else parse_openmetrics

    names = {family.name for family in parse(full_page(form).decode())}
    assert {"contact_asa_seconds", "contact_section_success", "process_resident_memory_bytes"} <= names


def test_openmetrics_ends_with_its_mark_and_text_does_not() -> None:
    assert full_page(TextFormat.OPENMETRICS).endswith(b"\n# EOF\n")
    assert b"# EOF" not in full_page(TextFormat.TEXT)


def test_promtool_has_nothing_to_say() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: apt-get install -y --no-install-recommends prometheus")

    found = subprocess.run(
        ["promtool", "check", "metrics"], input=full_page(TextFormat.TEXT), capture_output=True, check=False
    )

    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


@FORMATS
@pytest.mark.parametrize("kind", [Body, GzippedBody])
def test_the_page_tells_how_many_series_each_family_makes(form: TextFormat, kind: type[Body]) -> None:
    parse = parse_text if form is TextFormat.TEXT else parse_openmetrics
    text = full_page(form, kind())
    samples = [
        sample
        for one in parse((zlib.decompress(text, wbits=31) if kind is GzippedBody else text).decode())
        for sample in one.samples
    ]

    told = {sample.labels["family"]: sample.value for sample in samples if sample.name == "contact_page_series"}

    assert sum(told.values()) == len(samples)
    assert told["agents"] == sum("_agents" in sample.name for sample in samples)
    of_surveys = {one.name for one in SECTIONS["surveys"]}
    assert told["surveys"] == sum(sample.name in of_surveys for sample in samples)
    of_customers = {figure.metric.name for figure in FAMILY.figures if figure.metric is not None}
    customers = [sample for sample in samples if sample.name in of_customers]
    assert told["customers"] == len(customers)
    assert told["cases"] == sum("_case" in sample.name and "_open_cases" not in sample.name for sample in samples)
    of_queues = sum("channel" in sample.labels for sample in samples if sample not in customers)
    assert told["contacts"] == of_queues - told["cases"] - told["surveys"]
    assert told.keys() == {"contacts", "agents", "cases", "surveys", "customers", "feed", "build", "process", "page"}


@FORMATS
def test_one_broken_section_never_blanks_the_page(form: TextFormat, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Iterable[MetricFamily]:
        yield from single(metric("contact_ready"), [((), 1)])
        raise ZeroDivisionError

    parts = {"broken": section_writer(broken), "build": section_writer(build_families)}
    body = Body()
    page(parts, form, body, timer=lambda: 0.0)
    text = body.end().decode()

    assert 'contact_section_success{section="broken"} 0\n' in text
    assert 'contact_section_success{section="build"} 1\n' in text
    assert "contact_ready" not in text
    assert "contact_build_info{" in text
    assert "ZeroDivisionError" in caplog.text


def in_vain() -> Iterator[bytes]:
    yield b"half a part, " * 1000
    raise ZeroDivisionError


@pytest.mark.parametrize("kind", [Body, GzippedBody])
def test_a_body_takes_a_whole_part_or_nothing_of_it(kind: type[Body]) -> None:
    body = kind()
    body.add([b"a" * 1000, b"", b"b"])
    with pytest.raises(ZeroDivisionError):
        body.add(in_vain())
    body.add([b"c"])

    answer = body.end()
    assert (zlib.decompress(answer, wbits=31) if kind is GzippedBody else answer) == b"a" * 1000 + b"bc"
