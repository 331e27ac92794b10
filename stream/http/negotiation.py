"""Which format, and whether gzip: reads the `Accept` and `Accept-Encoding` of a scrape, weights included."""

from collections.abc import Iterator

from msgspec import Struct

from stream.http.exposition import TextFormat

__all__ = ["accepts_gzip", "format_for"]

_OPENMETRICS_VERSIONS = ("", "1.0.0")
"""Versions answered with OpenMetrics 1.0.0. Who only knows 0.0.1 gets plain text, which everybody reads."""


class _Offer(Struct, frozen=True):
    """One entry of a header: what, with which parameters, how much it is wanted (0: not at all)."""

    what: str
    parameters: dict[str, str]
    weight: float


def format_for(accept: str) -> TextFormat:
    """
    Return the format that the client likes best.

    OpenMetrics only goes to who names it. Between equals the one named first wins, and who accepts neither
    gets plain text, as Prometheus itself expects.
    """
    best, weight = TextFormat.TEXT, 0.0
    for offer in _offers(accept):
        form = _format_of(offer)
        # Only more is better, not as much: of equals the first stays.
        if form is not None and offer.weight > weight:
            best, weight = form, offer.weight
    return best


def _format_of(offer: _Offer) -> TextFormat | None:
    match offer.what:
        case "application/openmetrics-text":
            return TextFormat.OPENMETRICS if offer.parameters.get("version", "") in _OPENMETRICS_VERSIONS else None
        case "text/plain" | "text/*" | "*/*":
            return TextFormat.TEXT
        case _:
            return None


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether the client takes gzip; an entry for gzip itself wins over `*`."""
    weights = {offer.what: offer.weight for offer in _offers(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _offers(header: str) -> Iterator[_Offer]:
    for entry in header.split(","):
        what, *rest = (part.strip() for part in entry.split(";"))
        pairs = (part.partition("=") for part in rest)
        parameters = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
        if what:
            # `q` is how much the entry is wanted, and no parameter of the format (RFC 9110, section 12.4.2).
            yield _Offer(what.lower(), parameters, _weight(parameters.pop("q", "1")))


def _weight(text: str) -> float:
    """Return a weight between 0 and 1; what is no number counts as not wanted."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
