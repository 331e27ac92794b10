"""The scales on which customers rate, and one measure for all of them: steps from the lowest score to the highest."""

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["NPS_DETRACTOR", "NPS_PROMOTER", "SCALES", "STEPS", "Scale", "SurveyKind", "natural_scale", "steps_above"]

SurveyKind = Literal["csat", "ces", "nps"]
"""Satisfaction, effort, and whether somebody would recommend."""

Scale = Literal["1-5", "1-7", "1-10", "0-10", "yes_no", "thumbs", "smileys"]
"""Numbers, or symbols: no or yes, thumbs down or up (0, 1), and smileys that are sad, indifferent or happy (1 to 3)."""

SCALES: Final[Mapping[str, tuple[int, int]]] = {
    "1-5": (1, 5),
    "1-7": (1, 7),
    "1-10": (1, 10),
    "0-10": (0, 10),
    "yes_no": (0, 1),
    "thumbs": (0, 1),
    "smileys": (1, 3),
}
"""Lowest and highest score of each."""

STEPS: Final = 180
"""From the lowest to the highest score: every scale divides it, so that sums over several scales are exact."""

NPS_PROMOTER: Final = STEPS * 9 // 10
"""From this step on, a 9 of 0 to 10, somebody promotes."""

NPS_DETRACTOR: Final = STEPS * 6 // 10
"""Up to this step, a 6 of 0 to 10, somebody detracts; those between are passive."""

_NATURAL: Final[Mapping[SurveyKind, Scale]] = {"csat": "1-5", "ces": "1-10", "nps": "0-10"}


def natural_scale(kind: SurveyKind) -> Scale:
    """Return the scale of answers that name none."""
    return _NATURAL[kind]


def steps_above(score: int, scale: str) -> int:
    """Return how many steps above the lowest score of its scale a score is."""
    low, high = SCALES[scale]
    return (score - low) * STEPS // (high - low)
