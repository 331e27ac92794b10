"""How satisfaction and quality are judged: what counts as good, what is promised, how many answers it takes."""

from collections.abc import Mapping
from typing import Final, Literal, cast, get_args

from msgspec import field

from stream.core import policy_values as read
from stream.core.limits import NO_QUEUE
from stream.core.policies import Policies, PolicyKey, Rules
from stream.core.served import Served
from stream.families.surveys.scales import SCALES, Scale

__all__ = ["KEPT_DAYS", "RULES", "CesFormula", "SurveyPolicy", "survey_policy"]

CesFormula = Literal["asked", "answered"]
"""By what the sum of the ratings of effort is divided."""

KEPT_DAYS: Final = 100
"""So long after its last event a survey may still be answered or changed: the longest window, and some days more."""

_POSITIVE: Final[Mapping[str, tuple[int, ...]]] = {
    "1-5": (4, 5),
    "1-7": (6, 7),
    "1-10": (7, 8, 9, 10),  # as much of the scale as 4 and 5 are of five
    "0-10": (7, 8, 9, 10),
    "yes_no": (1,),
    "thumbs": (1,),
    "smileys": (3,),
}


class SurveyPolicy(Served, frozen=True, kw_only=True):
    """How the surveys and reviews of one queue and channel are judged."""

    csat_positive: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: dict(_POSITIVE))
    """By scale, the scores of satisfied customers."""
    csat_scale: Scale = "1-5"
    """In which the mean score is told, on whatever scale customers rate."""
    ces_scale: Scale = "1-10"
    """The same of effort."""
    ces_per: CesFormula = "asked"
    """The sum of the ratings is divided by all customers asked, or by those who answered: then it is their mean."""
    csat_target: float = 0.80
    """Share of satisfied customers that the queue promises."""
    ces_target: float | None = None
    """None: effort is not judged."""
    nps_target: float | None = None
    """None: it is not judged."""
    iqs_target: float | None = None
    """Share of full marks that reviews should have in the mean; None: they are not judged."""
    quality_pass_mark: float = 0.80
    """From this share of full marks on a review is passed."""
    survey_minimum: int = 10
    """With fewer answers, or reviews, nothing is judged: too few to tell."""
    survey_groups: int = 20
    """So many items and groups of customers have figures of their own; the others are one."""
    survey_by_agent: bool = False
    """Whether boards show figures of single agents; metrics never do."""


def _positive(value: object) -> dict[str, tuple[int, ...]]:
    """Read the scores of satisfied customers by scale; scales that are not told keep their own."""
    if not isinstance(value, dict) or not value or not all(_scores_of(scale, told) for scale, told in value.items()):
        raise ValueError('must be scores by scale such as { "1-5" = [4, 5], "1-10" = [8, 9, 10] }')
    return {**_POSITIVE, **{scale: tuple(sorted({*told})) for scale, told in value.items()}}


def _scores_of(scale: str, told: object) -> bool:
    if scale not in SCALES or not isinstance(told, list) or not told:
        return False
    low, high = SCALES[scale]
    return all(isinstance(one, int) and not isinstance(one, bool) and low <= one <= high for one in told)


def _scale(value: object) -> Scale:
    if value not in get_args(Scale):
        raise ValueError(f"must be one of {', '.join(get_args(Scale))}")
    return cast("Scale", value)


def _ces_per(value: object) -> CesFormula:
    if value not in get_args(CesFormula):
        raise ValueError(f"must be one of {', '.join(get_args(CesFormula))}")
    return cast("CesFormula", value)


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -100 <= value <= 100:
        raise ValueError("must be a score from -100 to 100")
    return float(value)


def _some(value: object) -> int:
    return read.whole(value, 1000)


RULES: Rules[SurveyPolicy] = Rules(
    policy=SurveyPolicy,
    keys={
        "csat_positive": PolicyKey("csat_positive", _positive),
        "csat_scale": PolicyKey("csat_scale", _scale),
        "csat_target": PolicyKey("csat_target", read.ratio),
        "ces_scale": PolicyKey("ces_scale", _scale),
        "ces_per": PolicyKey("ces_per", _ces_per),
        "ces_target": PolicyKey("ces_target", _score),
        "nps_target": PolicyKey("nps_target", _score),
        "iqs_target": PolicyKey("iqs_target", read.ratio),
        "quality_pass_mark": PolicyKey("quality_pass_mark", read.ratio),
        "survey_minimum_answers": PolicyKey("survey_minimum", _some),
        "survey_groups": PolicyKey("survey_groups", _some),
        "survey_by_agent": PolicyKey("survey_by_agent", read.switch),
    },
)
"""The keys of the policy file that this family reads; time zone and start of the day are those that contacts read."""


def survey_policy(policies: Policies, tenant: str, queue: str | None, channel: str | None) -> SurveyPolicy:
    """Return how the surveys about a queue and channel are judged; None is no queue, or no channel, in particular."""
    return policies.of(RULES, tenant, queue or NO_QUEUE, channel or "")
