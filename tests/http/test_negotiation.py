import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.http.exposition import TextFormat
from stream.http.negotiation import accepts_gzip, format_for

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (PROMETHEUS_2, TextFormat.OPENMETRICS),
        (PROMETHEUS_3, TextFormat.OPENMETRICS),
        (BROWSER, TextFormat.TEXT),
        ("", TextFormat.TEXT),
        ("*/*", TextFormat.TEXT),
        ("application/openmetrics-text", TextFormat.OPENMETRICS),
        ('Application/OpenMetrics-Text; Version="1.0.0"', TextFormat.OPENMETRICS),
        ("application/openmetrics-text; version=2.0.0", TextFormat.TEXT),
        ("application/openmetrics-text; version=0.0.1", TextFormat.TEXT),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.7", TextFormat.TEXT),
        ("text/plain;q=0.2, application/openmetrics-text;q=0.7", TextFormat.OPENMETRICS),
        ("application/openmetrics-text;q=0", TextFormat.TEXT),
        ("application/openmetrics-text;q=nonsense, text/plain", TextFormat.TEXT),
        ("text/plain, application/openmetrics-text", TextFormat.TEXT),
    ],
)
def test_the_format_is_the_one_the_client_likes_best(accept: str, expected: TextFormat) -> None:
    assert format_for(accept) is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("x-gzipped", False),
    ],
)
def test_gzip_only_goes_to_who_takes_it(accept_encoding: str, *, expected: bool) -> None:
    assert accepts_gzip(accept_encoding) is expected


@given(st.text())
def test_no_header_is_an_error(header: str) -> None:
    assert format_for(header) in TextFormat
    assert accepts_gzip(header) in {True, False}
