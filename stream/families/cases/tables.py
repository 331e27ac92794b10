"""The bytes of the rows of cases."""

from stream.core.row_codec import RowCodec
from stream.families.cases.case import CaseKey, CaseRow, with_shared_queues
from stream.families.cases.fold import CountsKey
from stream.families.cases.tally import CaseTallyRow

__all__ = ["CASES", "COUNTS"]

COUNTS: RowCodec[CountsKey, CaseTallyRow] = RowCodec(CountsKey, CaseTallyRow, version=1, oldest=1)
# No two cases have one name.
CASES: RowCodec[CaseKey, CaseRow] = RowCodec(CaseKey, CaseRow, version=1, oldest=1, shared=1, share=with_shared_queues)
