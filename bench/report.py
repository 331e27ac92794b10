"""Figures against their promises, and the table of them all."""

from collections.abc import Iterable, Sequence

from bench.judged import Judged

__all__ = ["at_least", "at_most", "fact", "table"]


def at_least(what: str, value: float, promise: float, form: str = "{:,.0f}", *, note: str = "") -> Judged:
    """Judge a figure that must not be below its promise; both are written in the same form."""
    return Judged(what, form.format(value) + note, "≥ " + form.format(promise), value >= promise)


def at_most(what: str, value: float, promise: float, form: str = "{:,.0f}", *, note: str = "") -> Judged:
    """Judge a figure that must not be above its promise; both are written in the same form."""
    return Judged(what, form.format(value) + note, "≤ " + form.format(promise), value <= promise)


def fact(what: str, figure: str) -> Judged:
    """Return a figure about which nothing is promised."""
    return Judged(what, figure, "", held=True)


def table(figures: Iterable[Judged]) -> str:
    """Return the figures as Markdown, so that `bench/README.md` can take them as they are."""
    rows: list[Sequence[str]] = [("what", "figure", "promise", ""), ("---", "---", "---", "---")]
    rows += [(f.what, f.figure, f.promise, _verdict(f)) for f in figures]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _verdict(figure: Judged) -> str:
    if not figure.promise:
        return ""
    return "kept" if figure.held else "**missed**"
