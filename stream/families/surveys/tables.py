"""The bytes of the rows of surveys."""

from stream.core.row_codec import RowCodec
from stream.families.surveys.counts import SurveyCountsRow
from stream.families.surveys.eviction import SurveyCountsKey
from stream.families.surveys.queues import SurveyKey
from stream.families.surveys.survey import SurveyRow

__all__ = ["SURVEYS", "SURVEY_COUNTS"]

SURVEY_COUNTS: RowCodec[SurveyCountsKey, SurveyCountsRow] = RowCodec(
    SurveyCountsKey, SurveyCountsRow, version=1, oldest=1
)
SURVEYS: RowCodec[SurveyKey, SurveyRow] = RowCodec(SurveyKey, SurveyRow, version=2, oldest=1, shared=3)
