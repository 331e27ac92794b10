"""What nobody knows is counted by name, and no sender decides how much of that is kept."""

from stream.sources.intake import NAME_LENGTH, NAMES_KEPT, Intake
from stream.sources.lines import BadLine, Location

BAD = BadLine(Location("body", 1, 0), "unknown_kind", "a kind that is not known")


def test_names_that_nobody_knows_are_bounded_in_number_and_length() -> None:
    intake = Intake()
    for number in range(NAMES_KEPT + 50):
        intake.wonder(f"{number}{'x' * 100_000}", BAD)

    assert len(intake.unknown) == NAMES_KEPT + 1
    assert intake.unknown["(others)"] == 50
    assert max(map(len, intake.unknown)) == NAME_LENGTH
