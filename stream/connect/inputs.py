"""What came of a source and was not used, said while its first event is waited for."""

from collections.abc import Iterator, Mapping

from stream.doctor.finding import Finding, look

__all__ = ["InputCounts", "more_inputs", "not_used"]

InputCounts = Mapping[tuple[str, str], float]
"""How many inputs came, by outcome and kind."""


def more_inputs(before: InputCounts, after: InputCounts) -> Iterator[tuple[str, str]]:
    """Yield outcome and kind of what came in between and was not used."""
    for key, count in after.items():
        if key[0] != "used" and count > before.get(key, 0):
            yield key


def not_used(what: str, outcome: str, kind: str) -> Finding:
    """Return why *what* came and was not used, and what to do."""
    if outcome == "ignored":
        return look(what, f"one came, and is left out on purpose: {kind}")
    if outcome == "unknown":
        return look(what, f"one came of a kind that is not known: {kind}", "have the system send others")
    return look(what, f"one came that is of no use: {kind}", "docs/operations.md says what it asks for")
