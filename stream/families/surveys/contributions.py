"""What a survey or review counts for: values that are added, and can be taken back.

Each says `at` which instant it counts, and how it counts, with `sign` +1 or -1.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.scales import NPS_DETRACTOR, NPS_PROMOTER, SurveyKind

__all__ = ["Asked", "Contribution", "Rated", "Reviewed"]


# The tags are short since they stand in rows: a survey keeps what it was counted for, whatever a policy says later.
class _At(Struct, frozen=True, array_like=True, gc=False):
    at: datetime
    """The instant, hence the day, that it is counted in."""


class Asked(_At, frozen=True, gc=False, tag="in"):
    """A customer was invited."""

    kind: SurveyKind

    def count(self, tallies: Iterable[SurveyCounts], sign: int) -> None:
        """Add to each of *tallies* what an invitation counts for."""
        kind = self.kind
        for tally in tallies:
            if kind == "csat":
                tally.csat_invited += sign
            elif kind == "ces":
                tally.ces_invited += sign
            else:
                tally.nps_invited += sign


class Rated(_At, frozen=True, gc=False, tag="an"):
    """A customer answered."""

    kind: SurveyKind
    steps: int
    satisfied: bool
    """Whether the policy of the time took the score for a good one; of satisfaction only."""
    invited: bool
    """Whether the invitation is known."""
    comment: bool

    def count(self, tallies: Iterable[SurveyCounts], sign: int) -> None:
        """Add to each of *tallies* what an answer counts for."""
        count = _COUNTS[self.kind]
        for tally in tallies:
            count(self, tally, sign)
            if self.comment:
                tally.comments += sign


def _count_csat(one: Rated, tally: SurveyCounts, sign: int) -> None:
    tally.csat_answered += sign
    tally.csat_responded += sign * one.invited
    tally.csat_satisfied += sign * one.satisfied
    tally.csat_steps += sign * one.steps
    tally.csat_squares += sign * one.steps * one.steps


def _count_ces(one: Rated, tally: SurveyCounts, sign: int) -> None:
    tally.ces_answered += sign
    tally.ces_responded += sign * one.invited
    tally.ces_steps += sign * one.steps
    tally.ces_squares += sign * one.steps * one.steps


def _count_nps(one: Rated, tally: SurveyCounts, sign: int) -> None:
    tally.nps_answered += sign
    tally.nps_responded += sign * one.invited
    tally.nps_promoters += sign * (one.steps >= NPS_PROMOTER)
    tally.nps_detractors += sign * (one.steps <= NPS_DETRACTOR)


_COUNTS = {"csat": _count_csat, "ces": _count_ces, "nps": _count_nps}


class Reviewed(_At, frozen=True, gc=False, tag="qr"):
    """A conversation was reviewed."""

    points: int
    """In hundredths of a percent."""
    passed: bool
    """By the pass mark of the time."""

    def count(self, tallies: Iterable[SurveyCounts], sign: int) -> None:
        """Add to each of *tallies* what a review counts for."""
        for tally in tallies:
            tally.reviews += sign
            tally.reviews_passed += sign * self.passed
            tally.review_points += sign * self.points
            tally.review_squares += sign * self.points * self.points


Contribution = Asked | Rated | Reviewed
"""What rows of surveys and reviews keep."""
