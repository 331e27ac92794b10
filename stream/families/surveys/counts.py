"""What one day, or all there ever was, has counted of the surveys and reviews of one queue: numbers that add up."""

from msgspec import field

from stream.core.counts import Counts, CountsRow

__all__ = ["SurveyCounts", "SurveyCountsRow"]


class SurveyCounts(Counts, array_like=True, gc=False):
    """
    Counts of invitations and answers by kind, sums of scores, and reviews.

    Scores are in steps of their scale (`stream.families.surveys.scales`), those of reviews in hundredths of a percent.
    New fields go to the very end, and raise the version of the table.
    """

    csat_invited: int = 0
    """Surveys sent, by time of invitation."""
    csat_answered: int = 0
    """Surveys answered, by time of the first answer, each with its last score."""
    csat_responded: int = 0
    """Of the answered, those whose invitation is known."""
    csat_satisfied: int = 0
    """Of the answered, those with a score of the positive set."""
    csat_steps: int = 0
    csat_squares: int = 0
    """Sum of the squares of steps, for margins of error."""
    ces_invited: int = 0
    ces_answered: int = 0
    ces_responded: int = 0
    ces_steps: int = 0
    ces_squares: int = 0
    nps_invited: int = 0
    nps_answered: int = 0
    nps_responded: int = 0
    nps_promoters: int = 0
    nps_detractors: int = 0
    comments: int = 0
    """Answers with words."""
    asked_too_often: int = 0
    """Retired, and 0: customers count it, over all queues. It stays since a row keeps the order of its fields."""
    reviews: int = 0
    """Reviews with a score, by time of the first one, each with its last score."""
    reviews_passed: int = 0
    review_points: int = 0
    """Sum of the scores of reviews, in hundredths of a percent."""
    review_squares: int = 0

    @property
    def invited(self) -> int:
        """Surveys sent, of any kind."""
        return self.csat_invited + self.ces_invited + self.nps_invited

    @property
    def answered(self) -> int:
        """Surveys answered, of any kind."""
        return self.csat_answered + self.ces_answered + self.nps_answered

    @property
    def responded(self) -> int:
        """Of the answered, those whose invitation is known."""
        return self.csat_responded + self.ces_responded + self.nps_responded

    @property
    def ces_asked(self) -> int:
        """Customers asked of their effort: those invited, and those who answered without a known invitation."""
        return self.ces_invited + self.ces_answered - self.ces_responded


class SurveyCountsRow(CountsRow[SurveyCounts], array_like=True, gc=False):
    """The counts as a row."""

    applied_offset: int = -1
    tally: SurveyCounts = field(default_factory=SurveyCounts)
