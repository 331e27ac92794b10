"""What each event about a survey or a review says: the `data` of the CloudEvents, and the types of its fields."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, get_args

from msgspec import Meta, Struct

from stream.core.cloudevents import Channel, Id, Name
from stream.families.surveys.scales import SCALES, Scale, SurveyKind, natural_scale

__all__ = ["InvitationData", "RatedData", "ReviewCategory", "ReviewData", "SurveyAnswerData"]

CategoryScore = Annotated[int, Meta(ge=-1000, le=1000)]


class RatedData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is rated. A survey counts in the queue that its invitation names, else in that of the first answer."""

    queue: Name | None = None
    """That handled it; without one it is the tenant as a whole that is rated."""
    channel: Channel | None = None
    """Of the conversation that is rated."""
    group: Name | None = None
    """An item, or a group of customers, that has figures of its own; there may only be few of them."""
    agent: Id | None = None
    """Who handled it; of no interest unless the policy asks for figures by agent."""


class InvitationData(RatedData, frozen=True, kw_only=True):
    """What is asked, and whom."""

    kind: SurveyKind
    customer: Id | None = None
    """An opaque id, never a name or address: with it, customers who are asked too often are found."""


def _scores_by_scale() -> Iterator[dict[str, Any]]:
    """Yield, for JSON Schema, which scores each scale has, named or that of the kind; and that of NPS there is one."""
    told = {scale: {"scale": {"const": scale}} for scale in SCALES}
    by_kind = {
        natural_scale(kind): {"kind": {"const": kind}, "scale": {"type": "null"}} for kind in get_args(SurveyKind)
    }
    for scale, properties in (*told.items(), *by_kind.items()):
        low, high = SCALES[scale]
        scores = {"properties": {"score": {"minimum": low, "maximum": high}}}
        # A scale that is absent is that of the kind, as one that is null.
        yield {"if": {"properties": properties, "required": [next(iter(properties))]}, "then": scores}
    only = {"properties": {"scale": {"enum": ["0-10", None]}}}
    yield {"if": {"properties": {"kind": {"const": "nps"}}, "required": ["kind"]}, "then": only}


class SurveyAnswerData(RatedData, frozen=True, kw_only=True):
    """What a customer answered."""

    between_fields: ClassVar[Mapping[str, Any]] = {"allOf": [*_scores_by_scale()]}
    """What `__post_init__` demands, as JSON Schema says it."""

    kind: SurveyKind
    score: Annotated[int, Meta(ge=0, le=10)]
    """On its scale; of symbols, 0 and 1 for no and yes or thumbs, and 1 to 3 for smileys."""
    scale: Scale | None = None
    """By default 1-5 for csat, 1-10 for ces, and 0-10 for nps, which knows no other."""
    higher_is_better: bool = True
    """False where the highest score is the worst, such as of questions how hard something was."""
    comment: bool | str = False
    """Whether there are words beside the score, or these words: they are counted, and never kept."""
    customer: Id | None = None
    """An opaque id, never a name or address."""

    def __post_init__(self) -> None:
        low, high = SCALES[self.rated_on]
        # Messages say what should be; values may be personal.
        if not low <= self.score <= high:
            raise ValueError("the score is outside its scale")
        if self.kind == "nps" and self.rated_on != "0-10":
            raise ValueError("NPS is asked on the scale 0-10")

    @property
    def rated_on(self) -> Scale:
        """The scale of the score."""
        return self.scale or natural_scale(self.kind)


class ReviewCategory(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One category of a review, and how it was scored."""

    name: Name
    score: CategoryScore | None
    """Null where it did not apply: then it is left out."""
    min: CategoryScore = 0
    max: CategoryScore
    weight: Annotated[int, Meta(ge=0, le=100)] = 1
    critical: bool = False
    """Whether less than half of the scale here makes the whole review worth nothing."""

    def __post_init__(self) -> None:
        if self.min >= self.max:
            raise ValueError("max must be greater than min")
        if self.score is not None and not self.min <= self.score <= self.max:
            raise ValueError("the score is outside min and max")


class ReviewData(RatedData, frozen=True, kw_only=True):
    """How a conversation was reviewed by the company itself."""

    categories: Annotated[tuple[ReviewCategory, ...], Meta(min_length=1, max_length=100)]
